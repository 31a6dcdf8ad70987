"""Put into the search, and take out of it, in the caller's transaction."""

from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from collab.core.db import connection, db
from collab.search.models import SearchEntry, department_mark, entry_id
from collab.search.vocabulary import marks, words


def index(kind: str, object_id: int, *, department_id: int, text: str) -> None:
    """Make an object findable by its text, or by a new text.

    :param kind: one of ``models.KINDS``.
    :param text: everything it should be found by; what matters most stands first.
    """
    database = connection()
    database.execute(upsert(database.dialect.name), row(kind, object_id, department_id, text))


def remove(kind: str, object_id: int) -> None:
    """Nobody finds it any more. Harmless when it was not there."""
    db.session.execute(sa.delete(SearchEntry).where(SearchEntry.id == entry_id(kind, object_id)))


def row(kind: str, object_id: int, department_id: int, text: str) -> dict[str, Any]:
    """The entry's values."""
    found = words(text)
    return {
        "id": entry_id(kind, object_id),
        "department_id": department_id,
        "words": found,
        "marks": f"{department_mark(department_id)} {marks(found)}".rstrip(),
    }


@cache
def upsert(dialect: str) -> sa.Executable:
    """The statement that keeps rows; an entry whose words are the same is left alone."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(cast(sa.Table, SearchEntry.__table__))
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[SearchEntry.id],
        set_={"department_id": new.department_id, "words": new.words, "marks": new.marks},
        where=sa.or_(SearchEntry.words != new.words, SearchEntry.marks != new.marks),
    )
