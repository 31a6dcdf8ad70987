"""What is done again and again, and how often. Each job runs on one worker at a time, wherever the workers are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from collab.core import clock
from collab.core.db import db
from collab.jobs import desk, figures, inquiries, upkeep
from collab.jobs.models import JobRun
from collab.jobs.rounds import retrying

log = structlog.get_logger("collab.jobs")
#: A worker that died with a job in hand keeps it from the others no longer than this.
LEASE = timedelta(minutes=5)


@dataclass(frozen=True)
class Job:
    """A named periodic job.

    :param run: called inside an application context; opens its own units of work; returns how much it did.
    """

    name: str
    every: timedelta
    run: Callable[[], int]


JOBS: list[Job] = [
    Job("inquiries.clocks", timedelta(minutes=1), inquiries.turn_clocks),
    Job("inquiries.sweep", timedelta(minutes=10), inquiries.sweep),
    Job("desk.digests", timedelta(minutes=1), desk.write_digests),
    Job("desk.sweep", timedelta(days=1), desk.sweep),
    Job("figures.keep", timedelta(seconds=15), figures.keep_sums),
    Job("privacy.retention", timedelta(days=1), inquiries.retain),
    Job("files.scan", timedelta(seconds=15), upkeep.scan_files),
    Job("files.sweep", timedelta(minutes=10), upkeep.sweep_files),
    Job("counters.sweep", timedelta(minutes=10), upkeep.sweep_counters),
    Job("sessions.sweep", timedelta(minutes=10), upkeep.sweep_sessions),
]


def due_jobs() -> list[Job]:
    """The jobs whose time has come and that nobody runs."""
    now = clock.now()
    rows = {row.name: row for row in db.session.scalars(sa.select(JobRun))}
    return [job for job in JOBS if job.name not in rows or _is_due(rows[job.name], job, now)]


def run(job: Job, worker_id: str) -> int:
    """Run a job if it can be had, and note how it went. A job that fails is logged and comes again in its time."""
    if not retrying(lambda: _take(job, worker_id)):
        return 0
    return perform(job)


def perform(job: Job) -> int:
    """Run a job whether it is due or not."""
    done, error = 0, None
    try:
        done = job.run()
    except Exception as failure:
        db.session.rollback()
        log.exception("job_failed", job=job.name)
        error = type(failure).__name__
    finally:
        db.session.remove()
    retrying(lambda: _note(job, error))
    return done


def _is_due(row: JobRun, job: Job, now: datetime) -> bool:
    if row.lease_until is not None and now < row.lease_until <= now + LEASE:
        return False
    # A time far ahead means the clock was set back since: do not wait for it.
    return row.due_at <= now or row.due_at > now + 2 * job.every


def _take(job: Job, worker_id: str) -> bool:
    row = db.session.get(JobRun, job.name, with_for_update=True)
    now = clock.now()
    if row is None:
        row = JobRun(name=job.name, due_at=now, failures=0)
        db.session.add(row)
    elif not _is_due(row, job, now):
        return False
    row.running_by, row.lease_until, row.due_at = worker_id, now + LEASE, now + job.every
    db.session.flush()
    return True


def _note(job: Job, error: str | None) -> None:
    row = db.session.get(JobRun, job.name, with_for_update=True)
    if row is None:
        row = JobRun(name=job.name, due_at=clock.now() + job.every, failures=0)
        db.session.add(row)
    row.running_by = row.lease_until = None
    row.finished_at = clock.now()
    row.failures = row.failures + 1 if error else 0
    row.last_error = error
