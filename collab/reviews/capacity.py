"""Hints of room: who is agreed to be here in the period that an inquiry asks for, beside the places that are set.

A hint, and no more: nothing is refused because of it. Where no places are set, the portal says so and shows no number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from collab.accounts.actor import Actor
from collab.core.db import db
from collab.departments import Places
from collab.inquiries.models import Inquiry
from collab.inquiries.queries import visible
from collab.inquiries.statuses import Status

AGREED = (Status.ACCEPTED, Status.CONDITIONAL)
#: So many of those agreed last are looked through, at each status.
_MOST = 2000
#: Whoever names a start and no length is counted for a year from it, as long as the form takes stays to be.
_LONGEST_WEEKS = 52


@dataclass(frozen=True)
class Period:
    """The time an inquiry asks for.

    :param known: whether it names its length.
    """

    first: date
    last: date
    known: bool

    def overlaps(self, other: "Period") -> bool:
        """Whether the two have a day in common."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Room:
    """Places that an inquiry would take one of.

    :param agreed: how many accepted inquiries, with conditions or without, overlap with the period asked for.
    """

    places: Places
    agreed: int

    @property
    def is_full(self) -> bool:
        return self.agreed >= self.places.places


@dataclass(frozen=True)
class Capacity:
    """What is known of room for an inquiry.

    :param period: ``None`` when it asks for none.
    :param in_area: how many of the same track and area are agreed and overlap; ``None`` without a period.
    :param rooms: the places of its area; empty when none are set.
    """

    period: Period | None
    in_area: int | None
    rooms: tuple[Room, ...]


def period_of(answers: Mapping[str, Any]) -> Period | None:
    """The period in an inquiry's answers; ``None`` when they name no start."""
    start = str(answers.get("preferred_start") or "")
    try:
        first = date(int(start[:4]), int(start[5:7]), 1)
    except ValueError:
        return None
    weeks = answers.get("duration_weeks")
    known = type(weeks) is int and 0 < weeks <= 520
    length = timedelta(weeks=weeks if known and isinstance(weeks, int) else _LONGEST_WEEKS)
    return Period(first, first + length - timedelta(days=1), known)


def capacity_for(inquiry: Inquiry, *, seen_by: Actor) -> Capacity:
    """Who is agreed for the same time; nothing of inquiries that are closed to the reader is counted. One query."""
    settings = inquiry.department.settings
    shared = [one for one in settings.places if inquiry.area in one.areas and inquiry.track in one.tracks]
    period = period_of(inquiry.answers)
    if period is None:
        return Capacity(None, None, ())
    areas = sorted({inquiry.area, *(area for one in shared for area in one.areas)})
    others = [
        (track, area)
        for track, area, answers in db.session.execute(_agreed(inquiry, areas, seen_by))
        if (wanted := period_of(answers)) is not None and wanted.overlaps(period)
    ]
    return Capacity(
        period,
        sum(pair == (inquiry.track, inquiry.area) for pair in others),
        tuple(
            Room(one, sum(track in one.tracks and area in one.areas for track, area in others))
            for one in shared
        ),
    )


def _agreed(inquiry: Inquiry, areas: list[str], actor: Actor) -> sa.Select[Any]:
    heads = [
        sa.select(Inquiry.id)
        .where(Inquiry.department_id == inquiry.department_id, Inquiry.status == status)
        .order_by(Inquiry.urgency.desc(), Inquiry.id.desc())
        .limit(_MOST)
        .subquery()
        for status in AGREED
    ]
    newest = sa.union_all(*(sa.select(head.c.id) for head in heads)).subquery()
    return (
        sa.select(Inquiry.track, Inquiry.area, Inquiry.answers)
        .join(newest, newest.c.id == Inquiry.id)
        .where(Inquiry.area.in_(areas), Inquiry.id != inquiry.id, visible(actor))
    )
