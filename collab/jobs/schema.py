"""Whether the database has the form this version of the portal expects.

Alembic is loaded where migrations run or are made, and not by what only asks: that every start does.
"""

import ast
import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from collab.core.db import db

if TYPE_CHECKING:
    from flask_migrate import Migrate

MIGRATIONS = Path(__file__).parents[1] / "migrations"
_STATED = re.compile(r"^(revision|down_revision)\b[^=\n]*=\s*(.+)$", re.MULTILINE)


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
    there = _revisions_in(connection)
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


def prepare(app: Flask) -> "Migrate":
    """Flask-Migrate for an application whose database is to be changed."""
    from flask_migrate import Migrate

    migrate = Migrate()
    migrate.init_app(app, db, directory=str(MIGRATIONS), render_as_batch=True)
    return migrate


def _revisions_in(connection: sa.Connection) -> frozenset[str]:
    if not sa.inspect(connection).has_table("alembic_version"):
        return frozenset()
    return frozenset(connection.scalars(sa.text("SELECT version_num FROM alembic_version")))


@lru_cache(maxsize=1)
def _revisions() -> tuple[frozenset[str], frozenset[str]]:
    """The newest revisions and all of them, as the migrations' files state them."""
    stated: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for file in (MIGRATIONS / "versions").glob("*.py"):
        for name, value in _STATED.findall(file.read_text("utf-8")):
            stated[name].add(ast.literal_eval(value))
    return frozenset(stated["revision"] - stated["down_revision"]), frozenset(stated["revision"])
