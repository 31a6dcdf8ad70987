"""What is due for one person, or in a department, as items for a calendar, a feed and the digest.

An item says which inquiry (its reference), what and by when: no name, no topic. It is made from the table of due dates
(``reviews.all_due_dates``). What somebody is asked and has not declared his interests in stands in it too, since he
owes the answer; the inquiry itself opens after that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from collab import departments, reviews
from collab.accounts.actor import Actor
from collab.core import clock
from collab.core.db import db
from collab.departments import Department
from collab.inquiries import Assignment, AssignmentKind, Inquiry, InquiryEvent, Status, queries
from collab.inquiries.deadlines import What, Who
from collab.inquiries.models import Declaration
from collab.reviews import Due

#: So many inquiries are looked at for one calendar or feed.
MOST = 500
#: What somebody asked owes, by what he was asked as.
ASKED = {
    AssignmentKind.HOST: (What.HOST_ANSWER, Who.HOST),
    AssignmentKind.REVIEWER: (What.REVIEW, Who.REVIEWER),
}


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that is due.

    :param day: on which it is due, at the department's place.
    :param person: who is asked, where it is somebody in particular.
    :param gate: which gate, where it is one: for pages alone, a feed and a mail say no more than "a gate".
    :param uid: stays the same however often the date changes.
    :param sequence: rises with every change of the inquiry.
    """

    reference: str
    inquiry_id: int
    what: What
    who: Who
    day: date
    late: bool
    soon: bool
    since: datetime
    uid: str
    sequence: int
    person: str = ""
    gate: str = ""
    mine: bool = False
    declared: bool = True


def items(*, seen_by: Actor, until: datetime, mine: bool, most: int = MOST) -> list[Item]:
    """What is due (or overdue) by a moment, the earliest first: five queries, however many.

    :param mine: only what this very person owes.
    """
    now = clock.now()
    found = [
        _item(one, seen_by, now)
        for one in reviews.all_due_dates(seen_by=seen_by, until=until, mine=mine, most=most)
        if one.who is not Who.PORTAL
    ]
    known = {one.uid for one in found}
    found += [one for one in _undeclared(seen_by, until, now) if one.uid not in known]
    return sorted(found, key=lambda one: (one.day, one.reference, one.what, one.uid))


def _item(due: Due, actor: Actor, now: datetime) -> Item:
    inquiry = due.inquiry
    number = next((one.id for one in (due.assignment, due.gate, due.condition) if one is not None), 0)
    return Item(
        reference=inquiry.reference,
        inquiry_id=inquiry.id,
        what=due.what,
        who=due.who,
        day=clock.local_day(due.due, inquiry.department.timezone),
        late=due.late(now),
        soon=due.soon(now),
        since=due.since,
        uid=_uid(due.what, inquiry.id, number),
        sequence=inquiry.version,
        person=due.person.name if due.person else "",
        gate=due.text if due.gate else "",
        mine=reviews.owed_by(due, actor),
    )


def _undeclared(actor: Actor, until: datetime, now: datetime) -> list[Item]:
    """What the person is asked and has not declared his interests in."""
    declared = sa.exists(
        sa.select(sa.literal(1)).where(
            Declaration.inquiry_id == Assignment.inquiry_id, Declaration.user_id == Assignment.user_id
        )
    )
    rows = db.session.execute(
        sa.select(
            Assignment.id,
            Assignment.kind,
            Assignment.due_on,
            Assignment.assigned_at,
            Inquiry.id,
            Inquiry.reference,
            Inquiry.department_id,
            Inquiry.version,
        )
        .join(Inquiry, Inquiry.id == Assignment.inquiry_id)
        .where(
            Assignment.user_id == actor.user_id,
            Assignment.released_at.is_(None),
            Assignment.answered_at.is_(None),
            Inquiry.status == Status.IN_REVIEW,
            ~declared,
            queries.given_or_visible(actor),
        )
        .order_by(Assignment.due_on, Assignment.id)
        .limit(MOST)
    ).all()
    here = places(row[6] for row in rows)
    found = []
    for id, kind, due_on, since, inquiry_id, reference, department_id, version in rows:
        due = clock.end_of_day(due_on, here[department_id].timezone)
        if due > until:
            continue
        what, who = ASKED[kind]
        found.append(
            Item(
                reference=reference,
                inquiry_id=inquiry_id,
                what=what,
                who=who,
                day=due_on,
                late=now > due,
                soon=False,
                since=since,
                uid=_uid(what, inquiry_id, id),
                sequence=version,
                mine=True,
                declared=False,
            )
        )
    return found


def changed_at(found: Iterable[Item]) -> dict[int, datetime]:
    """When something last happened to each of the inquiries."""
    ids = sorted({one.inquiry_id for one in found})
    if not ids:
        return {}
    rows = db.session.execute(
        sa.select(InquiryEvent.inquiry_id, sa.func.max(InquiryEvent.at, type_=InquiryEvent.at.type))
        .where(InquiryEvent.inquiry_id.in_(ids))
        .group_by(InquiryEvent.inquiry_id)
    )
    return {id: at for id, at in rows}  # noqa: C416


def places(ids: Iterable[int]) -> dict[int, Department]:
    """Departments by id; nothing is read where none is wanted."""
    wanted = set(ids)
    return {one.id: one for one in departments.all_departments()} if wanted else {}


def _uid(what: What, inquiry_id: int, number: int) -> str:
    return f"{what}-{inquiry_id}-{number}"
