"""Answering gates: what the owner of each does, and what the owner sees of the inquiry for it.

The compliance office and the radiation safety officer see their gates with what each needs (reference, track, area,
institution, country, title, the question) and never the dossier. Which gates there are is in ``inquiries.gates``.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from collab import audit
from collab.accounts import Role, User
from collab.accounts.actor import Actor
from collab.accounts.models import Membership
from collab.accounts.permissions import Permission, may
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.departments import Department, GateKind, Track
from collab.inquiries import blind, notices
from collab.inquiries.gates import (
    REVIEWED,
    blocked,
    due_from_now,
    gates_of,
    is_asked,
    name_of,
    open_for_review,
    put,
    refuse_blocked,
    row_of,
    tell_owners,
    unanswered,
    why_blocked,
    why_unanswered,
)
from collab.inquiries.history import Kind, take, tell
from collab.inquiries.models import Conflict as ConflictOfInterest
from collab.inquiries.models import Gate, GateState, Inquiry, InquiryEvent
from collab.inquiries.staff_mail import holders
from collab.inquiries.statuses import Status
from collab.reviews import scores

#: The longest time a gate may be given.
LONGEST = timedelta(days=365)
#: So many gates on one page of an office.
SHOWN = 100
#: Where an inquiry stands while offices see their gates of it.
_ANSWERED_AT = REVIEWED | {Status.NEEDS_INFO}


# -- who ---------------------------------------------------------------------------------------------------------------


def may_answer(gate: Gate, inquiry: Inquiry, actor: Actor) -> bool:
    """Whether a gate is this person's to answer: named for it, or holding its role.

    Where nobody holds the role, the coordinators and the head answer it: a department may have no office of its own.
    """
    roles = actor.roles_in(inquiry.department_id)
    if gate.owner_role in roles or (gate.owner_id is not None and gate.owner_id == actor.user_id):
        return bool(roles)
    return bool(roles & {Role.COORDINATOR, Role.HEAD}) and not _is_held(
        gate.owner_role, inquiry.department_id
    )


def may_ask_for(inquiry: Inquiry, actor: Actor) -> bool:
    """Whether a person may ask for a gate that was not needed, give it to somebody or change its due date."""
    return may(actor, Permission.SEE_ALL_INQUIRIES, inquiry.department_id)


def _is_held(role: Role, department_id: int) -> bool:
    return bool(
        db.session.scalar(
            sa.select(sa.literal(1))
            .select_from(Membership)
            .join(User, User.id == Membership.user_id)
            .where(
                Membership.department_id == department_id, Membership.role == role, User.disabled_at.is_(None)
            )
            .limit(1)
        )
    )


def owners_for(inquiry: Inquiry, gate: Gate) -> list[User]:
    """Who can be named for a gate: the holders of its role, less whoever has a conflict of interest."""
    closed = set(
        db.session.scalars(
            sa.select(ConflictOfInterest.user_id).where(ConflictOfInterest.inquiry_id == inquiry.id)
        )
    )
    return [one for one in holders(inquiry.department_id, gate.owner_role) if one.id not in closed]


# -- reading -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class GateFile:
    """What the owner of a gate sees of an inquiry: enough to answer, and no more.

    :param full_name: only where the gate needs it; else empty.
    """

    gate: Gate
    kind: GateKind | None
    department: Department
    reference: str
    track: Track
    area: str
    title: str
    institution_name: str
    country: str
    full_name: str

    @property
    def is_late(self) -> bool:
        """Whether the answer is overdue."""
        return (
            self.gate.state is GateState.OPEN
            and self.gate.due_on is not None
            and self.gate.due_on < clock.today(self.department.timezone)
        )


@dataclass(frozen=True)
class GateStep:
    """One answer that was given on a gate."""

    state: GateState
    who: str
    at: datetime
    note: str | None


@dataclass(frozen=True)
class MyGates:
    """The gates of one person: those that wait, earliest due first, and those answered last."""

    waiting: list[GateFile]
    answered: list[GateFile]
    more: bool


def my_gates(actor: Actor) -> MyGates:
    """The gates that are this person's to answer, of open inquiries; not of those read blind. Two queries."""
    theirs = _owned_by(actor)
    waiting = list(
        db.session.execute(
            _files()
            .where(theirs, Gate.state == GateState.OPEN)
            .order_by(Gate.due_on.is_(None), Gate.due_on, Gate.id)
            .limit(SHOWN + 1)
        )
    )
    answered = db.session.execute(
        _files()
        .where(theirs, Gate.state != GateState.OPEN, Gate.settled_by_id == actor.user_id)
        .order_by(Gate.settled_at.desc(), Gate.id.desc())
        .limit(20)
    )
    return MyGates(
        waiting=[_file(*row) for row in waiting[:SHOWN]],
        answered=[_file(*row) for row in answered],
        more=len(waiting) > SHOWN,
    )


