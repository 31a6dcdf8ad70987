"""Find what was indexed."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR

from collab.core.db import db
from collab.search.models import KINDS, SPAN, SearchEntry, department_mark
from collab.search.vocabulary import SHORT, Clause, query_terms

T = TypeVar("T")

#: So many newest hits are ranked by ``find``.
RANKED = 400
#: A typed beginning stands for so many words at most; with more of them FTS5 walks them itself, which takes longer.
EXPANDED = 200

_fts = sa.table("search_fts", sa.column("rowid", sa.BigInteger))
_vector = sa.table(
    "search_vector",
    sa.column("entry_id", sa.BigInteger),
    sa.column("department_id", sa.Integer),
    sa.column("vector", TSVECTOR),
)


def matching(
    kind: str,
    q: str,
    *,
    department_ids: Collection[int],
    before: int | None = None,
    after: int | None = None,
    most: int | None = None,
) -> sa.Select[int]:
    """A SELECT of ``object_id``, to be joined: ``hits = matching(...).subquery()``.

    Order the joined statement by ``hits.c.object_id`` and nothing else, and give the page's cursor as ``before``
    or ``after``: the index is then walked from there and sorts nothing, however common the words are.
    A query without a word in it matches nothing.

    :param kind: one of ``models.KINDS``.
    :param q: as somebody typed it.
    :param department_ids: the departments the reader may see.
    :param before: only ids below this one.
    :param after: only ids above this one.
    :param most: look at no more than so many hits, the newest (with ``after``: the oldest); bounds the work when
        further conditions leave little.
    """
    given = asked(kind, q, department_ids=department_ids, before=before, after=after)
    statement = hits(kind, department_ids=department_ids, most=most, ascending=after is not None)
    return statement.where(sa.false()) if given is None else statement.params(given)


def hits(
    kind: str, *, department_ids: Collection[int], most: int | None = None, ascending: bool = False
) -> sa.Select[int]:
    """The same for any query, so that it can be built once and kept; what ``asked`` gives is bound to it."""
    first = KINDS[kind] * SPAN
    postgresql = db.session.get_bind().dialect.name == "postgresql"
    entry: sa.ColumnClause[int] = _vector.c.entry_id if postgresql else _fts.c.rowid
    statement = sa.select((entry - first if first else entry).label("object_id")).where(
        entry > _named("above", sa.BigInteger(), plainly=postgresql),
        entry < _named("below", sa.BigInteger(), plainly=postgresql),
    )
    if postgresql:
        words = sa.cast(_named("words", _TsQuery(), plainly=True), _TsQuery())
        statement = statement.where(
            _vector.c.department_id.in_(sorted(department_ids)), _vector.c.vector.op("@@")(words)
        )
    else:
        statement = statement.where(
            sa.literal_column("search_fts").op("MATCH")(_named("words", sa.String(), plainly=False))
        )
    if most is not None:
        statement = statement.order_by(entry.asc() if ascending else entry.desc()).limit(most)
    return statement


def asked(
    kind: str,
    q: str,
    *,
    department_ids: Collection[int],
    before: int | None = None,
    after: int | None = None,
) -> dict[str, Any] | None:
    """What is bound to ``hits``; ``None`` when nothing can match."""
    clauses = query_terms(q)
    if not clauses or not department_ids:
        return None
    first = KINDS[kind] * SPAN
    postgresql = db.session.get_bind().dialect.name == "postgresql"
    return {
        "words": _tsquery(clauses) if postgresql else _fts5(clauses, department_ids),
        "above": first + max(after or 0, 0),
        "below": first + min(SPAN if before is None else before, SPAN),
    }


def find(kind: str, q: str, *, department_ids: Collection[int], limit: int = 20) -> list[int]:
    """The best ids, best first; ranked are the newest ``RANKED`` hits only.

    What stands early in the text and often in it ranks first.
    """
    hits = matching(kind, q, department_ids=department_ids, most=RANKED).subquery()
    first = KINDS[kind] * SPAN
    rows = db.session.execute(
        sa.select(hits.c.object_id, SearchEntry.words).join(
            SearchEntry, SearchEntry.id == hits.c.object_id + first
        )
    )
    clauses = query_terms(q)
    ranked = sorted((-_score(clauses, words.split()), object_id) for object_id, words in rows)
    return [object_id for _, object_id in ranked[:limit]]


def _score(clauses: Sequence[Clause], words: list[str]) -> float:
    score = 0.0
    for clause in clauses:
        first, *rest = clause.tokens
        begins = (clause.prefix and not rest) or clause.mark
        places = [
            at
            for at, word in enumerate(words)
            if (word == first or (begins and (word.startswith(first) or (clause.mark and first in word))))
            and words[at + 1 : at + len(clause.tokens)][: len(rest) - 1] == rest[: len(rest) - 1]
        ]
        if places:
            often = len(places) / (len(places) + 1)
            early = 1 / (1 + places[0] / 10)
            whole = 0.5 if any(words[at] == first for at in places) else 0.0
            score += often + 2 * early + whole
    return score / (1 + len(words) / 2000)


# -- PostgreSQL ----------------------------------------------------------------------------------------------------


class _TsQuery(sa.types.UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "tsquery"

    def literal_processor(self, dialect: sa.Dialect) -> Callable[[str], str]:
        return lambda value: "'" + value.replace("'", "''") + "'"


def _named(name: str, type_: sa.types.TypeEngine[T], *, plainly: bool) -> sa.BindParameter[T]:
    """A value that is given when the statement is asked.

    :param plainly: written into the statement: a prepared plan, made for any word, is wrong for common and for rare
        ones alike.
    """
    return sa.bindparam(name, type_=type_, literal_execute=plainly)


def _tsquery(clauses: Sequence[Clause]) -> str:
    """The query spelled out; words hold letters, digits and signs of letters only, so nothing in them is syntax."""
    return " & ".join(_tsquery_clause(clause) for clause in clauses)


def _tsquery_clause(clause: Clause) -> str:
    if clause.mark:
        return f"'~{clause.tokens[0]}'"
    asked = " <-> ".join(f"'{token}'" for token in clause.tokens)
    if clause.prefix:
        # The planner takes any beginning for common; the mark tells it how common this one is.
        return f"({asked}:*) & '~{clause.tokens[-1][: max(SHORT)]}'"
    return f"({asked})"


# -- SQLite --------------------------------------------------------------------------------------------------------


def _fts5(clauses: Sequence[Clause], department_ids: Collection[int]) -> str:
    parts = [_fts5_clause(clause) for clause in clauses]
    parts.append(
        "marks : (" + " OR ".join(f'"{department_mark(one)}"' for one in sorted(department_ids)) + ")"
    )
    return " AND ".join(parts)


def _fts5_clause(clause: Clause) -> str:
    if clause.mark:
        return f'marks : "{clause.tokens[0]}"'
    *before, last = clause.tokens
    if not clause.prefix:
        return f'words : "{" ".join(clause.tokens)}"'
    longer = _words_beginning(last)
    if longer is None:
        return f'words : "{" ".join(clause.tokens)}" *'
    return "words : (" + " OR ".join(f'"{" ".join([*before, word])}"' for word in longer) + ")"


_word = sa.column("word", sa.String)
_WORDS_BETWEEN = (
    sa.select(_word)
    .select_from(sa.table("search_word"))
    .where(_word >= sa.bindparam("first"), _word < sa.bindparam("last"))
    .limit(sa.bindparam("most"))
)


def _words_beginning(beginning: str) -> list[str] | None:
    """The words there are with this beginning, itself always among them; ``None`` when there are too many."""
    given = {"first": beginning, "last": beginning + "\U0010ffff", "most": EXPANDED + 1}
    found = db.session.connection().execute(_WORDS_BETWEEN, given).scalars().all()
    return None if len(found) > EXPANDED else sorted({beginning, *found})
