"""Reading inquiries: who may see which, the queue, the piles, and all that stands on one inquiry's page.

Everything goes through ``visible``: departments are a wall, hosts and reviewers see what they were given, and a
declared conflict of interest closes an inquiry to that person. A page of the queue costs the same at a thousand
inquiries and at a million: it is walked along an index from its cursor, and nothing is counted that is not kept.
"""

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, Self

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased, joinedload, selectinload
from sqlalchemy.sql import visitors

from collab import files, search
from collab.accounts import Role, User
from collab.accounts.actor import Actor
from collab.accounts.models import Absence, Membership
from collab.accounts.permissions import Permission, departments_where
from collab.core import clock
from collab.core.columns import UtcDateTime
from collab.core.db import db
from collab.core.errors import Invalid, NotFound
from collab.core.paging import Key, Page, from_cursor, to_cursor
from collab.core.text import fold
from collab.departments import Department
from collab.departments.tracks import Track
from collab.files import FileState, StoredFile
from collab.inquiries import blind, parts
from collab.inquiries.history import Kind
from collab.inquiries.models import (
    Assignment,
    AssignmentKind,
    Conflict,
    Declaration,
    Inquiry,
    InquiryCount,
    InquiryEvent,
    InquiryTag,
    Mention,
    Message,
    Note,
    Tag,
)
from collab.inquiries.statuses import CLOSED, OURS, Status
from collab.inquiries.view import EXTRAORDINARY as EXTRAORDINARY
from collab.inquiries.view import GROUPS as GROUPS
from collab.inquiries.view import (
    ORDINARY,
    span,
    values,
)
from collab.inquiries.view import SORTS as SORTS
from collab.inquiries.view import QueueView as QueueView
from collab.inquiries.view import countries as countries

#: Counts that are not kept stop here: "1000" means "very many".
COUNTED = 1000
#: A search with further filters looks at so many of the newest hits for one page.
SEARCHED = 5_000
#: A walk with filters that no index holds looks at so many rows for one page: each is read, which takes longer.
WALKED = 1_500
#: But first at so many: mostly that is enough.
_GLANCED = 400

# -- statements built once -------------------------------------------------------------------------------------------

# Building a statement takes longer than its answer does. Those of the queue and of the piles are built once for each
# view and each set of roles. Who asks, when, and from which cursor on, is bound when they are asked: one person's
# statement is everybody's with the same roles. Only statements are kept, never an answer.
_KEPT = 128
_ME: Any = sa.bindparam("me", type_=sa.Integer)
_NOW: Any = sa.bindparam("now", type_=UtcDateTime)


def _roles_of(actor: Actor) -> Actor:
    """Anybody with the actor's roles: whom a statement is built for."""
    return Actor(kind=actor.kind, memberships=actor.memberships if actor.user_id is not None else frozenset())


def _ask(statement: sa.Executable, actor: Actor, **values: Any) -> Sequence[Any]:
    """Plain rows, asked for in the session's transaction but past its making of objects."""
    given = {"me": actor.user_id, "now": clock.now(), **values}
    return db.session.connection().execute(statement, given).all()


def _one_of(column: Any, values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """An ``IN`` whose values are counted when the statement is built, and not again whenever it is asked."""
    wanted = sorted(values)
    if len(wanted) == 1:
        return sa.and_(column == wanted[0])
    return sa.and_(column.in_([sa.literal(value, column.type) for value in wanted])) if wanted else sa.false()


# -- who may see what ------------------------------------------------------------------------------------------------


def visible(actor: Actor, *, steer: bool = False) -> sa.ColumnElement[bool]:
    """The filter of every reading by staff: all of a department, or what one was given; never a declared conflict.

    :param steer: keep the database from starting at the department, where something else leaves less to look at.
    """
    return _visible(actor, me=actor.user_id, steer=steer) if actor.user_id is not None else sa.false()


def visible_by_name(actor: Actor, *, steer: bool = False) -> sa.ColumnElement[bool]:
    """The same without what this person reads blind: for lists and files whose rows say whose they are."""
    return sa.and_(visible(actor, steer=steer), ~blind.read_by(actor))


def _visible(actor: Actor, *, me: Any = _ME, steer: bool = False) -> sa.ColumnElement[bool]:
    """The same for a statement that is kept.

    :param steer: keep the database from starting at the department, where something else leaves less to look at.
    """
    of: Any = Inquiry.department_id + 0 if steer else Inquiry.department_id
    everything = departments_where(actor, Permission.SEE_ALL_INQUIRIES)
    given = departments_where(actor, Permission.SEE_INQUIRIES) - everything
    allowed: list[sa.ColumnElement[bool]] = []
    if everything:
        allowed.append(_one_of(of, everything))
    if given:
        allowed.append(
            sa.and_(
                Inquiry.id.in_(_opened_to(me)),
                _one_of(Inquiry.department_id + 0, given),
                Inquiry.status != Status.UNCONFIRMED,
            )
        )
    return sa.and_(sa.or_(*allowed), ~_conflicted(me)) if allowed else sa.false()


def given_or_visible(actor: Actor) -> sa.ColumnElement[bool]:
    """What was given to a person or is open to him: only for declaring an interest, before anything else is read."""
    if actor.user_id is None:
        return sa.false()
    given = sa.and_(
        Inquiry.id.in_(_given_to(actor.user_id)),
        Inquiry.department_id.in_(sorted(departments_where(actor, Permission.SEE_INQUIRIES))),
        Inquiry.status != Status.UNCONFIRMED,
    )
    return sa.and_(sa.or_(given, visible(actor)), ~_conflicted(actor.user_id))


def by_reference(reference: str, *, seen_by: Actor) -> Inquiry:
    """One inquiry.

    :raises NotFound: there is none, or it is not for this person; nobody can tell which.
    """
    inquiry = (
        db.session.scalars(
            sa.select(Inquiry)
            .where(Inquiry.reference == reference, visible(seen_by))
            .options(
                joinedload(Inquiry.coordinator),
                # An inner join inside the outer one would read whole tables first.
                joinedload(Inquiry.assignments).joinedload(Assignment.user, innerjoin=False),
            )
        )
        .unique()
        .one_or_none()
    )
    if inquiry is None:
        raise NotFound
    return inquiry


def _given_to(user_id: Any) -> sa.Select[Any]:
    return sa.select(Assignment.inquiry_id).where(
        Assignment.user_id == user_id, Assignment.released_at.is_(None)
    )


def _opened_to(user_id: Any) -> sa.Select[Any]:
    """What was given to a person who declared to have no interest in it."""
    return (
        sa.select(Assignment.inquiry_id)
        .join(
            Declaration,
            sa.and_(
                Declaration.inquiry_id == Assignment.inquiry_id, Declaration.user_id == Assignment.user_id
            ),
        )
        .where(Assignment.user_id == user_id, Assignment.released_at.is_(None), sa.and_(Declaration.clean))
    )


def _conflicted(user_id: Any) -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(sa.literal(1)).where(Conflict.inquiry_id == Inquiry.id, Conflict.user_id == user_id)
    )


# -- the queue -------------------------------------------------------------------------------------------------------


class QueueRow(NamedTuple):
    """What the queue shows of one inquiry; the fields are ``_COLUMNS``, and who is asked."""

    id: int
    department_id: int
    reference: str
    title: str
    full_name: str
    institution_name: str
    country: str
    area: str
    track: Track
    status: Status
    due_at: datetime | None
    urgency: int
    unread: bool
    file_count: int
    is_demo: bool
    submitted_at: datetime
    version: int
    signals: dict[str, Any] | None
    coordinator: str | None
    with_people: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def covered(self) -> Self:
        """The same for somebody who reads it blind."""
        title = blind.veiled(self.title, self)
        return self._replace(
            title=title, full_name=_("(read blind)"), institution_name="–", country="–", tags=()
        )

    def is_late(self, now: datetime) -> bool:
        """Whether the department owes something that is overdue."""
        return self.status in OURS and self.due_at is not None and self.due_at < now


