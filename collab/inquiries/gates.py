"""Gates (domain.md B.8, C): what must not stand against an inquiry, whatever its reviewers think of it.

Which gates an inquiry has, who answers them and how long that may take stands in the department's settings. Their rows
are opened when the inquiry goes into review; until then the gates of the first reading exist without a row, and the
offices' checks not at all: nobody is screened on a first contact that may be declined anyway.

Here is what the steps of an inquiry need to know of them. How an owner answers one is in ``reviews.gates``.
"""

from collections.abc import Iterable
from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from collab.accounts.actor import Actor
from collab.accounts.roles import Role
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict
from collab.departments import Department, GateKind, working_calendar
from collab.inquiries import notices, rules
from collab.inquiries.history import Kind, tell
from collab.inquiries.models import AssignmentKind, Gate, GateState, HostAnswer, Inquiry
from collab.inquiries.statuses import OPEN, Status

#: Where an inquiry stands when the offices' checks may be made.
REVIEWED = OPEN - {Status.RECEIVED, Status.NEEDS_INFO}
#: What answers a gate by itself.
BY_HOST = "host"


def gates_of(inquiry: Inquiry) -> list[Gate]:
    """The gates of an inquiry in the order of the settings, those without a row yet as well; one query."""
    stored = {
        gate.kind: gate
        for gate in db.session.scalars(
            sa.select(Gate)
            .where(Gate.inquiry_id == inquiry.id)
            .options(joinedload(Gate.owner))
            .order_by(Gate.id)
        )
    }
    found = []
    for kind in inquiry.department.settings.gates:
        if kind.code in stored:
            found.append(stored.pop(kind.code))
        elif is_asked(kind, inquiry):
            found.append(_made(kind, inquiry))
    return [*found, *stored.values()]


def is_asked(kind: GateKind, inquiry: Inquiry) -> bool:
    """Whether a gate is asked of an inquiry where it stands now."""
    if inquiry.track not in kind.tracks or inquiry.status not in OPEN or inquiry.anonymised_at is not None:
        return False
    return not kind.is_check or (inquiry.light is None and may_be_checked(inquiry))


def may_be_checked(inquiry: Inquiry) -> bool:
    """Whether the inquiry has been in review, from where on the offices' checks run."""
    if inquiry.status is Status.NEEDS_INFO:
        return inquiry.asked_from is Status.IN_REVIEW
    return inquiry.status in REVIEWED


def blocked(inquiry: Inquiry, gates: Iterable[Gate] | None = None) -> list[Gate]:
    """The gates that stop the inquiry: nothing is scored, and it cannot be accepted."""
    return [one for one in (gates_of(inquiry) if gates is None else gates) if one.state is GateState.BLOCKED]


def unanswered(inquiry: Inquiry, gates: Iterable[Gate] | None = None) -> list[Gate]:
    """The offices' checks that have to be answered before the head decides; none on the light path."""
    if inquiry.light is not None:
        return []
    return [
        one
        for one in (gates_of(inquiry) if gates is None else gates)
        if one.state is GateState.OPEN
        and (kind := inquiry.department.settings.gate(one.kind))
        and kind.is_check
    ]


def refuse_blocked(inquiry: Inquiry) -> None:
    """:raises Conflict: a gate is blocked; names it."""
    reason = why_blocked(inquiry, blocked(inquiry))
    if reason:
        raise Conflict(reason)


def why_blocked(inquiry: Inquiry, gates: Iterable[Gate]) -> str | None:
    """What stands against going on, as a sentence; ``None`` when nothing does."""
    names = _names(inquiry, gates)
    if not names:
        return None
    return _("Blocked: %(names)s. Nothing is scored or accepted before this is cleared.", names=names)


def why_unanswered(inquiry: Inquiry, gates: Iterable[Gate]) -> str | None:
    """Which checks are still waited for, as a sentence; ``None`` when none is."""
    names = _names(inquiry, gates)
    return _("Not answered yet: %(names)s.", names=names) if names else None


def name_of(kind: str, department: Department) -> str:
    """How people call a gate, in the reader's language; its code when it was taken out of the settings since."""
    found = department.settings.gate(kind)
    return found.name.get(str(get_locale() or "en")) if found else kind


def _names(inquiry: Inquiry, gates: Iterable[Gate]) -> str:
    return _(", ").join(name_of(gate.kind, inquiry.department) for gate in gates)


# -- rows ------------------------------------------------------------------------------------------------------------


def open_for_review(inquiry: Inquiry, *, by: Actor) -> list[Gate]:
    """Keep a row of every gate that is asked from now on, and tell the offices which of them wait for an answer.

    Called when the inquiry goes into review, and again when its track or the settings changed: what has a row stays.
    """
    known = set(db.session.scalars(sa.select(Gate.kind).where(Gate.inquiry_id == inquiry.id)))
    made = [
        _made(kind, inquiry)
        for kind in inquiry.department.settings.gates
        if kind.code not in known and is_asked(kind, inquiry)
    ]
    if not made:
        return []
    db.session.add_all(made)
    db.session.flush()
    tell(inquiry, Kind.GATES_OPENED, by=by, data={"gates": [gate.kind for gate in made if is_open(gate)]})
    tell_owners(inquiry, [gate for gate in made if is_open(gate)])
    return made