def find(reference: str, kind: str, *, seen_by: Actor) -> tuple[Inquiry, Gate]:
    """An inquiry and one of its gates, for whoever answers it or sees all inquiries of the department.

    What an office's people are shown of it is in ``file_of``.

    :raises NotFound: no such gate, or not theirs, or closed by a conflict of interest, or read blind until the own
        review is in; nobody can tell which.
    """
    if seen_by.user_id is None:
        raise NotFound
    inquiry = db.session.scalars(
        sa.select(Inquiry).where(
            Inquiry.reference == reference,
            Inquiry.department_id.in_(sorted({department for department, _role in seen_by.memberships})),
            Inquiry.status != Status.UNCONFIRMED,
            ~_closed_to(seen_by.user_id),
            ~blind.read_by(seen_by),
        )
    ).one_or_none()
    if inquiry is None:
        raise NotFound
    gate = next((one for one in gates_of(inquiry) if one.kind == kind), None)
    if gate is None:
        raise NotFound
    sees_all = may(seen_by, Permission.SEE_ALL_INQUIRIES, inquiry.department_id)
    theirs = gate.is_kept and inquiry.status in _ANSWERED_AT and may_answer(gate, inquiry, seen_by)
    if not sees_all and not theirs:
        raise NotFound
    return inquiry, gate


def file_of(inquiry: Inquiry, gate: Gate) -> GateFile:
    """What the owner of a gate sees of its inquiry."""
    return _file(gate, inquiry)


def history_of(inquiry: Inquiry, gate: Gate) -> list[GateStep]:
    """What was answered on a gate so far, oldest first, with evidence and reasons."""
    events = db.session.scalars(
        sa.select(InquiryEvent)
        .where(InquiryEvent.inquiry_id == inquiry.id, InquiryEvent.kind == Kind.GATE)
        .order_by(InquiryEvent.id)
    )
    return [
        GateStep(GateState(event.data["state"]), event.actor_name, event.at, event.note)
        for event in events
        if event.data and event.data.get("gate") == gate.kind
    ]


def _files() -> Any:
    return (
        sa.select(Gate, Inquiry)
        .join(Inquiry, Inquiry.id == Gate.inquiry_id)
        .options(joinedload(Gate.owner), joinedload(Inquiry.department))
    )


def _owned_by(actor: Actor) -> sa.ColumnElement[bool]:
    if actor.user_id is None:
        return sa.false()
    by_role = [
        sa.and_(Inquiry.department_id == department, Gate.owner_role == role, Gate.owner_id.is_(None))
        for department, role in sorted(actor.memberships)
    ]
    departments = sorted({department for department, _role in actor.memberships})
    stands_in = sorted(
        {department for department, role in actor.memberships if role in {Role.COORDINATOR, Role.HEAD}}
    )
    nobodys = ~sa.exists(
        sa.select(sa.literal(1))
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.department_id == Inquiry.department_id,
            Membership.role == Gate.owner_role,
            User.disabled_at.is_(None),
        )
    )
    by_role.append(sa.and_(Inquiry.department_id.in_(stands_in), Gate.owner_id.is_(None), nobodys))
    return sa.and_(
        sa.or_(*by_role, sa.and_(Gate.owner_id == actor.user_id, Inquiry.department_id.in_(departments))),
        Inquiry.status.in_(sorted(_ANSWERED_AT)),
        Inquiry.anonymised_at.is_(None),
        ~_closed_to(actor.user_id),
        ~blind.read_by(actor),
    )


def _closed_to(user_id: int) -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(sa.literal(1)).where(
            ConflictOfInterest.inquiry_id == Inquiry.id, ConflictOfInterest.user_id == user_id
        )
    )


def _file(gate: Gate, inquiry: Inquiry) -> GateFile:
    kind = inquiry.department.settings.gate(gate.kind)
    return GateFile(
        gate=gate,
        kind=kind,
        department=inquiry.department,
        reference=inquiry.reference,
        track=inquiry.track,
        area=inquiry.area,
        title=inquiry.title,
        institution_name=inquiry.institution_name,
        country=inquiry.country,
        full_name=inquiry.full_name if kind is not None and kind.shows_name else "",
    )


# -- answering ---------------------------------------------------------------------------------------------------------


