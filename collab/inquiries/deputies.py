"""What waits for somebody who is away, for whoever stands in.

A deputy gains no rights. Where one asked is away, a deputy with the same role takes the asking over and is asked
instead: the one away is told, the history keeps both, and the deputy declares his interests before the file opens. What
a coordinator has in hand every coordinator may go on with; it is shown under the absent one's name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased

from collab import departments
from collab.accounts import Absence, Role, User, absences
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, may
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Invalid, NotFound
from collab.departments import Department
from collab.inquiries import interests, notices, triage
from collab.inquiries.history import Kind, take, tell
from collab.inquiries.models import Assignment, AssignmentKind, Inquiry
from collab.inquiries.models import Conflict as ConflictOfInterest
from collab.inquiries.queries import visible
from collab.inquiries.statuses import OURS, Status

#: So much is shown under one name.
MOST = 10


class Asked(NamedTuple):
    """An answer that somebody away owes, as its deputy may see it before the file is open to him."""

    assignment_id: int
    reference: str
    kind: AssignmentKind
    due_on: date


class InHand(NamedTuple):
    """An inquiry that a coordinator who is away has in hand."""

    reference: str
    title: str
    status: Status
    due_on: date | None
    late: bool
    unread: bool


@dataclass(frozen=True)
class Deputising:
    """For whom somebody stands in, until when, and what waits there."""

    name: str
    user_id: int
    until: date
    asked: list[Asked]
    in_hand: list[InHand]


def deputising(
    actor: Actor, *, here: Iterable[Department] | None = None, most: int = MOST
) -> list[Deputising]:
    """What waits for those for whom the actor stands in today; one query for a department where nobody is away.

    :param here: the departments there are, where they are at hand.
    """
    found: list[Deputising] = []
    if actor.user_id is None:
        return found
    mine = {department for department, role in actor.memberships if role in absences.COVERED}
    for department in departments.all_departments() if here is None else here:
        if department.id not in mine:
            continue
        roster = absences.roster(department)
        for absent, roles in sorted(roster.stood_in_by(actor.user_id).items()):
            away = roster.away[absent]
            found.append(
                Deputising(
                    name=away.user.name,
                    user_id=absent,
                    until=away.last_day,
                    asked=_asked(absent, department.id, roles, actor, most),
                    in_hand=_in_hand(absent, department, actor, most) if Role.COORDINATOR in roles else [],
                )
            )
    return found


def enter_absence(
    user: User,
    *,
    department: Department,
    first_day: date,
    last_day: date,
    deputy: User | None,
    by: Actor,
) -> Absence:
    """``accounts.absences.enter``, and whoever has to find another person hears of it at once, not when it is late."""
    absence = absences.enter(
        user, department=department, first_day=first_day, last_day=last_day, deputy=deputy, by=by
    )
    # What is due before an absence that begins later can still be answered in time.
    since = date.min if first_day <= clock.today(department.timezone) else first_day
    waiting = db.session.execute(
        sa.select(Assignment, _closed_to(deputy.id) if deputy else sa.true())
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(
            Assignment.user_id == user.id,
            Assignment.due_on.between(since, last_day),
            *_unanswered(),
            Inquiry.department_id == department.id,
        )
        .order_by(Assignment.due_on, Assignment.id)
    ).unique()
    for one, closed in waiting:
        if deputy is None or closed or Role(one.kind.value) not in deputy.roles_in(department.id):
            notices.nobody_stands_in(one.inquiry, one, absence)
    return absence


def asked_of_absent(assignment_id: int, *, by: Actor) -> Assignment:
    """An assignment of somebody away that the actor may take over.

    :raises NotFound: there is none for this person; nobody can tell why.
    """
    assignment = db.session.get(Assignment, assignment_id)
    if assignment is None or by.user_id is None:
        raise NotFound
    department = assignment.inquiry.department
    roster = absences.roster(department)
    deputy = roster.stand_in(assignment.user_id, Role(assignment.kind.value))
    if deputy is None or deputy.id != by.user_id or not _open_to(assignment, by):
        raise NotFound
    return assignment


def take_over(assignment: Assignment, *, by: Actor) -> Assignment:
    """Be asked instead of somebody who is away, as the deputy and in the same role; until the same day.

    :raises NotFound: not the actor's to take over, or not any more.
    :raises Conflict: it was answered or taken off already, or the portal suspects an interest that a coordinator has
        to judge first.
    """
    inquiry = assignment.inquiry
    take(inquiry, by=by)
    db.session.refresh(assignment)
    if assignment.released_at is not None or assignment.answered_at is not None:
        raise Conflict(_("This answer is not waited for any more."))
    assignment = asked_of_absent(assignment.id, by=by)
    person = db.session.get_one(User, by.user_id)
    if interests.suggest(inquiry, [person])[person.id]:
        raise Conflict(
            _(
                "The portal sees a possible conflict of interest of yours here; a coordinator has to judge it first."
            )
        )
    absent = assignment.user
    tell(inquiry, Kind.DEPUTY, by=by, data={"person": absent.id, "name": absent.name, "as": assignment.kind})
    try:
        return triage.hand_over(inquiry, assignment, person, by=by)
    except Invalid as refusal:
        raise Conflict(refusal.message) from None


def _asked(absent: int, department_id: int, roles: Iterable[Role], actor: Actor, most: int) -> list[Asked]:
    kinds = [
        kind for kind in AssignmentKind if Role(kind.value) in roles and _may(actor, kind, department_id)
    ]
    if not kinds:
        return []
    rows = db.session.execute(
        sa.select(Assignment.id, Inquiry.reference, Assignment.kind, Assignment.due_on)
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(
            Assignment.user_id == absent,
            Assignment.kind.in_(kinds),
            *_unanswered(),
            Inquiry.department_id == department_id,
            ~_closed_to(actor.user_id),
        )
        .order_by(Assignment.due_on, Assignment.id)
        .limit(most)
    )
    return [Asked(*row) for row in rows]


def _in_hand(absent: int, department: Department, actor: Actor, most: int) -> list[InHand]:
    rows = db.session.execute(
        sa.select(Inquiry.reference, Inquiry.title, Inquiry.status, Inquiry.due_at, Inquiry.unread)
        .where(
            Inquiry.coordinator_id == absent,
            Inquiry.department_id == department.id,
            sa.or_(Inquiry.status.in_(sorted(OURS)), Inquiry.unread),
            visible(actor),
        )
        .order_by(Inquiry.unread.desc(), Inquiry.due_at, Inquiry.id)
        .limit(most)
    )
    now = clock.now()
    return [
        InHand(
            reference,
            title,
            status,
            clock.local_day(due_at, department.timezone) if due_at else None,
            status in OURS and due_at is not None and due_at < now,
            unread,
        )
        for reference, title, status, due_at, unread in rows
    ]


def _unanswered() -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Assignment.released_at.is_(None),
        Assignment.answered_at.is_(None),
        Inquiry.status == Status.IN_REVIEW,
    )


def _closed_to(user_id: int | None) -> sa.ColumnElement[bool]:
    """Not for this deputy: a declared conflict, or a part of his own in it already."""
    conflict = sa.exists(
        sa.select(sa.literal(1)).where(
            ConflictOfInterest.inquiry_id == Inquiry.id, ConflictOfInterest.user_id == user_id
        )
    )
    mine = aliased(Assignment)
    part = sa.exists(sa.select(sa.literal(1)).where(mine.inquiry_id == Inquiry.id, mine.user_id == user_id))
    return sa.or_(conflict, part)


def _open_to(assignment: Assignment, actor: Actor) -> bool:
    inquiry = assignment.inquiry
    if not _may(actor, assignment.kind, inquiry.department_id):
        return False
    found = db.session.scalar(
        sa.select(Assignment.id)
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(Assignment.id == assignment.id, *_unanswered(), ~_closed_to(actor.user_id))
    )
    return found is not None


def _may(actor: Actor, kind: AssignmentKind, department_id: int) -> bool:
    needed = Permission.ANSWER_AS_HOST if kind is AssignmentKind.HOST else Permission.REVIEW
    return may(actor, needed, department_id)
