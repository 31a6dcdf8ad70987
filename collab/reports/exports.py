"""The list of inquiries as a table to take away: exactly those this person may see, read piece by piece.

What the rows need is found before the first is read: they are read when the answer is under way, and by then the
session in which the page was asked for is closed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased

from collab.accounts import User
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, departments_where
from collab.core.db import db
from collab.departments import all_departments
from collab.departments.tracks import Track
from collab.inquiries import queries
from collab.inquiries.models import Inquiry
from collab.inquiries.queries import QueueView
from collab.inquiries.reasons import LABELS as REASON_LABELS
from collab.inquiries.statuses import STAFF_LABELS
from collab.reports.facts import UNCOUNTED
from collab.reports.report import country_name, language_name, track_name
from collab.reports.sums import Month, Scope
from collab.reports.tables import Column

#: How many inquiries are read at a time.
PIECE = 2_000
#: And when it is only asked whether there is any.
_FEW = 50

_coordinator = aliased(User)
#: Codes and moments are taken as the database has them: there are very many, and ``_Words`` knows what they mean.
_COLUMNS: tuple[Any, ...] = (
    Inquiry.id,
    Inquiry.department_id,
    Inquiry.reference,
    sa.type_coerce(Inquiry.status, sa.String),
    sa.type_coerce(Inquiry.track, sa.String),
    Inquiry.area,
    Inquiry.title,
    Inquiry.full_name,
    Inquiry.email,
    Inquiry.institution_name,
    Inquiry.country,
    Inquiry.locale,
    *(
        sa.type_coerce(moment, sa.DateTime)
        for moment in (
            Inquiry.confirmed_at,
            Inquiry.first_answer_due,
            Inquiry.first_answer_at,
            Inquiry.due_at,
            Inquiry.closed_at,
        )
    ),
    sa.type_coerce(Inquiry.reason, sa.String),
    _coordinator.name.label("coordinator"),
    Inquiry.file_count,
    Inquiry.source_page,
)


def columns() -> list[Column]:
    """The headers, in the reader's language."""
    return [
        Column(_("Reference"), 14),
        Column(_("Status"), 18),
        Column(_("Track"), 14),
        Column(_("Area"), 24),
        Column(_("Title"), 48),
        Column(_("Full name"), 24),
        Column(_("E-mail"), 28),
        Column(_("Institution"), 32),
        Column(_("Country code"), 8),
        Column(_("Country or region"), 20),
        Column(_("Language"), 10),
        Column(_("Received"), 16),
        Column(_("First answer due"), 16),
        Column(_("First answer"), 16),
        Column(_("Next step due"), 16),
        Column(_("Closed"), 16),
        Column(_("Reason"), 24),
        Column(_("Coordinator"), 20),
        Column(_("Files"), 6),
        Column(_("Page"), 20),
    ]


def of_period(scope: Scope, *, seen_by: Actor, lang: str) -> Iterator[tuple[Any, ...]]:
    """The inquiries a report speaks of, in the order in which they came."""
    zone = ZoneInfo(scope.department.timezone)
    conditions: list[sa.ColumnElement[bool]] = [
        queries.visible_by_name(seen_by, steer=True),
        (Inquiry.department_id + 0) == scope.department.id,  # walked by id, not sorted for each piece anew
        Inquiry.status.not_in(sorted(UNCOUNTED)),
        Inquiry.confirmed_at >= _begin(scope.first, zone),
        Inquiry.confirmed_at < _begin(scope.last.plus(1), zone),
        *scope.narrowed(Inquiry),
    ]
    return _walked(_select().where(*conditions).order_by(Inquiry.id).limit(PIECE), _Words(lang))


def _walked(statement: sa.Select[Any], words: "_Words") -> Iterator[tuple[Any, ...]]:
    last = 0
    while True:
        found = db.session.connection().execute(statement.where(Inquiry.id > last)).all()
        for row in found:
            yield words.cells(row)
        if len(found) < PIECE:
            return
        last = found[-1].id


