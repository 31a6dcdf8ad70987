"""Whether the database has the form this version of the portal expects."""

from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from collab.core.db import db

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class Schema(StrEnum):
    """How the database and the code stand to each other."""

    CURRENT = "current"
    EMPTY = "empty"
    BEHIND = "behind"
    UNKNOWN = "unknown"


SENTENCES = {
    Schema.CURRENT: "The database is up to date.",
    Schema.EMPTY: "The database is empty. Run `collab init` first.",
    Schema.BEHIND: "The database is older than this version of Collab. Back it up, then run `collab init`.",
    Schema.UNKNOWN: "The database was made by another version of Collab, which this one does not know. "
    "Install that version or a newer one, or restore a backup.",
}


def state_of(connection: sa.Connection) -> Schema:
    """Compare the database's revision with the migrations that come with the code."""
    there = set(MigrationContext.configure(connection).get_current_heads())
    if not there:
        return Schema.EMPTY
    heads, known = _revisions()
    if there == heads:
        return Schema.CURRENT
    return Schema.BEHIND if there <= known else Schema.UNKNOWN


def state_at(url: str) -> Schema:
    """The same before there is an application; nothing stays open, so that processes may be forked afterwards."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and not (address.database and Path(address.database).is_file()):
        return Schema.EMPTY
    engine = sa.create_engine(address, poolclass=NullPool)
    with engine.connect() as connection:
        return state_of(connection)


def migrations_are_current() -> bool:
    """Whether this application can work with its database as it is."""
    return state_of(db.session.connection()) is Schema.CURRENT


@lru_cache(maxsize=1)
def _revisions() -> tuple[frozenset[str], frozenset[str]]:
    script = ScriptDirectory(str(MIGRATIONS))
    return frozenset(script.get_heads()), frozenset(one.revision for one in script.walk_revisions())