_Coordinator = aliased(User)
_COLUMNS: tuple[Any, ...] = (
    Inquiry.id,
    Inquiry.department_id,
    Inquiry.reference,
    Inquiry.title,
    Inquiry.full_name,
    Inquiry.institution_name,
    Inquiry.country,
    Inquiry.area,
    Inquiry.track,
    Inquiry.status,
    Inquiry.due_at,
    Inquiry.urgency,
    Inquiry.unread,
    Inquiry.file_count,
    Inquiry.is_demo,
    Inquiry.submitted_at,
    Inquiry.version,
    Inquiry.signals,
    _Coordinator.name.label("coordinator"),
)


def queue(view: QueueView, *, seen_by: Actor, after: str | None = None, size: int = 25) -> Page[QueueRow]:
    """One page of the queue.

    :param after: a cursor of a page of the same view.
    :raises Invalid: the cursor is none of this view.
    """
    view = _asking_blind(view, seen_by)
    if view.q or view.institution:
        return _found(view, seen_by, after, size)
    key, back = from_cursor(after, length=2) if after else (None, False)
    bound = {**_bound(view, key), **_days(view, seen_by)}
    if _rest(view, seen_by):
        return _walked(view, seen_by, key, back, size, bound)
    statement = _page(view, _roles_of(seen_by), key is not None, back, size + 1)
    rows = _rows(statement, seen_by, **bound)
    more = len(rows) > size
    rows = rows[:size]
    if back:
        rows.reverse()
    keys = [_key(view, row) for row in rows]
    return Page(
        rows=rows,
        older=to_cursor(keys[-1]) if keys and (more or back) else None,
        newer=to_cursor(keys[0], back=True) if keys and (more if back else after is not None) else None,
    )


def _key(view: QueueView, row: QueueRow | Inquiry) -> Key:
    if view.order == "due":
        return (row.due_at.isoformat() if row.due_at else "", row.id)
    if view.order == "new":
        return (row.submitted_at.isoformat(), row.id)
    return (row.urgency, row.id)


@dataclass(frozen=True)
class _Ids:
    """A select of ids (column ``id``) and the order in which its rows are wanted."""

    source: sa.Subquery
    order: tuple[sa.ColumnElement[Any], ...]


@lru_cache(maxsize=_KEPT)
def _page(view: QueueView, actor: Actor, beyond: bool, back: bool, size: int) -> sa.Select[Any]:
    return _rows_in_order(_walk(view, actor, beyond=beyond, back=back, size=size))


def _walk(view: QueueView, actor: Actor, *, beyond: bool, back: bool, size: int) -> _Ids:
    """The ids of the next rows, in walking order; ``beyond`` the cursor that ``_bound`` gives.

    Departments and statuses are walked one by one, each along its index, and their heads merged: an IN over
    several would have to sort all of them first.
    """
    first: Any = _BY[view.order]
    ascending = (view.order == "due") is not back
    order = [first.asc(), Inquiry.id.asc()] if ascending else [first.desc(), Inquiry.id.desc()]
    wheres = _starts(view, actor)
    steer = bool(view.erasure or view.tag) or view.order == "due"
    conditions = [_visible(actor, steer=steer), *_conditions(view)]
    if view.order == "due":
        conditions.append(Inquiry.due_at.is_not(None))
    if not _rest(view, actor):
        everything = departments_where(actor, Permission.SEE_ALL_INQUIRIES)
        conditions += _narrowing(view, walked=bool(everything) and not _is_little(view))
    if beyond:
        # Said in two parts, since not every database goes to a pair of values in an index in one step.
        at, id = sa.bindparam("at", type_=first.type), sa.bindparam("past", type_=sa.BigInteger)
        level = [first == at, Inquiry.id > id if ascending else Inquiry.id < id]
        wheres = [
            [*where, *more] for where in wheres for more in (level, [first > at if ascending else first < at])
        ]
    branches = [
        sa.select(first.label("first"), Inquiry.id.label("id"))
        .where(*where, *conditions)
        .order_by(*order)
        .limit(size)
        .subquery()
        for where in wheres or [[sa.false()]]
    ]
    if len(branches) == 1:
        heads = branches[0]
    else:
        every = sa.union_all(*(sa.select(branch.c.first, branch.c.id) for branch in branches)).subquery()
        by = [every.c.first, every.c.id] if ascending else [every.c.first.desc(), every.c.id.desc()]
        heads = sa.select(every.c.first, every.c.id).order_by(*by).limit(size).subquery()
    if ascending:
        return _Ids(heads, (heads.c.first.asc(), heads.c.id.asc()))
    return _Ids(heads, (heads.c.first.desc(), heads.c.id.desc()))


_BY: dict[str, Any] = {
    "urgent": Inquiry.urgency,
    "due": Inquiry.due_at,
    "new": Inquiry.submitted_at,
}


def _starts(view: QueueView, actor: Actor) -> list[list[sa.ColumnElement[bool]]]:
    """Where to walk: the beginnings of an index for each department and status, or value of a filter."""
    statuses = view.statuses
    if statuses is None:
        whatever = _ordinary()
    else:
        whatever = _one_of(_aside(Inquiry.status), map(str, statuses))
    if not departments_where(actor, Permission.SEE_ALL_INQUIRIES) or view.erasure or view.tag:
        # What was given to one person, waits to be erased or was tagged by hand is little: it is looked through.
        return [[whatever]]
    found: list[list[sa.ColumnElement[bool]]] = []
    lead, level = _lead(view), _level(view)
    for department_id in sorted(departments_where(actor, Permission.SEE_INQUIRIES)):
        of: Any = Inquiry.department_id + 0 if view.order == "due" else Inquiry.department_id
        wall = of == department_id
        if lead is not None:
            found.extend(
                [wall, _FILTERS[lead] == value, whatever, *level] for value in values(getattr(view, lead))[0]
            )
        elif statuses is None and view.order != "new":
            found.append([wall, whatever, *level])
        else:
            walked = ORDINARY if statuses is None else statuses
            found.extend([wall, Inquiry.status == status, *level] for status in sorted(walked))
    return found


def _ordinary() -> sa.ColumnElement[bool]:
    return sa.and_(*(Inquiry.status != status for status in EXTRAORDINARY))


_FILTERS: dict[str, Any] = {"country": Inquiry.country, "area": Inquiry.area, "track": Inquiry.track}


def _lead(view: QueueView) -> str | None:
    """The filter along whose index to walk rather than the status's: most inquiries are closed, few are open."""
    if view.order != "urgent" or not (view.statuses is None or view.statuses & CLOSED) or _is_little(view):
        return None
    parts_of = ((name, *values(getattr(view, name))) for name in _FILTERS)
    return next((name for name, named, but in parts_of if named and not but), None)


def _level(view: QueueView) -> list[sa.ColumnElement[bool]]:
    """One urgency stands in a row in every index that is walked by it."""
    named, but = values(view.urgency)
    return (
        [Inquiry.urgency == int(named[0])] if view.order == "urgent" and len(named) == 1 and not but else []
    )


def _is_little(view: QueueView) -> bool:
    """Few at any time among very many: looked through as a whole, along an index of their own."""
    unread = view.unread and view.statuses is None and view.order == "urgent"
    return view.erasure or bool(view.tag) or unread


def _aside(column: Any) -> Any:
    """A column of words, written so that its index is left aside."""
    return sa.type_coerce(column, sa.String).concat("")


