"""The list of inquiries as a table to take away: exactly those this person may see, read piece by piece.

What the rows need is found before the first is read: they are read when the answer is under way, and by then the
session in which the page was asked for is closed.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased

from collab.accounts import User
from collab.accounts.actor import Actor
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
PIECE = 1_000

_coordinator = aliased(User)
_COLUMNS: tuple[Any, ...] = (
    Inquiry.id,
    Inquiry.department_id,
    Inquiry.reference,
    Inquiry.status,
    Inquiry.track,
    Inquiry.area,
    Inquiry.title,
    Inquiry.full_name,
    Inquiry.email,
    Inquiry.institution_name,
    Inquiry.country,
    Inquiry.locale,
    Inquiry.confirmed_at,
    Inquiry.first_answer_due,
    Inquiry.first_answer_at,
    Inquiry.due_at,
    Inquiry.closed_at,
    Inquiry.reason,
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


def of_period(scope: Scope, *, seen_by: Actor, lang: str) -> Iterator[list[Any]]:
    """The inquiries a report speaks of, in the order in which they came."""
    zone = ZoneInfo(scope.department.timezone)
    conditions: list[sa.ColumnElement[bool]] = [
        queries.visible(seen_by),
        Inquiry.department_id == scope.department.id,
        Inquiry.status.not_in(sorted(UNCOUNTED)),
        Inquiry.confirmed_at >= _begin(scope.first, zone),
        Inquiry.confirmed_at < _begin(scope.last.plus(1), zone),
    ]
    if scope.track is not None:
        conditions.append(Inquiry.track == scope.track)
    if scope.area:
        conditions.append(Inquiry.area == scope.area)
    if not scope.demo:
        conditions.append(~Inquiry.is_demo)
    return _walked(_select().where(*conditions).order_by(Inquiry.id).limit(PIECE), _Words(lang))


def _walked(statement: sa.Select[Any], words: "_Words") -> Iterator[list[Any]]:
    last = 0
    while True:
        found = db.session.execute(statement.where(Inquiry.id > last)).all()
        for row in found:
            yield words.cells(row)
        if len(found) < PIECE:
            return
        last = found[-1].id


def of_view(view: QueueView, *, seen_by: Actor, lang: str) -> Iterator[list[Any]]:
    """The inquiries a view of the queue shows, in its order, from its first page to its last."""
    return _paged(view, seen_by, _Words(lang))


def _paged(view: QueueView, seen_by: Actor, words: "_Words") -> Iterator[list[Any]]:
    after = None
    while True:
        page = queries.queue(view, seen_by=seen_by, after=after, size=PIECE)
        ids = [row.id for row in page.rows]
        found = {row.id: row for row in db.session.execute(_select().where(Inquiry.id.in_(ids)))}
        for id in ids:
            if id in found:
                yield words.cells(found[id])
        if page.older is None:
            return
        after = page.older


def of_ids(ids: Sequence[int], *, seen_by: Actor, lang: str) -> Iterator[list[Any]]:
    """Some inquiries, in the order given, as far as this person may see them."""
    words = _Words(lang)
    found = {
        row.id: row
        for row in db.session.execute(_select().where(Inquiry.id.in_(ids), queries.visible(seen_by)))
    }
    for id in ids:
        if id in found:
            yield words.cells(found[id])


def _select() -> sa.Select[Any]:
    return sa.select(*_COLUMNS).outerjoin(_coordinator, _coordinator.id == Inquiry.coordinator_id)


def _begin(month: Month, zone: ZoneInfo) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=zone)


class _Words:
    """What codes are called, each found once."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.settings = {one.id: one.settings for one in all_departments()}
        self.statuses = {status: str(label) for status, label in STAFF_LABELS.items()}
        self.reasons = {reason: str(label) for reason, label in REASON_LABELS.items()}
        self.tracks = {track: track_name(track) for track in Track}
        self.languages = {code: language_name(code) for code in ("en", "zh")}
        self._areas: dict[tuple[int, str], str] = {}
        self._countries: dict[tuple[int, str], str] = {}

    def cells(self, row: Any) -> list[Any]:
        (
            _id, department_id, reference, status, track, area, title, name, email, institution, country, locale,
            confirmed, first_due, first, due, closed, reason, coordinator, files, page,
        ) = row  # fmt: skip
        return [
            reference,
            self.statuses[status],
            self.tracks[track],
            self.area(department_id, area),
            title,
            name,
            email,
            institution,
            country,
            self.country(department_id, country),
            self.languages.get(locale, locale),
            confirmed,
            first_due,
            first,
            due,
            closed,
            self.reasons[reason] if reason else None,
            coordinator,
            files,
            page,
        ]

    def area(self, department_id: int, code: str) -> str:
        key = (department_id, code)
        if key not in self._areas:
            self._areas[key] = self.settings[department_id].area_name(code, self.lang)
        return self._areas[key]

    def country(self, department_id: int, code: str) -> str:
        key = (department_id, code)
        if key not in self._countries:
            self._countries[key] = country_name(code, self.settings[department_id], self.lang)
        return self._countries[key]
