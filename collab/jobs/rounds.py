"""Doing many things one by one, so that one bad row never stops the rest (F22)."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

import structlog

from collab.core.db import TryAgain, db, unit_of_work
from collab.core.errors import Unavailable

T = TypeVar("T")
log = structlog.get_logger("collab.jobs")
ATTEMPTS = 3


def one_by_one(name: str, ids: Iterable[T], verb: Callable[[T], object]) -> int:
    """Call the verb for each, every time in a unit of work of its own; returns how many went well.

    What fails is rolled back and logged, and the next one's turn comes. When the database is away all stop.

    :raises Unavailable: the database does not answer.
    """
    done = 0
    for id in list(ids):
        try:
            retrying(partial(verb, id))
            done += 1
        except Unavailable:
            raise
        except Exception:
            db.session.rollback()
            log.exception("row_failed", job=name, row=id)
    return done


def retrying(work: Callable[[], T]) -> T:
    """Run work in a unit of work, again when the database broke it off (deadlock, serialisation)."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with unit_of_work():
                return work()
        except TryAgain:
            db.session.remove()
            if attempt == ATTEMPTS:
                raise
            time.sleep(0.05 * attempt)
    raise AssertionError("unreachable")