def settle(
    inquiry: Inquiry,
    kind: str,
    state: GateState,
    *,
    note: str = "",
    by: Actor,
    version: int | None = None,
) -> Gate:
    """Answer a gate: with the evidence, the conditions, or the reason.

    :param version: of the gate, as the person saw it.
    :raises Invalid: at ``note``: it blocks, un-blocks or clears with conditions and does not say why, or clears without
        the evidence that the settings ask for.
    :raises Conflict: somebody answered it in the meantime, or the inquiry has no such gate where it stands.
    :raises Forbidden: not this person's to answer.
    """
    take(inquiry, by=by)
    gate = _taken(inquiry, kind, version)
    before = gate.state
    if state is GateState.OPEN and before is not GateState.OPEN and may_ask_for(inquiry, by):
        pass  # asking for an answer (again) is the coordinators' too
    elif not may_answer(gate, inquiry, by):
        raise Forbidden(_("Only this role may do it: %(roles)s.", roles=gate.owner_role.label))
    if state is before and (gate.note or "") == note:
        raise Conflict(_("This gate stands so already."))
    settings = inquiry.department.settings.gate(kind)
    if before is GateState.BLOCKED and state is not GateState.BLOCKED and not note:
        raise Invalid("note", _("Say why it is not blocked any more."))
    if state is GateState.BLOCKED and not note:
        raise Invalid("note", _("Say what stands against it; the head and the coordinator need it."))
    if state is GateState.CLEARED_WITH_CONDITIONS and not note:
        raise Invalid("note", _("Say on what conditions it is cleared."))
    if state is GateState.CLEARED and settings is not None and settings.evidence and not note:
        raise Invalid("note", _("Say on what grounds it is cleared: what was looked up, a number, a date."))
    put(gate, state, note or None, by=by)
    if state is GateState.OPEN:
        gate.due_on = due_from_now(settings, inquiry.department)
        gate.opened_at = clock.now()
    db.session.flush()
    tell(inquiry, Kind.GATE, by=by, note=note or None, data={"gate": kind, "state": state})
    audit.record(
        "gate.settled",
        by=by,
        department_id=inquiry.department_id,
        on=("inquiry", inquiry.id),
        detail={"gate": kind, "from": before, "to": state},
    )
    if state is GateState.OPEN:
        tell_owners(inquiry, [gate])
    elif state is GateState.BLOCKED:
        notices.gate_blocked(inquiry, kind, by)
    if state is not GateState.OPEN:
        scores.go_on(inquiry, by=by)
    return gate


def entrust(
    inquiry: Inquiry,
    kind: str,
    *,
    owner_id: int | None,
    due_on: date | None,
    by: Actor,
    version: int | None = None,
) -> Gate:
    """Name who answers an open gate, and by when; without a name, whoever holds its role."""
    take(inquiry, by=by)
    if not may_ask_for(inquiry, by):
        raise Forbidden
    gate = _taken(inquiry, kind, version)
    if gate.state is not GateState.OPEN:
        raise Conflict(_("This gate is answered."))
    today = clock.today(inquiry.department.timezone)
    if due_on is None or not today <= due_on <= today + LONGEST:
        raise Invalid("due_on", _("Choose a day from today to a year ahead."))
    if owner_id is not None and owner_id not in {one.id for one in owners_for(inquiry, gate)}:
        raise Invalid("owner", _("Choose a person of the list."))
    changed = gate.owner_id != owner_id
    gate.owner_id, gate.due_on = owner_id, due_on
    db.session.flush()
    audit.record(
        "gate.entrusted",
        by=by,
        department_id=inquiry.department_id,
        on=("inquiry", inquiry.id),
        detail={"gate": kind, "owner": owner_id, "due_on": due_on.isoformat()},
    )
    if changed:
        tell_owners(inquiry, [gate])
    return gate


def open_missing(inquiry: Inquiry, *, by: Actor) -> list[Gate]:
    """Open the gates that have no row yet: the inquiry was in review before there were any, or its track changed."""
    take(inquiry, by=by)
    if not may_ask_for(inquiry, by):
        raise Forbidden
    return open_for_review(inquiry, by=by)


def _taken(inquiry: Inquiry, kind: str, version: int | None) -> Gate:
    gate = row_of(inquiry, kind)
    settings = inquiry.department.settings.gate(kind)
    if gate is None or settings is None or not is_asked(settings, inquiry):
        raise Conflict(_("This gate is not asked where the inquiry stands now."))
    seen = {gate.version, 0} if gate.version == 1 else {gate.version}  # 0: shown before it had a row
    if version is not None and version not in seen:
        if gate.settled_by_name:
            raise Conflict(
                _(
                    "This gate changed while you had it open: %(state)s, by %(who)s. Nothing of yours was done.",
                    state=gate.state.label,
                    who=gate.settled_by_name,
                )
            )
        raise Conflict(_("This gate changed while you had it open. Nothing of yours was done."))
    return gate


__all__ = [
    "LONGEST",
    "GateFile",
    "GateStep",
    "MyGates",
    "blocked",
    "entrust",
    "file_of",
    "find",
    "gates_of",
    "history_of",
    "may_answer",
    "may_ask_for",
    "my_gates",
    "name_of",
    "open_missing",
    "owners_for",
    "refuse_blocked",
    "settle",
    "unanswered",
    "why_blocked",
    "why_unanswered",
]
