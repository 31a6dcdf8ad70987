"""The SQL that something runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

#: How a transaction begins and what only asks.
READING = {"SELECT", "PRAGMA", "SHOW", "WITH", "EXPLAIN"}


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[str]]:
    """Collects every statement run on an engine meanwhile, in order."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def queries(found: list[str]) -> list[str]:
    """Those that ask or change something: all but what begins a transaction or sets the connection up."""
    return [
        statement
        for statement in found
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE"))
    ]


def changes(found: list[str]) -> list[str]:
    """Those that change something, or make other writers wait."""
    # BEGIN alone is how SQLite begins to read; BEGIN IMMEDIATE would make every other writer wait.
    return [one for one in found if one != "BEGIN" and one.lstrip().split(None, 1)[0].upper() not in READING]
