"""What is due on inquiries, conditions included: what pages, calendars, feeds and digests show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import LazyString
from sqlalchemy.orm import joinedload

from collab.accounts import Role
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, may
from collab.core import clock
from collab.core.db import db
from collab.inquiries import deadlines
from collab.inquiries.deadlines import DueDate, What, Who
from collab.inquiries.gates import name_of
from collab.inquiries.models import Assignment, Gate, GateState, Inquiry
from collab.inquiries.queries import visible
from collab.inquiries.statuses import OPEN, Status
from collab.reviews import queries
from collab.reviews.models import Condition, ConditionOwner, ConditionState, Decision


@dataclass(frozen=True)
class Due(DueDate):
    """A due date as it is shown.

    :param text: what exactly, where the step alone does not say it: the text of a condition, the name of a gate.
    :param gate: the gate that waits, when it is one.
    :param condition: the condition to be met, when it is one.
    """

    text: str = ""
    gate: Gate | None = None
    condition: Condition | None = None

    @property
    def words(self) -> LazyString | str:
        """What is due, in words."""
        return self.text or self.what.label


def due_dates(
    inquiry: Inquiry,
    *,
    conditions: Iterable[Condition] | None = None,
    gates: Iterable[Gate] = (),
    now: datetime | None = None,
) -> list[Due]:
    """Everything that is due on an inquiry now, the earliest first; of several conditions each that is open.

    :param conditions: those of the decision that stands, if they are at hand.
    :param gates: its gates, where the reader may see them.
    """
    found = [
        _of_gate(inquiry, gate)
        for gate in gates
        if gate.is_kept and gate.state is GateState.OPEN and gate.due_on is not None
    ]
    for one in deadlines.due_dates(inquiry, now=now):
        if one.what is not What.CONDITIONS:
            found.append(_shown(one))
            continue
        at_hand = queries.conditions_of(inquiry) if conditions is None else conditions
        found += [_of_condition(one, each) for each in at_hand if each.state is ConditionState.OPEN]
    return sorted(found, key=lambda one: (one.due, one.what, one.text))


def all_due_dates(
    *, seen_by: Actor, until: datetime | None = None, mine: bool = False, most: int = 500
) -> list[Due]:
    """What is due on the open inquiries that a person may see, the earliest first; four queries, however many.

    :param until: only what is due (or overdue) by then.
    :param mine: only what this very person owes: asked by name, or by a role where nobody is named.
    :param most: so many inquiries at most, those with the earliest dates.
    """
    now = clock.now()
    chosen = [Inquiry.status.in_(sorted(OPEN)), Inquiry.due_at.is_not(None), visible(seen_by)]
    if until is not None:
        # Anything of an inquiry can be due before its own date: a condition before the last one, a gate meanwhile.
        day = until.astimezone(UTC).date() + timedelta(days=1)
        chosen.append(sa.or_(Inquiry.due_at <= until, _has_gate_by(day), _has_condition_by(day)))
    inquiries = list(
        db.session.scalars(
            sa.select(Inquiry)
            .where(*chosen)
            .options(joinedload(Inquiry.assignments).joinedload(Assignment.user))
            .order_by(Inquiry.due_at, Inquiry.id)
            .limit(most)
        ).unique()
    )
    conditions = _conditions_of([one.id for one in inquiries if one.status is Status.CONDITIONAL])
    gates = _gates_of(
        [one.id for one in inquiries if may(seen_by, Permission.CLEAR_GATES, one.department_id)]
    )
    found = [
        one
        for inquiry in inquiries
        for one in due_dates(
            inquiry, conditions=conditions.get(inquiry.id, []), gates=gates.get(inquiry.id, ()), now=now
        )
        if (until is None or one.due <= until) and (not mine or owed_by(one, seen_by))
    ]
    return sorted(found, key=lambda one: (one.due, one.inquiry.id, one.what))


def owed_by(due: DueDate, actor: Actor) -> bool:
    """Whether it is this very person's turn."""
    roles = actor.roles_in(due.inquiry.department_id)
    match due.who:
        case Who.HOST | Who.REVIEWER:
            return due.assignment is not None and due.assignment.user_id == actor.user_id
        case Who.COORDINATOR:
            owner = due.inquiry.coordinator_id
            return Role.COORDINATOR in roles and owner in {None, actor.user_id}
        case Who.HEAD:
            return Role.HEAD in roles
        case Who.OFFICE:
            gate = due.gate if isinstance(due, Due) else None
            return gate is not None and (
                gate.owner_id == actor.user_id if gate.owner_id else gate.owner_role in roles
            )
        case _:
            return False


def _shown(due: DueDate) -> Due:
    return Due(due.inquiry, due.what, due.who, due.since, due.due, due.moments, due.assignment)


def _of_condition(due: DueDate, condition: Condition) -> Due:
    who = Who.PARTNER if condition.owner is ConditionOwner.PARTNER else Who.COORDINATOR
    until = clock.end_of_day(condition.due_on, due.inquiry.department.timezone)
    return Due(due.inquiry, due.what, who, due.since, until, text=condition.text, condition=condition)


def _of_gate(inquiry: Inquiry, gate: Gate) -> Due:
    assert gate.due_on is not None
    until = clock.end_of_day(gate.due_on, inquiry.department.timezone)
    name = name_of(gate.kind, inquiry.department)
    return Due(inquiry, What.GATE, Who.OFFICE, gate.opened_at, until, text=name, gate=gate)


def _has_gate_by(day: date) -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(sa.literal(1)).where(
            Gate.inquiry_id == Inquiry.id, Gate.state == GateState.OPEN, Gate.due_on <= day
        )
    )


def _has_condition_by(day: date) -> sa.ColumnElement[bool]:
    return sa.and_(
        Inquiry.status == Status.CONDITIONAL,
        sa.exists(
            sa.select(sa.literal(1))
            .select_from(Condition)
            .join(Decision, Decision.id == Condition.decision_id)
            .where(
                Decision.inquiry_id == Inquiry.id,
                Decision.taken_back_at.is_(None),
                Decision.superseded_at.is_(None),
                Condition.state == ConditionState.OPEN,
                Condition.due_on <= day,
            )
        ),
    )


def _gates_of(inquiry_ids: list[int]) -> dict[int, list[Gate]]:
    found: dict[int, list[Gate]] = {}
    if inquiry_ids:
        for gate in db.session.scalars(
            sa.select(Gate)
            .where(Gate.inquiry_id.in_(inquiry_ids), Gate.state == GateState.OPEN)
            .order_by(Gate.id)
        ):
            found.setdefault(gate.inquiry_id, []).append(gate)
    return found


def _conditions_of(inquiry_ids: list[int]) -> dict[int, list[Condition]]:
    if not inquiry_ids:
        return {}
    decisions = db.session.scalars(
        sa.select(Decision)
        .where(
            Decision.inquiry_id.in_(inquiry_ids),
            Decision.taken_back_at.is_(None),
            Decision.superseded_at.is_(None),
        )
        .options(joinedload(Decision.conditions))
    ).unique()
    return {one.inquiry_id: list(one.conditions) for one in decisions}
