"""The background: the worker, its schedule, and whether both and the database's form are as they should be.

A room that has something to do by the clock adds a ``Job`` to ``JOBS``; ``one_by_one`` keeps one bad row from
stopping the rest.
"""

from collab.jobs.models import JobRun, WorkerHeartbeat
from collab.jobs.rounds import one_by_one, retrying
from collab.jobs.schedule import JOBS, Job
from collab.jobs.schema import Schema, migrations_are_current, state_at
from collab.jobs.worker import run_forever, run_once, worker_is_alive

__all__ = [
    "JOBS",
    "Job",
    "JobRun",
    "Schema",
    "WorkerHeartbeat",
    "migrations_are_current",
    "one_by_one",
    "retrying",
    "run_forever",
    "run_once",
    "state_at",
    "worker_is_alive",
]