def _bound(view: QueueView, key: Key | None) -> dict[str, Any]:
    """Where a cursor stands, for the statement.

    :raises Invalid: the cursor is none of this view.
    """
    if key is None:
        return {}
    value: Any = key[0]
    if view.order != "urgent":
        try:
            value = datetime.fromisoformat(str(key[0]))
            if value.tzinfo is None:
                raise ValueError
            value = value.astimezone(UTC)  # at the ends of the calendar a moment has no UTC
        except (ValueError, OverflowError):
            raise Invalid("after", "") from None
    elif type(value) is not int or not 0 <= value <= 2:
        raise Invalid("after", "")
    if type(key[1]) is not int:
        raise Invalid("after", "")
    return {"at": value, "past": key[1]}


def _zone(actor: Actor) -> str:
    """Where the person's department is, whose days are meant."""
    zone = db.session.scalar(
        sa.select(Department.timezone)
        .where(Department.id.in_(departments_where(actor, Permission.SEE_INQUIRIES)))
        .order_by(Department.id)
        .limit(1)
    )
    return zone or "UTC"


def _days(view: QueueView, actor: Actor, zone: str | None = None) -> dict[str, datetime]:
    """The moments between which the days of a view lie.

    :param zone: where they are days, when that is known.
    """
    asked = [(name, getattr(view, name)) for name in ("due", "sent")]
    asked = [(name, text) for name, text in asked if text not in {"", "overdue"}]
    if not asked:
        return {}
    zone = zone or _zone(actor)
    found = {}
    for name, text in asked:
        first, last = span(text, today=clock.today(zone), back=name == "sent")
        if first is not None:
            found[f"{name}_from"] = clock.start_of_day(first, zone)
        if last is not None:
            found[f"{name}_to"] = clock.start_of_day(last + timedelta(days=1), zone)
    return found


def _within(name: str, text: str) -> list[sa.ColumnElement[bool]]:
    """Between the moments that ``_days`` binds."""
    if not text:
        return []
    column: Any = Inquiry.due_at if name == "due" else Inquiry.submitted_at
    if text == "overdue":
        return [column < _NOW]
    # Which ends there are does not depend on the day it is asked.
    first, last = span(text, today=date(2026, 1, 1), back=name == "sent")
    found: list[sa.ColumnElement[bool]] = []
    if first is not None:
        found.append(column >= sa.bindparam(f"{name}_from", type_=UtcDateTime))
    if last is not None:
        found.append(column < sa.bindparam(f"{name}_to", type_=UtcDateTime))
    return found


def _rest(view: QueueView, actor: Actor) -> bool:
    """Whether a page needs a bound: it is filtered by what no index holds, and much may have to be looked at."""
    everything = departments_where(actor, Permission.SEE_ALL_INQUIRIES)
    return bool(everything) and not _is_little(view) and bool(_narrowing(view))


def _narrowing(view: QueueView, *, walked: bool = True) -> list[sa.ColumnElement[bool]]:
    """What is checked row by row, besides what the walk goes along; without a walk all of it."""
    found: list[sa.ColumnElement[bool]] = []
    lead = _lead(view) if walked else None
    for name, column in _FILTERS.items():
        named, but = values(getattr(view, name))
        if named and name != lead:
            one = _one_of(_aside(column), named)
            found.append(~one if but else one)
    if view.urgency and not (walked and _level(view)):
        named, but = values(view.urgency)
        one = _one_of(Inquiry.urgency + 0, map(int, named))
        found.append(~one if but else one)
    if view.assigned == "-nobody":
        found.append(Inquiry.coordinator_id.is_not(None))
    elif view.assigned.startswith("-"):
        user_id = _ME if view.assigned == "-me" else int(view.assigned[1:])
        found += [
            sa.func.coalesce(Inquiry.coordinator_id, 0) != user_id,
            Inquiry.id.not_in(_given_to(user_id)),
        ]
    if view.has:
        found.append(Inquiry.file_count > 0 if view.has == "file" else Inquiry.file_count == 0)
    if view.answered:
        answered = Inquiry.first_answer_at.is_not(None)
        found.append(answered if view.answered == "yes" else ~answered)
    if view.lang:
        found.append(Inquiry.locale == view.lang)
    if view.institution:
        found.append(Inquiry.institution_name.in_(sa.bindparam("institutions", expanding=True)))
    for name, text, order in (("due", view.due, "due"), ("sent", view.sent, "new")):
        if view.order != order:
            found += _within(name, text)
    return found


def _conditions(view: QueueView) -> list[sa.ColumnElement[bool]]:
    """What belongs to the walk itself."""
    found: list[sa.ColumnElement[bool]] = []
    for name, text, order in (("due", view.due, "due"), ("sent", view.sent, "new")):
        if view.order == order:
            found += _within(name, text)
    if view.tag:
        found.append(Inquiry.id.in_(_tagged(view.tag)))
    if view.assigned == "nobody":
        found.append(Inquiry.coordinator_id.is_(None))
    elif view.assigned and not view.assigned.startswith("-"):
        user_id = _ME if view.assigned == "me" else int(view.assigned)
        if view.statuses is not None:
            found.append(sa.or_(Inquiry.coordinator_id == user_id, Inquiry.id.in_(_given_to(user_id))))
        else:
            mine = aliased(Inquiry)
            owned = sa.select(mine.id).where(mine.coordinator_id == user_id)
            found.append(Inquiry.id.in_(sa.union(owned, _given_to(user_id))))
    found += _unveiled(view)
    if view.late:
        found.append(Inquiry.due_at < _NOW)
    if view.unread:
        found.append(sa.and_(Inquiry.unread))
    if view.erasure:
        found.append(_to_erase())
    return found


def _unveiled(view: QueueView) -> list[sa.ColumnElement[bool]]:
    return [~blind.in_these(view.blind, _ME)] if view.blind else []


def _asking_blind(view: QueueView, actor: Actor) -> QueueView:
    """A view that finds nothing by name, institution or country of which its reader must not learn them."""
    telling = view.q or view.country or view.institution
    return view.but(blind=blind.departments(actor)) if telling else view


def _tagged(slug: str) -> sa.Select[Any]:
    """What bears a tag, or bore one that was renamed to it or joined with it."""
    named = sa.select(Tag.id).where(Tag.slug == slug)
    into = sa.select(Tag.merged_into_id).where(Tag.slug == slug, Tag.merged_into_id.is_not(None))
    return sa.select(InquiryTag.inquiry_id).where(InquiryTag.tag_id.in_(sa.union(named, into)))


def _found(view: QueueView, actor: Actor, after: str | None, size: int) -> Page[QueueRow]:
    """A page of a search, newest first: the index of words is walked, the filters are checked on what it brings."""
    key, back = from_cursor(after, length=1) if after else (None, False)
    if key is not None and type(key[0]) is not int:
        raise Invalid("after", "")
    start = int(key[0]) if key else None  # type: ignore[arg-type]
    limited = not departments_where(actor, Permission.SEE_ALL_INQUIRIES)
    narrow = view.to_args().keys() - {"q", "sort"}
    asked = _asked(view, actor, before=None if back else start, after=start if back else None)
    if asked is None:
        return Page([])
    asked |= _days(view, actor)
    if view.institution:
        asked["institutions"] = _institutions(view, actor, asked, back) or [""]
    anybody, engine = _roles_of(actor), db.session.get_bind().dialect.name
    # The statement is the same whatever the words are.
    rest = view.but(q="", institution="-" if view.institution else "")
    found: Sequence[Any] = ()
    looked, last, most = 0, None, None
    for most in (min(_GLANCED, SEARCHED), SEARCHED) if narrow and not limited else (None,):
        found = _ask(_found_page(engine, rest, anybody, back, size + 1, most), actor, **asked)
        if most is not None:
            *_row, looked, last = found[0]
            found = [row[:-2] for row in found if row.id is not None]
        if len(found) > size or most is None or looked < most:
            break
    more = len(found) > size
    rows = _with_people(found[:size], actor)
    # When few rows were left by the filters and the bound was reached, the search goes on behind it.
    onward = rows[-1].id if more else last if most is not None and looked >= most else None
    if back:
        rows.reverse()
    # Where nothing was found, the row at the cursor itself belongs to the page on the other side.
    older = (rows[-1].id if rows else (start or 0) + 1) if back else onward
    newer = onward if back else ((rows[0].id if rows else (start or 0) - 1) if after else None)
    return Page(
        rows=rows,
        older=to_cursor((older,)) if older is not None else None,
        newer=to_cursor((newer,), back=True) if newer is not None else None,
    )