def of_view(view: QueueView, *, seen_by: Actor, lang: str) -> Iterator[tuple[Any, ...]]:
    """The inquiries a view of the queue shows by name, in its order, from its first page to its last."""
    words = _Words(lang)
    return (words.cells(row) for row in _paged(view, seen_by, PIECE))


def _paged(view: QueueView, seen_by: Actor, size: int) -> Iterator[Any]:
    after = None
    while True:
        page = queries.queue(view, seen_by=seen_by, after=after, size=size)
        yield from _named([row.id for row in page.rows], seen_by)
        if page.older is None:
            return
        after = page.older


def of_ids(ids: Sequence[int], *, seen_by: Actor, lang: str) -> Iterator[tuple[Any, ...]]:
    """Some inquiries, in the order given, as far as this person may see whose they are."""
    words = _Words(lang)
    return (words.cells(row) for row in _named(ids, seen_by))


def _named(ids: Sequence[int], seen_by: Actor) -> Iterator[Any]:
    mine = queries.visible_by_name(seen_by)
    rows = db.session.connection().execute(_select().where(Inquiry.id.in_(ids), mine))
    found = {row.id: row for row in rows}
    return (found[id] for id in ids if id in found)


# -- whose rows a table has -------------------------------------------------------------------------------------------


def departments_of_view(view: QueueView, *, seen_by: Actor) -> list[int]:
    """The departments whose inquiries ``of_view`` gives; where there may be several, each is asked for its first."""
    every = sorted(departments_where(seen_by, Permission.SEE_INQUIRIES))
    if len(every) == 1:
        return every
    return [id for id in every if next(_paged(view, _only_in(id, seen_by), _FEW), None) is not None]


def departments_of_ids(ids: Sequence[int], *, seen_by: Actor) -> list[int]:
    """The departments whose inquiries ``of_ids`` gives."""
    return sorted({row.department_id for row in _named(ids, seen_by)})


def _only_in(department_id: int, actor: Actor) -> Actor:
    """A person with the roles of one department alone."""
    return replace(actor, memberships=frozenset(one for one in actor.memberships if one[0] == department_id))


def _select() -> sa.Select[Any]:
    return sa.select(*_COLUMNS).outerjoin(_coordinator, _coordinator.id == Inquiry.coordinator_id)


def _begin(month: Month, zone: ZoneInfo) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=zone)


class _Words:
    """What codes are called, each found once."""

    def __init__(self, lang: str) -> None:
        settings = {one.id: one.settings for one in all_departments()}
        self.statuses = {str(status): str(label) for status, label in STAFF_LABELS.items()}
        self.reasons = {None: None} | {str(reason): str(label) for reason, label in REASON_LABELS.items()}
        self.tracks = {str(track): track_name(track) for track in Track}
        self.languages = {code: language_name(code) for code in ("en", "zh")}
        self.areas = {id: _Names(partial(one.area_name, lang=lang)) for id, one in settings.items()}
        self.countries = {
            id: _Names(partial(country_name, settings=one, lang=lang)) for id, one in settings.items()
        }

    def cells(self, row: Any) -> tuple[Any, ...]:
        (
            _id, department_id, reference, status, track, area, title, name, email, institution, country, locale,
            confirmed, first_due, first, due, closed, reason, coordinator, files, page,
        ) = row  # fmt: skip
        return (
            reference,
            self.statuses[status],
            self.tracks[track],
            self.areas[department_id][area],
            title,
            name,
            email,
            institution,
            country,
            self.countries[department_id][country],
            self.languages[locale],
            confirmed,
            first_due,
            first,
            due,
            closed,
            self.reasons[reason],
            coordinator,
            files,
            page,
        )


class _Names(dict[str, str]):
    """Names by code, found when they are first asked for."""

    def __init__(self, find: Callable[[str], str]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, code: str) -> str:
        name = self[code] = self._find(code)
        return name
