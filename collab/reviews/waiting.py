"""What is ready to be decided: the head's list, in a fixed number of queries however long it is."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, departments_where
from collab.core import clock
from collab.core.db import db
from collab.departments.tracks import Track
from collab.inquiries import parts, rules
from collab.inquiries.models import Assignment, AssignmentKind, Gate, GateState, Inquiry, Part
from collab.inquiries.queries import visible
from collab.inquiries.statuses import Status
from collab.reviews import queries
from collab.reviews.capacity import AGREED
from collab.reviews.models import Opinion
from collab.reviews.panel import Panel

#: So many are listed; whoever has more decides those first.
MOST = 60


@dataclass(frozen=True)
class Ready:
    """One inquiry that waits for a decision.

    :param panel: its reviews; without any for whoever has to give one first.
    :param hidden: whether that is so.
    :param blocked: the codes of its blocked gates.
    :param why_not: why the reader is not the one to decide it.
    """

    inquiry: Inquiry
    panel: Panel
    hidden: bool
    blocked: tuple[str, ...]
    why_not: str | None

    @property
    def hosts(self) -> list[Assignment]:
        """The hosts' answers."""
        return [
            one
            for one in rules.active_assignments(self.inquiry)
            if one.kind is AssignmentKind.HOST and one.answered_at is not None
        ]


def ready(actor: Actor, *, by: str = "due") -> list[Ready]:
    """What waits for a decision in the departments where this person decides.

    :param by: ``due``: what is due first; ``points``: the highest mean first, equal ones by ``order`` (domain.md C).
    """
    rows = db.session.execute(
        sa.select(Inquiry, Part.kind)
        .outerjoin(Part, sa.and_(Part.inquiry_id == Inquiry.id, Part.user_id == actor.user_id))
        .where(_waiting(actor))
        .order_by(Inquiry.due_at.is_(None), Inquiry.due_at, Inquiry.id)
        .limit(MOST)
        .options(selectinload(Inquiry.assignments).joinedload(Assignment.user, innerjoin=True))
    ).all()
    ids = [inquiry.id for inquiry, _part in rows]
    opinions, blocked = _opinions(ids), _blocked(ids)
    hidden = {inquiry.id for inquiry, _part in rows if not queries.may_read_reviews(inquiry, actor)}
    found = [
        Ready(
            inquiry=inquiry,
            panel=queries.panel_of(
                inquiry, opinions=() if inquiry.id in hidden else opinions.get(inquiry.id, ())
            ),
            hidden=inquiry.id in hidden,
            blocked=tuple(blocked.get(inquiry.id, ())),
            why_not=rules.interested(inquiry, actor) or parts.why_not_decide(part),
        )
        for inquiry, part in rows
    ]
    if by != "points":
        return found
    first = [(one.panel.mean, one.inquiry.confirmed_at) for one in found]
    equal = [one for one, key in zip(found, first, strict=True) if first.count(key) > 1]
    return order(found, agreed_visits(equal, actor))


def still_ready(actor: Actor, references: Collection[str]) -> set[str]:
    """Which of some inquiries wait for this person's decision."""
    if not references:
        return set()
    return set(
        db.session.scalars(
            sa.select(Inquiry.reference).where(
                Inquiry.reference.in_(sorted(references)),
                _waiting(actor),
                ~parts.bars_from_deciding(actor.user_id or 0),
            )
        )
    )


def order(found: Sequence[Ready], visits: dict[tuple[int, str], int]) -> list[Ready]:
    """By mean; equal ones by the earlier confirmed date, then the area with fewer accepted visits this year.

    :param visits: how many visits each department's area has accepted this year.
    """
    return sorted(
        found,
        key=lambda one: (
            -(one.panel.mean if one.panel.mean is not None else Fraction(-1)),
            one.inquiry.confirmed_at or one.inquiry.submitted_at,
            visits.get((one.inquiry.department_id, one.inquiry.area), 0),
            one.inquiry.id,
        ),
    )


def agreed_visits(found: Sequence[Ready], actor: Actor) -> dict[tuple[int, str], int]:
    """Visits accepted this year in the areas of some inquiries."""
    if not found:
        return {}
    departments = {one.inquiry.department_id: one.inquiry.department for one in found}
    this_year = [
        sa.and_(Inquiry.department_id == id, Inquiry.status_since >= _new_year(department.timezone))
        for id, department in departments.items()
    ]
    rows = db.session.execute(
        sa.select(Inquiry.department_id, Inquiry.area, sa.func.count())
        .where(
            sa.or_(*this_year),
            Inquiry.status.in_(AGREED),
            Inquiry.track == Track.VISIT,
            Inquiry.area.in_(sorted({one.inquiry.area for one in found})),
            visible(actor),
        )
        .group_by(Inquiry.department_id, Inquiry.area)
    )
    return {(department_id, area): number for department_id, area, number in rows}


def _new_year(timezone: str) -> datetime:
    first = clock.today(timezone).replace(month=1, day=1)
    return clock.start_of_day(first, timezone).astimezone(UTC)


def _waiting(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.and_(
        Inquiry.department_id.in_(sorted(departments_where(actor, Permission.DECIDE))),
        Inquiry.status == Status.DECISION_READY,
        visible(actor),
    )


def _opinions(ids: Sequence[int]) -> dict[int, list[Opinion]]:
    found: dict[int, list[Opinion]] = defaultdict(list)
    for opinion in db.session.scalars(
        sa.select(Opinion)
        .where(Opinion.inquiry_id.in_(ids))
        .options(joinedload(Opinion.user, innerjoin=True), joinedload(Opinion.rubric))
        .order_by(Opinion.id)
    ):
        found[opinion.inquiry_id].append(opinion)
    return found


def _blocked(ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = db.session.execute(
        sa.select(Gate.inquiry_id, Gate.kind)
        .where(Gate.inquiry_id.in_(ids), Gate.state == GateState.BLOCKED)
        .order_by(Gate.id)
    )
    for inquiry_id, kind in rows:
        found[inquiry_id].append(kind)
    return found