def _asked(
    view: QueueView, actor: Actor, *, before: int | None = None, after: int | None = None
) -> dict[str, Any] | None:
    """What a search binds; ``None`` when no inquiry has these words."""
    return search.asked(
        "inquiry",
        f"{view.q} {view.institution}".strip(),
        department_ids=sorted(departments_where(actor, Permission.SEE_INQUIRIES)),
        before=before,
        after=after,
    )


def _hits(actor: Actor, most: int | None, *, back: bool) -> sa.CTE:
    seen = departments_where(actor, Permission.SEE_INQUIRIES)
    return search.hits("inquiry", department_ids=seen, most=most, ascending=back).cte("hits")


def _fitting(view: QueueView, actor: Actor) -> list[sa.ColumnElement[bool]]:
    """What is checked of each hit."""
    return [
        _visible(actor),
        _ordinary() if view.statuses is None else _one_of(Inquiry.status, view.statuses),
        *_conditions(view),
        *_narrowing(view, walked=False),
    ]


@lru_cache(maxsize=_KEPT)
def _found_page(
    _engine: str, view: QueueView, actor: Actor, back: bool, size: int, most: int | None
) -> sa.Select[Any]:
    """The rows of a search; with a bound, how many hits it looked at and the last of them stand behind each row.

    There is always a row to say so, without an id when nothing fits.
    """
    hits = _hits(actor, most, back=back)
    page = (
        sa.select(hits.c.object_id.label("id"))
        .join(Inquiry, Inquiry.id == hits.c.object_id)
        .where(*_fitting(view, actor))
        .order_by(hits.c.object_id.asc() if back else hits.c.object_id.desc())
        .limit(size)
        .subquery()
    )
    ids = _Ids(page, (page.c.id.asc() if back else page.c.id.desc(),))
    if most is None:
        return _rows_in_order(ids)
    end = sa.func.max(hits.c.object_id) if back else sa.func.min(hits.c.object_id)
    edge = sa.select(sa.func.count().label("looked"), end.label("last")).select_from(hits).subquery()
    return (
        sa.select(*_COLUMNS, edge.c.looked, edge.c.last)
        .select_from(edge)
        .outerjoin(page, sa.true())
        .outerjoin(Inquiry, Inquiry.id == page.c.id)
        .outerjoin(_Coordinator, _Coordinator.id == Inquiry.coordinator_id)
        .order_by(*ids.order)
    )


