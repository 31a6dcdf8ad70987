"""The database: the base of all models, and the one place that commits.

Reads happen in a plain transaction. A change happens inside ``unit_of_work()``, which on SQLite begins with
``BEGIN IMMEDIATE``: a plain BEGIN that first reads and then writes fails with "database is locked" as soon as two
do it at once (measured: 360 of 400), an immediate one waits its turn (0 of 400).
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm.exc import StaleDataError

from collab.core.errors import Conflict, Unavailable
from collab.extensions import Base, db

__all__ = ["Model", "TryAgain", "connection", "db", "prepare_engine", "unit_of_work"]

if TYPE_CHECKING:

    class Model(Base):
        """The base of every model."""

        __abstract__ = True
else:
    Model = db.Model

_writing: ContextVar[bool] = ContextVar("collab_writing", default=False)

#: How long a writer waits for its turn on SQLite, in seconds.
BUSY_SECONDS = 15.0
#: How often it looks whether it is its turn, in seconds. A turn takes milliseconds; SQLite's own waiting sleeps longer
#: and longer, up to a tenth of a second, while nobody writes.
_LOOK = 0.002


class TryAgain(Exception):
    """The database broke off this transaction through no fault of its own (deadlock, serialisation): run it again."""


@contextmanager
def unit_of_work() -> Iterator[None]:
    """Everything inside is kept together, or nothing of it.

    Objects loaded before are read again inside, so a rule decides on what is true now, not on what the page saw.

    :raises Conflict: what was changed here was changed by somebody else first (version column).
    :raises Unavailable: the database is full, locked too long, or away.
    :raises TryAgain: deadlock or serialisation failure; the web's dispatcher and the worker run the whole work again.
    """
    if _writing.get():
        raise RuntimeError("a unit of work inside another one: only the edge commits")
    if db.session.new or db.session.dirty or db.session.deleted:
        raise RuntimeError("something was changed outside a unit of work")
    db.session.rollback()
    token = _writing.set(True)
    try:
        yield
        db.session.commit()
    except StaleDataError as stale:
        db.session.rollback()
        raise Conflict from stale
    except DBAPIError as failure:
        db.session.rollback()
        raise _translated(failure) from failure
    except NoConnectionFree as failure:
        db.session.rollback()
        raise Unavailable from failure
    except BaseException:
        db.session.rollback()
        raise
    finally:
        _writing.reset(token)


def connection() -> sa.Connection:
    """The present transaction, for statements that stand for themselves: nothing pending is written before them."""
    return db.session.connection()


def _translated(failure: DBAPIError) -> Exception:
    code = getattr(failure.orig, "sqlstate", None)
    if code in {"40001", "40P01"}:
        return TryAgain(str(code))
    if (
        isinstance(failure, OperationalError)
        or failure.connection_invalidated
        or code in {"53100", "53300", "57P01"}
    ):
        return Unavailable()
    return failure


def is_away(failure: BaseException) -> bool:
    """Whether an error means "the database does not answer now" rather than a mistake of ours."""
    if isinstance(failure, NoConnectionFree):
        return True
    return isinstance(failure, DBAPIError) and isinstance(_translated(failure), Unavailable | TryAgain)


def prepare_engine(engine: sa.Engine) -> None:
    """Teach a SQLite engine how to begin, wait and keep what it acknowledged. PostgreSQL needs nothing."""
    if engine.dialect.name != "sqlite":
        return

    @sa.event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # Python's own BEGIN is switched off: ours is below.
        for pragma in (
            f"busy_timeout = {round(BUSY_SECONDS * 1000)}",
            "journal_mode = wal",
            "synchronous = full",  # an acknowledged commit survives the power cut
            "foreign_keys = on",
            "cache_size = -16000",
            "temp_store = memory",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        if not _writing.get():
            # Takes no lock and cannot fail; through SQLAlchemy it would take as long as a query.
            driver.execute("BEGIN")
            return
        ends = time.monotonic() + BUSY_SECONDS
        driver.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    return
                except OperationalError as taken:
                    code = getattr(taken.orig, "sqlite_errorcode", 0)
                    if code & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                        raise
                    time.sleep(_LOOK)
        finally:
            driver.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")
