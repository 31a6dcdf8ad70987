"""The schedule, the heartbeat and the database's form."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab import jobs
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Unavailable
from collab.jobs import schedule, schema
from collab.jobs.models import JobRun, WorkerHeartbeat
from collab.jobs.worker import Worker
from tests.support.client import Client
from tests.support.databases import Databases
from tests.support.server import Server

MINUTE = timedelta(minutes=1)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The schedule is one job, which writes down when it ran."""
    ran: list[str] = []

    def work() -> int:
        ran.append(clock.now().isoformat())
        return 1

    monkeypatch.setattr(schedule, "JOBS", [jobs.Job("work", MINUTE, work)])
    return ran


def turn(app: Flask) -> None:
    Worker(app).turn()


def test_a_job_runs_once_in_its_time_however_many_workers_there_are(app: Flask, done: list[str]) -> None:
    workers = [Worker(app) for _ in range(3)]
    start = clock.now()
    for minute in range(3):
        with time_machine.travel(start + minute * MINUTE + timedelta(seconds=minute), tick=False):
            for worker in workers:
                worker.turn()
                worker.turn()
    assert len(done) == 3


def test_workers_that_meet_run_a_job_once(app: Flask, done: list[str]) -> None:
    turn(app)  # the row is there
    errors: list[BaseException] = []
    ready = threading.Barrier(6)

    def go() -> None:
        worker = Worker(app)
        ready.wait()
        try:
            worker.turn()
        except Exception as error:  # noqa: BLE001  # shown by the assertion below
            errors.append(error)

    with time_machine.travel(clock.now() + 2 * MINUTE):
        threads = [threading.Thread(target=go) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert len(done) == 2


def test_a_job_of_a_worker_that_died_comes_to_another_when_its_lease_ends(
    app: Flask, done: list[str]
) -> None:
    with unit_of_work():
        now = clock.now()
        db.session.add(
            JobRun(name="work", due_at=now - MINUTE, lease_until=now + MINUTE, running_by="dead", failures=0)
        )
    turn(app)
    assert done == []
    with time_machine.travel(clock.now() + 2 * MINUTE):
        turn(app)
    assert len(done) == 1


def test_a_clock_set_back_or_forth_neither_stops_nor_doubles_a_job(app: Flask, done: list[str]) -> None:
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        turn(app)
    turn(app)  # an hour earlier by the clock
    assert len(done) == 2
    turn(app)
    assert len(done) == 2


def test_a_worker_is_heard_of_while_it_lives(app: Flask, done: list[str]) -> None:
    assert not jobs.worker_is_alive()
    turn(app)
    db.session.rollback()
    assert jobs.worker_is_alive()
    with time_machine.travel(clock.now() + timedelta(minutes=3)):
        assert not jobs.worker_is_alive()


def test_a_worker_that_ends_in_order_says_goodbye(server: Server) -> None:
    def beating() -> int:
        db.session.rollback()
        return db.session.scalar(sa.select(sa.func.count()).select_from(WorkerHeartbeat)) or 0

    worker = server.start_worker()
    worker.wait_until(lambda: beating() == 1, what="beating")
    assert worker.stop() == 0
    assert beating() == 0


def test_one_by_one_stops_when_the_database_is_away(app: Flask) -> None:
    seen: list[int] = []

    def away(id: int) -> None:
        seen.append(id)
        raise Unavailable

    with pytest.raises(Unavailable):
        jobs.one_by_one("rows", [1, 2, 3], away)
    assert seen == [1]


def test_retrying_runs_a_broken_off_transaction_again(app: Flask) -> None:
    from collab.core.db import TryAgain

    tries: list[int] = []

    def work() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise TryAgain
        return "done"

    assert jobs.retrying(work) == "done"
    assert len(tries) == 3


def test_the_schema_is_told_apart(app: Flask, database: Databases) -> None:
    assert jobs.migrations_are_current()
    empty = database.empty()
    assert schema.state_at(empty) is schema.Schema.EMPTY
    db.session.execute(sa.text("UPDATE alembic_version SET version_num = 'x'"))
    assert schema.state_of(db.session.connection()) is schema.Schema.UNKNOWN
    assert not jobs.migrations_are_current()
    db.session.rollback()
    assert jobs.migrations_are_current()


def test_readyz_tells_what_is_missing(app: Flask, client: Client, done: list[str]) -> None:
    def checks() -> tuple[int, dict[str, bool]]:
        answer = client.get("/readyz")
        assert answer.json
        return answer.status_code, answer.json["checks"]

    all_well = {"database": True, "migrations": True, "store": True, "worker": True}
    assert checks() == (503, all_well | {"worker": False})
    turn(app)
    assert checks() == (200, all_well)
    with unit_of_work():
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = 'x'"))
    assert checks() == (503, all_well | {"migrations": False})