def _walked(
    view: QueueView, actor: Actor, key: Key | None, back: bool, size: int, bound: dict[str, Any]
) -> Page[QueueRow]:
    """A page that is filtered by what no index holds: so many rows of the walk are looked at, and it goes on behind."""
    anybody = _roles_of(actor)
    found: Sequence[Any] = ()
    looked, last, most = 0, None, 0
    for glance in (min(_GLANCED, WALKED), WALKED):
        most = max(size + 1, glance // _branches(view, anybody, key is not None))
        seen = _ask(_walked_page(view, anybody, key is not None, back, size + 1, most), actor, **bound)
        looked, last = (seen[0].looked, (seen[0].edge, seen[0].last)) if seen else (0, None)
        found = [row[:-3] for row in seen if row.id is not None]
        if len(found) > size or looked < most:
            break
    more = len(found) > size
    rows = _with_people(found[:size], actor)
    end = _key(view, rows[-1]) if more else _as_key(last) if last and looked >= most else None
    if back:
        rows.reverse()
    # Where nothing was found, the row at the cursor itself belongs to the page on the other side.
    beside: Key | None = None
    if key is not None:
        beside = (key[0], int(key[1] or 0) + (-1 if (view.order == "due") is back else 1))
    older = (_key(view, rows[-1]) if rows else beside) if back else end
    newer = end if back else ((_key(view, rows[0]) if rows else beside) if key else None)
    return Page(
        rows=rows,
        older=to_cursor(older) if older else None,
        newer=to_cursor(newer, back=True) if newer else None,
    )


def _as_key(last: tuple[Any, int]) -> Key:
    first, id = last
    return (first.isoformat() if isinstance(first, datetime) else first, id)


@lru_cache(maxsize=_KEPT)
def _branches(view: QueueView, actor: Actor, beyond: bool) -> int:
    return len(_starts(view, actor)) * (2 if beyond else 1) or 1


@lru_cache(maxsize=_KEPT)
def _walked_page(
    view: QueueView, actor: Actor, beyond: bool, back: bool, size: int, most: int
) -> sa.Select[Any]:
    """What fits among the next rows of a walk; behind each how many were looked at, and the key of the last of them.

    When nothing fits there is a row without an id; when the walk is at its end there is none.
    """
    walk = _walk(view, actor, beyond=beyond, back=back, size=most).source
    seen = sa.select(walk.c.first, walk.c.id).cte("seen")
    ascending = (view.order == "due") is not back

    def by(source: Any, forth: bool) -> list[Any]:
        return (
            [source.c.first.asc(), source.c.id.asc()]
            if forth
            else [source.c.first.desc(), source.c.id.desc()]
        )

    page = (
        sa.select(seen.c.first, seen.c.id)
        .join(Inquiry, Inquiry.id == seen.c.id)
        .where(*_narrowing(view))
        .order_by(*by(seen, ascending))
        .limit(size)
        .subquery()
    )
    end = sa.select(seen.c.first, seen.c.id).order_by(*by(seen, not ascending)).limit(1).subquery()
    looked = sa.select(sa.func.count()).select_from(seen).scalar_subquery()
    return (
        sa.select(*_COLUMNS, looked.label("looked"), end.c.first.label("edge"), end.c.id.label("last"))
        .select_from(end)
        .outerjoin(page, sa.true())
        .outerjoin(Inquiry, Inquiry.id == page.c.id)
        .outerjoin(_Coordinator, _Coordinator.id == Inquiry.coordinator_id)
        .order_by(*by(page, ascending))
    )


def _institutions(view: QueueView, actor: Actor, asked: dict[str, Any], back: bool) -> list[str]:
    """The institutions meant by words of their name, among the hits that a page looks at."""
    hits = search.hits(
        "inquiry",
        department_ids=departments_where(actor, Permission.SEE_INQUIRIES),
        most=SEARCHED,
        ascending=back,
    ).subquery()
    names = (
        sa.select(Inquiry.institution_name)
        .join(hits, hits.c.object_id == Inquiry.id)
        .where(_visible(actor, me=actor.user_id), *_unveiled(view))
        .distinct()
    )
    given = {name: asked[name] for name in ("words", "above", "below")}
    words = fold(view.institution).split()
    found = [name for (name,) in _ask(names, actor, **given)]
    return [name for name in found if all(word in fold(name) for word in words)]


@dataclass(frozen=True)
class Counted:
    """How many inquiries a view shows: at least so many when the counting stopped at its bound."""

    number: int
    more: bool


def count(views: Sequence[QueueView], *, seen_by: Actor) -> list[Counted]:
    """How many each view shows, with bounded work: in one query, and one more for each that searches for words."""
    by_day = any(view.due not in {"", "overdue"} or view.sent for view in views)
    zone = _zone(seen_by) if by_day else None
    days = [_days(view, seen_by, zone) for view in views]
    asked = [_asking_blind(view, seen_by) for view in views]
    branches, bounds = [], []
    for place, (view, given) in enumerate(zip(asked, days, strict=True)):
        branch, bound = _count(place, view, seen_by, given)
        bounds.append(bound)
        if branch is not None:
            branches.append(branch)
    rows = {row[0]: row for row in _ask(sa.union_all(*branches), seen_by)} if branches else {}
    found: list[Counted] = []
    for place, (view, given, bound) in enumerate(zip(asked, days, bounds, strict=True)):
        if place in rows:
            _place, number, looked = rows[place]
            found.append(Counted(number, number >= COUNTED or looked >= bound))
        elif view.q or view.institution:
            found.append(_count_found(view, seen_by, given))
        else:
            found.append(Counted(0, more=False))
    return found


def _count_found(view: QueueView, actor: Actor, given: dict[str, Any]) -> Counted:
    """How many of the newest hits of a search fit."""
    asked = _asked(view, actor)
    if asked is None:
        return Counted(0, more=False)
    if view.institution:
        given = given | {"institutions": _institutions(view, actor, asked, False) or [""]}
    rest = view.but(q="", institution="-" if view.institution else "")
    statement = _found_count(db.session.get_bind().dialect.name, rest, _roles_of(actor), WALKED)
    ((number, looked),) = _ask(statement, actor, **asked, **given)
    return Counted(number, looked >= WALKED)


@lru_cache(maxsize=_KEPT)
def _found_count(_engine: str, view: QueueView, actor: Actor, most: int) -> sa.Select[Any]:
    hits = _hits(actor, most, back=False)
    fits = sa.select(hits.c.object_id).join(Inquiry, Inquiry.id == hits.c.object_id)
    return sa.select(
        sa.select(sa.func.count())
        .select_from(fits.where(*_fitting(view, actor)).subquery())
        .scalar_subquery(),
        sa.select(sa.func.count()).select_from(hits).scalar_subquery(),
    )


def _count(
    place: int, view: QueueView, seen_by: Actor, given: dict[str, Any]
) -> tuple[sa.Select[Any] | None, int]:
    """A row of the view's place, how many fit, how many were looked at; and how many are at most."""
    actor = _roles_of(seen_by)
    if view.q or view.institution or not departments_where(actor, Permission.SEE_INQUIRIES):
        return None, 0
    if _rest(view, actor):
        bound = max(1, WALKED // _branches(view, actor, False))
        walk = _walk(view, actor, beyond=False, back=False, size=bound).source
        seen = sa.select(walk.c.id).cte(f"seen_{place}")
        fits = sa.select(seen.c.id).join(Inquiry, Inquiry.id == seen.c.id).where(*_narrowing(view))
    else:
        walk = _walk(view, actor, beyond=False, back=False, size=COUNTED).source
        return _filled(sa.select(sa.literal(place), _bounded(sa.select(walk.c.id)), sa.literal(0)), given), 1
    looked = sa.select(sa.func.count()).select_from(seen).scalar_subquery()
    return _filled(sa.select(sa.literal(place), _bounded(fits), looked), given), bound


def _filled(statement: Any, given: dict[str, Any]) -> sa.Select[Any]:
    """A statement with its values put in, so that it can stand beside another one with the same names."""

    def put(element: Any, **_more: Any) -> Any:
        if isinstance(element, sa.BindParameter) and element.key in given:
            plainly = element.literal_execute
            return sa.bindparam(
                None, given[element.key], type_=element.type, unique=True, literal_execute=plainly
            )
        return None

    filled: Any = visitors.replacement_traverse(statement, {}, put)
    return filled  # type: ignore[no-any-return]


def institutions(typed: str, *, seen_by: Actor, most: int = 8) -> list[str]:
    """Institutions with these words in their name, among the newest inquiries this person may see."""
    view = _asking_blind(QueueView(institution=typed), seen_by)
    departments = sorted(departments_where(seen_by, Permission.SEE_INQUIRIES))
    asked = search.asked("inquiry", typed, department_ids=departments)
    return sorted(_institutions(view, seen_by, asked, False))[:most] if asked else []


def _rows_in_order(ids: _Ids) -> sa.Select[Any]:
    return (
        sa.select(*_COLUMNS)
        .join(ids.source, ids.source.c.id == Inquiry.id)
        .outerjoin(_Coordinator, _Coordinator.id == Inquiry.coordinator_id)
        .order_by(*ids.order)
    )


#: Where an open assignment waits for its answer.
_ASKING = frozenset((Status.IN_REVIEW, Status.NEEDS_INFO))
_ASKED_PEOPLE = (
    sa.select(
        Assignment.inquiry_id, User.name, sa.literal(False).label("is_tag"), Assignment.id.label("first")
    )
    .join(User, User.id == Assignment.user_id)
    .where(
        Assignment.inquiry_id.in_(sa.bindparam("asking", expanding=True)),
        Assignment.released_at.is_(None),
        Assignment.answered_at.is_(None),
    )
)
_ON_THEM = (
    sa.select(InquiryTag.inquiry_id, Tag.name, sa.literal(True), Tag.id)
    .join(Tag, Tag.id == InquiryTag.tag_id)
    .where(InquiryTag.inquiry_id.in_(sa.bindparam("ids", expanding=True)))
)
_BESIDE = sa.union_all(_ASKED_PEOPLE, _ON_THEM)


def _rows(statement: sa.Executable, actor: Actor, **values: Any) -> list[QueueRow]:
    """The rows of a statement, in its order."""
    return _with_people(_ask(statement, actor, **values), actor)


def _with_people(found: Sequence[Any], actor: Actor) -> list[QueueRow]:
    """Rows of ``_COLUMNS``, the people who are asked and the tags: one query for all of them."""
    if not found:
        return []
    plain = [QueueRow(*row) for row in found]
    people: dict[int, tuple[str, ...]] = defaultdict(tuple)
    tags: dict[int, tuple[str, ...]] = defaultdict(tuple)
    asking = [row.id for row in plain if row.status in _ASKING]
    beside = _ask(_BESIDE, actor, ids=[row.id for row in plain], asking=asking)
    for inquiry_id, name, is_tag, _first in sorted(beside, key=lambda one: one.first):
        (tags if is_tag else people)[inquiry_id] += (name,)
    rows = [QueueRow._make((*row[:-2], people[row.id], tags[row.id])) for row in plain]
    hidden = blind.among([row.id for row in rows], actor)
    return [row.covered() if row.id in hidden else row for row in rows] if hidden else rows


def _rows_of(ids: Collection[int], actor: Actor) -> list[QueueRow]:
    return _rows(_ROWS_OF, actor, wanted=sorted(ids)) if ids else []


def _rows_of_ids() -> sa.Select[Any]:
    wanted = sa.select(Inquiry.id).where(Inquiry.id.in_(sa.bindparam("wanted", expanding=True))).subquery()
    return _rows_in_order(_Ids(wanted, (wanted.c.id.desc(),)))


_ROWS_OF = _rows_of_ids()


def chosen(references: Sequence[str], *, seen_by: Actor) -> list[QueueRow]:
    """The rows of some references, in their order, as far as this person may see them."""
    ids = db.session.scalars(sa.select(Inquiry.id).where(Inquiry.reference.in_(references), visible(seen_by)))
    rows = {row.reference: row for row in _rows_of(set(ids), seen_by)}
    return [rows[reference] for reference in references if reference in rows]


@dataclass(frozen=True)
class Neighbours:
    """The references before and after an inquiry in a view."""

    previous: str | None
    next: str | None


def neighbours(view: QueueView, inquiry: Inquiry, *, seen_by: Actor) -> Neighbours:
    """What comes before and after in the queue, for walking through it. Two short walks, however long the queue."""
    view = _asking_blind(view, seen_by)
    if view.q or view.institution:
        return _neighbours_found(view, inquiry, seen_by)
    if view.order == "due" and inquiry.due_at is None:
        return Neighbours(None, None)
    bound = {**_bound(view, _key(view, inquiry)), **_days(view, seen_by)}
    if _rest(view, seen_by):
        before, behind = (
            _walked(view, seen_by, _key(view, inquiry), back, 1, bound).rows for back in (True, False)
        )
        return Neighbours(before[0].reference if before else None, behind[0].reference if behind else None)
    statement = _both_sides(view, _roles_of(seen_by))
    found: dict[str, str] = dict(_ask(statement, seen_by, **bound))
    return Neighbours(found.get("previous"), found.get("next"))


@lru_cache(maxsize=_KEPT)
def _both_sides(view: QueueView, actor: Actor) -> sa.CompoundSelect[Any]:
    sides = []
    for name, back in (("previous", True), ("next", False)):
        one = _walk(view, actor, beyond=True, back=back, size=1).source
        sides.append(
            sa.select(sa.literal(name).label("side"), Inquiry.reference).join(one, one.c.id == Inquiry.id)
        )
    return sa.union_all(*sides)


def _neighbours_found(view: QueueView, inquiry: Inquiry, actor: Actor) -> Neighbours:
    before = _found(view, actor, to_cursor((inquiry.id,), back=True), 1).rows
    behind = _found(view, actor, to_cursor((inquiry.id,)), 1).rows
    return Neighbours(before[0].reference if before else None, behind[0].reference if behind else None)


# -- the piles -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piles:
    """How much there is of what: kept counts by status, and bounded counts of what is late, unread or waits for me."""

    by_status: dict[Status, int]
    mine: int
    late: int
    unread: int
    erasure: int
    to_declare: int = 0

    def of(self, *statuses: Status) -> int:
        """How many stand at one of these statuses."""
        return sum(self.by_status.get(status, 0) for status in statuses)

    @property
    def anything(self) -> bool:
        """Whether there is any inquiry at all."""
        return any(self.by_status.values())


def piles(actor: Actor) -> Piles:
    """The counts beside every staff page: one query, whatever there is.

    Who sees all of a department gets the kept counts; others get those of what they were given.
    """
    if not departments_where(actor, Permission.SEE_INQUIRIES):
        return Piles({}, 0, 0, 0, 0)
    found: dict[str, int] = defaultdict(int)
    for name, number in _ask(_counts(_roles_of(actor)), actor):
        found[name] += int(number)
    return Piles(
        by_status={status: found[status] for status in Status if status in found},
        mine=found["to answer"] + found["to declare"] + found["to decide"] + found["news"],
        late=found["late"],
        unread=found["unread"],
        erasure=found.get("erasure", 0),
        to_declare=found["to declare"],
    )


@lru_cache(maxsize=_KEPT)
def _counts(actor: Actor) -> sa.CompoundSelect[Any]:
    everything = departments_where(actor, Permission.SEE_ALL_INQUIRIES)
    if everything:
        counted = (
            sa.select(
                sa.cast(InquiryCount.status, sa.String).label("name"),
                sa.func.sum(InquiryCount.count).label("n"),
            )
            .where(_one_of(InquiryCount.department_id, everything))
            .group_by(InquiryCount.status)
        )
    else:
        counted = (
            sa.select(sa.cast(Inquiry.status, sa.String).label("name"), sa.func.count().label("n"))
            .where(_visible(actor))
            .group_by(Inquiry.status)
        )
    lists = {
        "to answer": _to_answer(actor),
        "to declare": _to_declare(actor),
        "to decide": _to_decide(actor),
        "news": _news(actor),
        "late": sa.select(Inquiry.id).where(_overdue(), _visible(actor, steer=True)),
        "unread": sa.select(Inquiry.id).where(sa.and_(Inquiry.unread), _ordinary(), _visible(actor)),
    }
    if everything:
        lists["erasure"] = sa.select(Inquiry.id).where(_to_erase(), _visible(actor, steer=True))
    bounded = [sa.select(sa.literal(name), _bounded(statement)) for name, statement in lists.items()]
    if everything:
        bounded.append(_closed_to_me(everything))
    return sa.union_all(counted, *bounded)


def _closed_to_me(departments: Iterable[int]) -> Any:
    """What the kept counts hold too much for a person with conflicts of interest, by status and below zero."""
    return (
        sa.select(sa.cast(Inquiry.status, sa.String), -sa.func.count())
        .join(Conflict, Conflict.inquiry_id == Inquiry.id)
        .where(Conflict.user_id == _ME, _one_of(Inquiry.department_id + 0, departments))
        .group_by(Inquiry.status)
    )


def _bounded(statement: sa.Select[Any]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(statement.limit(COUNTED).subquery()).scalar_subquery()


def _to_erase() -> sa.ColumnElement[bool]:
    """The partner asked for erasure, and it was not done yet; written so that the index of the few is used."""
    return sa.and_(
        Inquiry.erasure_requested_at > datetime(2000, 1, 1, tzinfo=UTC), Inquiry.anonymised_at.is_(None)
    )


def _overdue() -> sa.ColumnElement[bool]:
    return sa.and_(_one_of(Inquiry.status, OURS), Inquiry.due_at < _NOW)


# -- what waits for me -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToDeclare:
    """An inquiry somebody is asked about, of which he sees nothing before he has declared his interests."""

    reference: str
    department_id: int
    track: Track
    area: str
    kind: AssignmentKind
    due_on: date


@dataclass(frozen=True)
class Waiting:
    """What one person should look at, each list bounded and the most pressing first.

    :param named: the notes that name this person and are unread; ``mentions.unread`` reads those that may be shown.
    :param away: departments where somebody is away about now; ``deputies.deputising`` says who stands in.
    """

    to_answer: list[tuple[Assignment, QueueRow]]
    to_decide: list[QueueRow]
    news: list[QueueRow]
    to_finish: list[QueueRow]
    unconfirmed: list[QueueRow]
    erasure: list[QueueRow]
    late: list[QueueRow]
    to_declare: list[ToDeclare]
    named: list[int]
    away: list[int]

    @property
    def anything(self) -> bool:
        """Whether anything waits for this very person."""
        return bool(
            self.to_answer or self.to_declare or self.to_decide or self.news or self.to_finish or self.erasure
        )


#: The number of the list of notes among the lists of inquiries.
_NAMED = 9
#: And that of the departments where somebody is away.
_AWAY = 10


def waits_for_me(actor: Actor, *, most: int = 10, to_declare: int | None = None) -> Waiting:
    """What waits for this person, in a fixed number of queries.

    :param to_declare: how often a declaration of interests is owed, where it was counted: none, none is looked for.
    """
    assignments = list(
        db.session.scalars(_unanswered_by(_roles_of(actor), most), {"me": actor.user_id, "now": clock.now()})
    )
    found: dict[int, list[int]] = {number: [] for number in (*range(6), _NAMED, _AWAY)}
    today = clock.now().date()
    around = {"yesterday": today - timedelta(days=1), "tomorrow": today + timedelta(days=1)}
    for number, id in _ask(_lists(_roles_of(actor), most), actor, **around):
        found[number].append(id)
    named, away = found.pop(_NAMED), found.pop(_AWAY)
    ids = [assignment.inquiry_id for assignment in assignments]
    rows = {row.id: row for row in _rows_of({*ids, *itertools.chain.from_iterable(found.values())}, actor)}

    def of(number: int) -> list[QueueRow]:
        return [rows[id] for id in found[number] if id in rows]

    return Waiting(
        to_answer=[(assignment, rows[assignment.inquiry_id]) for assignment in assignments],
        to_decide=sorted(of(0), key=lambda row: (row.due_at is None, row.due_at, row.id)),
        news=sorted(of(1), key=lambda row: (-row.urgency, -row.id)),
        late=sorted(of(2), key=lambda row: (row.due_at, row.id)),
        to_finish=of(3),
        unconfirmed=sorted(of(4), key=lambda row: -row.id),
        erasure=of(5),
        to_declare=[] if to_declare == 0 else _asked_to_declare(actor, most),
        named=named,
        away=away,
    )


def _asked_to_declare(actor: Actor, most: int) -> list[ToDeclare]:
    roles = {role for _department, role in actor.memberships}
    if not roles & {Role.HOST, Role.REVIEWER}:
        return []
    statement = (
        _to_declare(_roles_of(actor))
        .with_only_columns(
            Inquiry.reference,
            Inquiry.department_id,
            Inquiry.track,
            Inquiry.area,
            Assignment.kind,
            Assignment.due_on,
        )
        .order_by(Assignment.due_on, Assignment.id)
        .limit(most)
    )
    return [ToDeclare(*row) for row in _ask(statement, actor)]


def _to_declare(actor: Actor) -> sa.Select[Any]:
    """What was given to a person who has not declared his interests in it yet."""
    declared = sa.exists(
        sa.select(sa.literal(1)).where(
            Declaration.inquiry_id == Assignment.inquiry_id, Declaration.user_id == Assignment.user_id
        )
    )
    return (
        sa.select(Assignment.id)
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(
            *_unanswered(),
            _one_of(Inquiry.department_id + 0, departments_where(actor, Permission.SEE_INQUIRIES)),
            ~declared,
            ~_conflicted(_ME),
        )
    )


@lru_cache(maxsize=_KEPT)
def _unanswered_by(actor: Actor, most: int) -> sa.Select[Assignment]:
    return (
        sa.select(Assignment)
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(*_unanswered(), _visible(actor), Assignment.inquiry_id.in_(_opened_to(_ME)))
        .order_by(Assignment.due_on, Assignment.id)
        .limit(most)
    )


@lru_cache(maxsize=_KEPT)
def _lists(actor: Actor, most: int) -> sa.CompoundSelect[Any]:
    """The ids of all lists but the first, each with its list's number."""
    triage = departments_where(actor, Permission.TRIAGE)
    lists: list[sa.Select[Any]] = [
        _to_decide(actor).order_by(Inquiry.due_at, Inquiry.id).limit(most),
        _news(actor).order_by(Inquiry.urgency.desc(), Inquiry.id.desc()).limit(most),
        sa.select(Inquiry.id)
        .where(_overdue(), _visible(actor, steer=True))
        .order_by(Inquiry.due_at, Inquiry.id)
        .limit(most),
    ]
    if triage:
        in_triage = _one_of(Inquiry.department_id, triage)
        lists += [
            _all_answered(actor).where(in_triage).order_by(Inquiry.due_at, Inquiry.id).limit(most),
            sa.select(Inquiry.id)
            .where(in_triage, Inquiry.status == Status.UNCONFIRMED, _visible(actor))
            .order_by(Inquiry.id.desc())
            .limit(most),
            sa.select(Inquiry.id)
            .where(_one_of(Inquiry.department_id + 0, triage), _to_erase(), _visible(actor, steer=True))
            .order_by(Inquiry.erasure_requested_at)
            .limit(most),
        ]
    named = (
        sa.select(Mention.note_id.label("id"))
        .where(Mention.user_id == _ME, Mention.read_at.is_(None))
        .order_by(Mention.note_id.desc())
        .limit(most)
    )
    # Which day it is, is for the department's place to say; a day more on either side asks rather too often.
    away = (
        sa.select(Absence.department_id.label("id"))
        .where(
            _one_of(Absence.department_id, departments_where(actor, Permission.SEE_INQUIRIES)),
            Absence.last_day >= sa.bindparam("yesterday", type_=sa.Date),
            Absence.first_day <= sa.bindparam("tomorrow", type_=sa.Date),
            sa.not_(Absence.taken_back),
        )
        .distinct()
    )
    return sa.union_all(
        *(
            sa.select(sa.literal(number).label("list"), one.subquery().c.id)
            for number, one in (*enumerate(lists), (_NAMED, named), (_AWAY, away))
        )
    )


def _unanswered() -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Assignment.user_id == _ME,
        Assignment.released_at.is_(None),
        Assignment.answered_at.is_(None),
        _one_of(Inquiry.status, (Status.IN_REVIEW, Status.NEEDS_INFO)),
    )


def _to_answer(actor: Actor) -> sa.Select[Any]:
    return (
        sa.select(Assignment.id)
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(*_unanswered(), _visible(actor), Assignment.inquiry_id.in_(_opened_to(_ME)))
    )


def _to_decide(actor: Actor) -> sa.Select[Any]:
    """Ready to decide, for a head who neither hosts nor reviewed it."""
    return sa.select(Inquiry.id).where(
        _one_of(Inquiry.department_id, departments_where(actor, Permission.DECIDE)),
        Inquiry.status == Status.DECISION_READY,
        _visible(actor),
        ~parts.bars_from_deciding(_ME),
    )


def _news(actor: Actor) -> sa.Select[Any]:
    """What the partners of one's own inquiries sent, and new ones that nobody has taken."""
    new = sa.and_(Inquiry.coordinator_id.is_(None), Inquiry.status == Status.RECEIVED)
    return sa.select(Inquiry.id).where(
        _one_of(Inquiry.department_id, departments_where(actor, Permission.TRIAGE)),
        sa.and_(Inquiry.unread),
        _ordinary(),
        sa.or_(Inquiry.coordinator_id == _ME, new),
        _visible(actor),
    )


def _all_answered(actor: Actor) -> sa.Select[Any]:
    """With the department, the host has answered, and nobody is asked any more: the coordinator goes on."""
    asked = sa.select(sa.literal(1)).where(
        Assignment.inquiry_id == Inquiry.id, Assignment.released_at.is_(None)
    )
    return sa.select(Inquiry.id).where(
        Inquiry.status == Status.IN_REVIEW,
        _visible(actor),
        ~sa.exists(asked.where(Assignment.answered_at.is_(None))),
        sa.exists(asked.where(Assignment.kind == AssignmentKind.HOST)),
    )


# -- one inquiry -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """One entry of an inquiry's thread, in the order of time.

    :param kind: ``in`` (from the partner), ``out`` (letter to the partner), ``memo`` (staff only) or ``event``.
    :param joined: the reference of the inquiry it came with, when that was joined with this one.
    """

    kind: str
    at: datetime
    who: str
    message: Message | None = None
    note: Note | None = None
    event: InquiryEvent | None = None
    files: tuple[StoredFile, ...] = ()
    joined: str = ""


@dataclass(frozen=True)
class Thread:
    """All that was said and happened, the files of the inquiry itself, and what was merged into it."""

    entries: list[Entry]
    files: list[StoredFile]
    merged: list[Inquiry]


#: Told by the letter or note that stands beside them.
_TOLD_OTHERWISE = frozenset({Kind.NOTE, Kind.LETTER})


def thread(inquiry: Inquiry) -> Thread:
    """Letters, notes and history merged in time order, with their files; a fixed number of queries."""
    events, messages, notes = _said_about(inquiry)
    merged = _merged_here(inquiry, events)
    ids = [inquiry.id, *(one.id for one in merged)]
    joined = {one.id: one.reference for one in merged}
    attached = _files_of({"inquiry": ids, "message": [message.id for message in messages]})
    entries = [
        *(
            Entry("event", event.at, event.actor_name, event=event, joined=joined.get(event.inquiry_id, ""))
            for event in events
            if event.kind not in _TOLD_OTHERWISE
        ),
        *(
            Entry(
                "in" if message.from_partner else "out",
                message.at,
                message.author_name,
                message=message,
                files=tuple(attached["message", message.id]),
                joined=joined.get(message.inquiry_id, ""),
            )
            for message in messages
        ),
        *(
            Entry("memo", note.at, note.author_name, note=note, joined=joined.get(note.inquiry_id, ""))
            for note in notes
        ),
    ]
    entries.sort(key=lambda entry: entry.at)
    return Thread(entries, [file for id in ids for file in attached["inquiry", id]], merged)


def _said_about(inquiry: Inquiry) -> tuple[list[InquiryEvent], list[Message], list[Note]]:
    """Everything that happened and was written here and at what was merged into it, in one query.

    The three lists are joined to nothing of each other: each row holds one event, one letter or one note.
    """
    here = [inquiry.id]
    joined = sa.select(Inquiry.id).where(Inquiry.merged_into_id == inquiry.id)

    def part(model: Any) -> Any:
        about = sa.or_(model.inquiry_id.in_(here), model.inquiry_id.in_(joined))
        return aliased(model, sa.select(model).where(about).subquery())

    event, message, note = part(InquiryEvent), part(Message), part(Note)
    rows = db.session.execute(
        sa.select(event, message, note)
        .select_from(event)
        .join(message, sa.false(), full=True)
        .join(note, sa.false(), full=True)
    ).all()

    def of(place: int) -> list[Any]:
        return sorted((row[place] for row in rows if row[place] is not None), key=lambda one: one.id)

    return of(0), of(1), of(2)


def _files_of(owners: dict[str, list[int]]) -> dict[tuple[str, int], list[StoredFile]]:
    """The files of things of several kinds, in one query."""
    found: dict[tuple[str, int], list[StoredFile]] = defaultdict(list)
    theirs = (
        sa.and_(StoredFile.owner_kind == kind, StoredFile.owner_id.in_(ids)) for kind, ids in owners.items()
    )
    for file in db.session.scalars(
        sa.select(StoredFile)
        .where(StoredFile.state == FileState.ATTACHED, sa.or_(*theirs))
        .order_by(StoredFile.id)
    ):
        found[file.owner_kind or "", file.owner_id or 0].append(file)
    return found


#: What offices clear or block, and who declared what, is not for hosts and reviewers.
_FOR_THOSE_WHO_SEE_ALL = frozenset({Kind.GATE, Kind.GATES_OPENED, Kind.DECLARED})


def readable(entries: Iterable[Entry], inquiry: Inquiry, *, seen_by: Actor) -> list[Entry]:
    """Of a thread's entries those this person may read."""
    if inquiry.department_id in departments_where(seen_by, Permission.SEE_ALL_INQUIRIES):
        return list(entries)
    return [one for one in entries if one.event is None or one.event.kind not in _FOR_THOSE_WHO_SEE_ALL]


def happened_since(inquiry: Inquiry, moment: datetime | None, *, seen_by: Actor) -> list[Entry]:
    """What was said and done since somebody opened a page; without a moment, the last three things."""
    entries = readable(thread(inquiry).entries, inquiry, seen_by=seen_by)
    since = [one for one in entries if moment is not None and one.at > moment]
    return since or entries[-3:]


def _merged_here(inquiry: Inquiry, events: Iterable[InquiryEvent]) -> list[Inquiry]:
    if not any(event.kind == Kind.MERGED_HERE for event in events):
        return []
    return list(
        db.session.scalars(
            sa.select(Inquiry).where(Inquiry.merged_into_id == inquiry.id).order_by(Inquiry.id)
        )
    )


def file_of(inquiry: Inquiry, file_id: int) -> StoredFile:
    """A file that came with the inquiry, with one of its letters, or with one that was merged into it.

    :raises NotFound: any other file.
    """
    file = files.by_id(file_id, department_ids=[inquiry.department_id])
    owner = file.owner_id
    if file.owner_kind == "message":
        owner = db.session.scalar(sa.select(Message.inquiry_id).where(Message.id == file.owner_id))
    elif file.owner_kind != "inquiry":
        raise NotFound
    if owner == inquiry.id:
        return file
    merged = db.session.get(Inquiry, owner) if owner is not None else None
    if merged is None or merged.merged_into_id != inquiry.id:
        raise NotFound
    return file


@dataclass(frozen=True)
class Candidate:
    """Somebody an inquiry can be given to, with how much is waiting there already."""

    user: User
    waiting: int


def people_for(inquiry: Inquiry, role: Role) -> list[Candidate]:
    """Who holds a role, has declared no conflict, and how many unanswered assignments each has; least loaded first."""
    load = (
        sa.select(sa.func.count())
        .select_from(Assignment)
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(
            Assignment.user_id == User.id,
            Assignment.released_at.is_(None),
            Assignment.answered_at.is_(None),
            Inquiry.status.in_((Status.IN_REVIEW, Status.NEEDS_INFO)),
        )
        .correlate(User)
        .scalar_subquery()
    )
    rows = db.session.execute(
        sa.select(User, load)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.department_id == inquiry.department_id,
            Membership.role == role,
            User.disabled_at.is_(None),
            User.id.not_in(sa.select(Conflict.user_id).where(Conflict.inquiry_id == inquiry.id)),
        )
        .options(selectinload(User.memberships))
        .order_by(load, User.name, User.id)
    ).unique()
    return [Candidate(user, waiting) for user, waiting in rows]


def references(ids: Iterable[int | None], *, seen_by: Actor) -> dict[int, str]:
    """The references of inquiries, those only that this person may see."""
    wanted = sorted({id for id in ids if id is not None})
    if not wanted:
        return {}
    rows = db.session.execute(
        sa.select(Inquiry.id, Inquiry.reference).where(Inquiry.id.in_(wanted), visible(seen_by))
    )
    return {id: reference for id, reference in rows}  # noqa: C416


def taken_back_mails(inquiry_id: int) -> set[int]:
    """The ids of an inquiry's mails whose letter was taken back: these must never go out."""
    gone = set(
        db.session.scalars(
            sa.select(Message.id).where(Message.inquiry_id == inquiry_id, Message.taken_back_at.is_not(None))
        )
    )
    events = db.session.scalars(sa.select(InquiryEvent).where(InquiryEvent.inquiry_id == inquiry_id))
    return {event.data["mail"] for event in events if event.data and event.data.get("message") in gone}


def original_of(inquiry: Inquiry) -> str | None:
    """The reference of the inquiry this one was merged into, if it was."""
    if inquiry.merged_into_id is None:
        return None
    return db.session.scalar(sa.select(Inquiry.reference).where(Inquiry.id == inquiry.merged_into_id))


def all_closed_to(actor: Actor) -> set[int]:
    """Every inquiry that is closed to this person by a conflict of interest; few at any time."""
    if actor.user_id is None:
        return set()
    return set(db.session.scalars(sa.select(Conflict.inquiry_id).where(Conflict.user_id == actor.user_id)))


def closed_to(actor: Actor, ids: Iterable[int | None]) -> set[int]:
    """Which of some inquiries are closed to this person by a declared conflict of interest."""
    wanted = sorted({id for id in ids if id is not None})
    if not wanted:
        return set()
    return set(
        db.session.scalars(
            sa.select(Conflict.inquiry_id).where(
                Conflict.user_id == actor.user_id, Conflict.inquiry_id.in_(wanted)
            )
        )
    )


def any_closed_to(actor: Actor, department_id: int) -> bool:
    """Whether anything of a department is closed to this person by a conflict of interest."""
    return bool(
        db.session.scalar(
            sa.select(sa.literal(1))
            .select_from(Conflict)
            .join(Inquiry, Inquiry.id == Conflict.inquiry_id)
            .where(Conflict.user_id == actor.user_id, Inquiry.department_id == department_id)
            .limit(1)
        )
    )


def never_named_to(actor: Actor) -> set[int]:
    """Every inquiry of which this person must read nothing that says whose it is: closed, or read blind."""
    return all_closed_to(actor) | blind.all_of(actor)
