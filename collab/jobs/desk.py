"""The daily digests."""

from collab.core.db import db
from collab.desk import digest
from collab.jobs.rounds import one_by_one, retrying


def write_digests() -> int:
    """Write what is to be written today, each in a unit of work of its own."""
    due = digest.due_people()
    db.session.rollback()  # the reading is over: no transaction is kept open while each is written
    return one_by_one("desk.digests", due, digest.write)


def sweep() -> int:
    """Forget what was told long ago."""
    return retrying(digest.forget_old)