def row_of(inquiry: Inquiry, kind: str) -> Gate | None:
    """The gate with a code as a row, made where there is none yet; ``None`` when the inquiry is not asked it."""
    gate = db.session.scalar(
        sa.select(Gate)
        .where(Gate.inquiry_id == inquiry.id, Gate.kind == kind)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if gate is not None:
        return gate
    settings = inquiry.department.settings.gate(kind)
    if settings is None or not is_asked(settings, inquiry):
        return None
    gate = _made(settings, inquiry)
    db.session.add(gate)
    db.session.flush()
    return gate


def is_open(gate: Gate) -> bool:
    """Whether a gate waits for an answer."""
    return gate.state is GateState.OPEN


def due_from_now(kind: GateKind | None, department: Department) -> date | None:
    """The day by which a gate that is opened today should be answered."""
    if kind is None:
        return None
    return working_calendar(department).add(clock.today(department.timezone), kind.days)


def tell_owners(inquiry: Inquiry, gates: Iterable[Gate]) -> None:
    """Mail those who answer gates as their only part in it; coordinators and heads work on the inquiry anyway."""
    asked = [gate for gate in gates if gate.owner_id is not None or gate.owner_role in OFFICES]
    for (role, person_id), theirs in _by_owner(asked):
        notices.gates_opened(inquiry, role, person_id, theirs)


#: Working days after the due date on which whoever has not answered a gate is reminded.
REMIND_ON = (0, 3, 8)


def remind(inquiry: Inquiry, done: set[str], now: datetime) -> list[str]:
    """S2: remind those who have not answered a gate, on the day it is due and some days later.

    :param done: what was reminded of before.
    :returns: what is reminded of now, under the names by which it is kept.
    """
    day = clock.local_day(now, inquiry.department.timezone)
    calendar = working_calendar(inquiry.department)
    found: list[str] = []
    late: list[Gate] = []
    for gate in db.session.scalars(
        sa.select(Gate).where(Gate.inquiry_id == inquiry.id, Gate.state == GateState.OPEN, Gate.due_on <= day)
    ):
        assert gate.due_on is not None
        keys = [
            f"gate:{gate.id}:{days}:{gate.due_on:%Y%m%d}"
            for days in REMIND_ON
            if day >= (calendar.add(gate.due_on, days) if days else gate.due_on)
        ]
        new = [key for key in keys if key not in done]
        if new and may_be_checked(inquiry):
            found += new
            late.append(gate)
    for (role, person_id), theirs in _by_owner(late):
        notices.gates_due(inquiry, role, person_id, theirs)
    return found


def _by_owner(gates: Iterable[Gate]) -> Iterable[tuple[tuple[Role, int | None], list[Gate]]]:
    """Gates by who answers them: one mail for each."""
    found: dict[tuple[Role, int | None], list[Gate]] = {}
    for gate in gates:
        found.setdefault((gate.owner_role, gate.owner_id), []).append(gate)
    return found.items()


#: Roles that see gates and no inquiries.
OFFICES = frozenset({Role.COMPLIANCE, Role.RADIATION_SAFETY_OFFICER})


def host_has_answered(inquiry: Inquiry, *, by: Actor) -> None:
    """Let the hosts' answers answer the gates that ask for them; what somebody blocked stays so."""
    for kind in inquiry.department.settings.gates:
        if kind.answered_by != BY_HOST or not is_asked(kind, inquiry):
            continue
        gate = row_of(inquiry, kind.code)
        if gate is None or gate.state in {GateState.BLOCKED, GateState.NOT_NEEDED}:
            continue
        state, note = _said_by_hosts(inquiry)
        if gate.state is state and gate.note == note:
            continue
        put(gate, state, note, by=by if state is not GateState.OPEN else None)
        if gate.state is GateState.OPEN:
            gate.due_on = due_from_now(kind, inquiry.department)
        tell(inquiry, Kind.GATE, by=by, data={"gate": gate.kind, "state": gate.state})


def _said_by_hosts(inquiry: Inquiry) -> tuple[GateState, str | None]:
    hosts = [a for a in rules.active_assignments(inquiry) if a.kind is AssignmentKind.HOST]
    if any(host.answer is HostAnswer.YES for host in hosts):
        return GateState.CLEARED, None
    later = next((host for host in hosts if host.answer is HostAnswer.LATER), None)
    if later is not None:
        return GateState.CLEARED_WITH_CONDITIONS, later.answer_period
    return GateState.OPEN, None


def put(gate: Gate, state: GateState, note: str | None, *, by: Actor | None) -> None:
    """Set a gate's state with who set it and when."""
    gate.state, gate.note = state, note
    if state is GateState.OPEN:
        gate.settled_at, gate.settled_by_id, gate.settled_by_name = None, None, ""
    else:
        gate.settled_at = clock.now()
        gate.settled_by_id, gate.settled_by_name = (by.user_id, by.name) if by is not None else (None, "")


def _made(kind: GateKind, inquiry: Inquiry) -> Gate:
    """A new gate as it begins: open, not needed, or answered by what the partner declared. Not kept yet."""
    gate = Gate(
        inquiry_id=inquiry.id,
        kind=kind.code,
        version=0,
        owner_role=Role(kind.owner),
        opened_at=clock.now(),
        settled_by_name="",
    )
    if kind.answered_by not in {None, BY_HOST} and inquiry.answers.get(kind.answered_by):
        put(gate, GateState.CLEARED, None, by=None)
    elif kind.is_needed(inquiry.answers):
        put(gate, GateState.OPEN, None, by=None)
        gate.due_on = due_from_now(kind, inquiry.department)
    else:
        put(gate, GateState.NOT_NEEDED, None, by=None)
    return gate
