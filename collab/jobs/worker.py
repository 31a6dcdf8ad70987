"""The background worker: mail every second, the schedule beside it, a heartbeat so that others see it lives."""

import os
import secrets
import signal
import socket
import threading
import time
from datetime import timedelta
from types import FrameType

import sqlalchemy as sa
import structlog
from flask import Flask
from sqlalchemy.exc import DBAPIError, IntegrityError

from collab import mail
from collab.core import clock
from collab.core.db import TryAgain, db
from collab.core.errors import Unavailable
from collab.jobs import schedule
from collab.jobs.models import WorkerHeartbeat
from collab.jobs.post import deliver_due
from collab.jobs.rounds import retrying

log = structlog.get_logger("collab.jobs")
POLL_SECONDS = 1.0
BEAT_SECONDS = 10.0
#: A worker not heard of for so long is taken for dead.
ALIVE = timedelta(seconds=120)


def run_once(app: Flask) -> int:
    """Do everything once, now: all mail that is due, and every job of the schedule. Returns how much was done."""
    worker_id = new_worker_id()
    done = 0
    with app.app_context():
        while handled := deliver_due(worker_id):
            done += handled
    for job in schedule.JOBS:
        with app.app_context():
            done += schedule.perform(job)
    with app.app_context():
        while handled := deliver_due(worker_id):  # what the jobs have written
            done += handled
    return done


def run_forever(app: Flask) -> None:
    """Work until SIGTERM or SIGINT; then finish the mail in hand, give back the rest, and end."""
    Worker(app).run()


class Worker:
    """One worker process."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.id = new_worker_id()
        self._stop = threading.Event()
        self._started = clock.now()
        self._beaten = -BEAT_SECONDS

    def run(self) -> None:
        """The loop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        log.info("worker_started", worker=self.id)
        while not self._stop.is_set():
            busy = False
            try:
                busy = self.turn()
            except (Unavailable, TryAgain, DBAPIError) as error:
                log.error("database_away", error=type(error).__name__)
                self._stop.wait(4)
            except Exception:
                log.exception("worker_stumbled")
                self._stop.wait(4)
            if not busy:
                self._stop.wait(POLL_SECONDS)
        self._farewell()
        log.info("worker_ended", worker=self.id)

    def turn(self) -> bool:
        """One turn of the loop; true when there may be more to do at once."""
        with self.app.app_context():
            if time.monotonic() - self._beaten >= BEAT_SECONDS:
                retrying(self._beat)
                self._beaten = time.monotonic()
            sent = deliver_due(self.id, stop=self._stop.is_set)
        with self.app.app_context():
            due = schedule.due_jobs()
        for job in due:
            if self._stop.is_set():
                break
            with self.app.app_context():
                try:
                    schedule.run(job, self.id)
                except IntegrityError:  # two workers met a job that never ran before: the other has it
                    db.session.rollback()
        return sent > 0

    def _beat(self) -> None:
        now = clock.now()
        row = db.session.get(WorkerHeartbeat, self.id)
        if row is None:
            db.session.execute(
                sa.delete(WorkerHeartbeat).where(WorkerHeartbeat.beat_at < now - timedelta(days=1))
            )
            db.session.add(WorkerHeartbeat(worker_id=self.id, started_at=self._started, beat_at=now))
        else:
            row.beat_at = now

    def _farewell(self) -> None:
        def leave() -> None:
            mail.release_leases(self.id)
            db.session.execute(sa.delete(WorkerHeartbeat).where(WorkerHeartbeat.worker_id == self.id))

        try:
            with self.app.app_context():
                retrying(leave)
        except (Unavailable, TryAgain, DBAPIError):
            log.warning("worker_left_leases", worker=self.id)  # they end by themselves

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()


def new_worker_id() -> str:
    """A name that no other worker has or had: machine, process, chance."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


def worker_is_alive() -> bool:
    """Whether any worker was heard of lately."""
    latest = db.session.scalar(sa.select(sa.func.max(WorkerHeartbeat.beat_at)))
    return latest is not None and abs(clock.now() - latest) < ALIVE
