"""What happens by itself when time passes: reminders, closing without reply, telling of delays, escalation.

Each function names inquiries that are due; each is then handled in a unit of work of its own, so that one that fails
does not stop the others. Handled twice (two workers, a restart) nothing happens twice: every verb looks again.
"""

from datetime import timedelta

import sqlalchemy as sa

from collab.accounts import SYSTEM
from collab.core import clock
from collab.core.db import db
from collab.departments import working_calendar
from collab.inquiries import clocks, notices
from collab.inquiries.history import Kind, move, take, tell
from collab.inquiries.models import Assignment, Inquiry
from collab.inquiries.statuses import OPEN, OURS, Status, Step

#: How many are handled in one round; the next round takes the rest.
BATCH = 200


def waiting_for_partner() -> list[int]:
    """Inquiries whose question may need a reminder or has run out."""
    earliest = clock.now() - timedelta(days=1)
    return _ids(Inquiry.status == Status.NEEDS_INFO, Inquiry.paused_at <= earliest)


def remind_or_lapse(inquiry_id: int) -> None:
    """Remind on the set days (M3r); close when the date has passed (M11)."""
    inquiry = db.session.get_one(Inquiry, inquiry_id)
    now = take(inquiry)
    if inquiry.status is not Status.NEEDS_INFO or inquiry.paused_at is None or inquiry.due_at is None:
        return
    if now > inquiry.due_at:
        move(inquiry, Step.LAPSE, Status.LAPSED, by=SYSTEM)
        notices.lapsed(inquiry)
        return
    reminders = inquiry.department.settings.service_levels.needs_info_reminders
    passed = (now - inquiry.paused_at).days
    number = sum(1 for day in reminders if passed >= day)
    if number > inquiry.reminded:
        inquiry.reminded = number
        notices.question_reminder(
            inquiry, number, clock.local_day(inquiry.due_at, inquiry.department.timezone)
        )
        tell(inquiry, Kind.REMINDED, by=SYSTEM, data={"number": number})


def on_waiting_list() -> list[int]:
    """Inquiries on the waiting list whose refresh is due."""
    return _ids(Inquiry.status == Status.WAITLISTED, Inquiry.due_at <= clock.now())


def refresh_or_lapse(inquiry_id: int) -> None:
    """Ask whether the wish still stands; close when the answer did not come within the time for an offer."""
    inquiry = db.session.get_one(Inquiry, inquiry_id)
    now = take(inquiry)
    if inquiry.status is not Status.WAITLISTED or inquiry.due_at is None or inquiry.due_at > now:
        return
    if inquiry.reminded:
        move(inquiry, Step.LAPSE, Status.LAPSED, by=SYSTEM)
        notices.lapsed(inquiry)
        return
    inquiry.reminded = 1
    inquiry.due_at = clocks.days_from(
        inquiry, now, inquiry.department.settings.service_levels.offer_reply_days
    )
    notices.still_interested(inquiry, clock.local_day(inquiry.due_at, inquiry.department.timezone))
    tell(inquiry, Kind.REMINDED, by=SYSTEM)


def overdue() -> list[int]:
    """Inquiries on which the department is late and that are not marked so yet, or not escalated."""
    return _ids(
        Inquiry.status.in_(OURS),
        Inquiry.due_at < clock.now(),
        sa.or_(Inquiry.urgency == clocks.NORMAL, Inquiry.escalated_at.is_(None)),
    )


def mark_late_and_escalate(inquiry_id: int) -> None:
    """A late one rises in the queue at once; one working day later the head is told (S3)."""
    inquiry = db.session.get_one(Inquiry, inquiry_id)
    now = take(inquiry)
    if not clocks.is_late(inquiry, now):
        return
    if inquiry.urgency == clocks.NORMAL:
        inquiry.urgency = clocks.LATE
    if inquiry.escalated_at is None and clocks.working_days_since_due(inquiry, now) >= 1:
        inquiry.escalated_at = now
        notices.overdue(inquiry)
        tell(inquiry, Kind.ESCALATED, by=SYSTEM)


def promises_broken() -> list[int]:
    """Inquiries whose partner was promised a first answer or a decision by a date that has passed."""
    now = clock.now()
    return _ids(
        Inquiry.status.in_(OURS),
        sa.or_(
            sa.and_(Inquiry.first_answer_at.is_(None), Inquiry.first_answer_due < now),
            Inquiry.decision_due < now,
        ),
    )


def tell_late(inquiry_id: int) -> None:
    """Tell the partner before the partner has to ask (M4d), and set the new date the letter names."""
    inquiry = db.session.get_one(Inquiry, inquiry_id)
    now = take(inquiry)
    if inquiry.status not in OURS:
        return
    first = (
        inquiry.first_answer_at is None
        and inquiry.first_answer_due is not None
        and inquiry.first_answer_due < now
    )
    decision = inquiry.decision_due is not None and inquiry.decision_due < now
    if not (first or decision) or (inquiry.held_until is not None and inquiry.held_until > now):
        return
    zone = inquiry.department.timezone
    levels = inquiry.department.settings.service_levels
    days = levels.first_answer_days if first else levels.host_answer_days
    new_date = working_calendar(inquiry.department).add(clock.local_day(now, zone), days)
    if first:
        inquiry.first_answer_due = clock.end_of_day(new_date, zone)
    if decision:
        inquiry.decision_due = clock.end_of_day(new_date, zone)
    inquiry.told_late_at = now
    notices.late(inquiry, new_date)
    tell(inquiry, Kind.TOLD_LATE, by=SYSTEM, data={"new_date": new_date.isoformat()})


def assignments_due() -> list[int]:
    """Assignments without an answer that are due within three days or overdue, and not reminded today."""
    now = clock.now()
    return list(
        db.session.scalars(
            sa.select(Assignment.id)
            .join(Inquiry)
            .where(
                Assignment.released_at.is_(None),
                Assignment.answered_at.is_(None),
                Assignment.due_on <= (now + timedelta(days=3)).date(),
                Assignment.assigned_at <= now - timedelta(days=1),  # the mail that assigns it says the date
                Inquiry.status == Status.IN_REVIEW,
                sa.or_(Assignment.reminded_at.is_(None), Assignment.reminded_at < now - timedelta(days=3)),
            )
            .order_by(Assignment.id)
            .limit(BATCH)
        )
    )


def remind_assignee(assignment_id: int) -> None:
    """S2: your answer is due."""
    assignment = db.session.get_one(Assignment, assignment_id)
    take(assignment.inquiry)
    now = clock.now()
    if assignment.answered_at or assignment.released_at or assignment.inquiry.status is not Status.IN_REVIEW:
        return
    if assignment.reminded_at is not None and assignment.reminded_at >= now - timedelta(days=3):
        return
    assignment.reminded_at = now
    notices.assignment_due(assignment.inquiry, assignment)


def _ids(*conditions: sa.ColumnElement[bool]) -> list[int]:
    return list(
        db.session.scalars(sa.select(Inquiry.id).where(*conditions).order_by(Inquiry.id).limit(BATCH))
    )


#: What the worker runs every minute: which are due, and what is done with each.
ROUNDS = (
    ("questions", waiting_for_partner, remind_or_lapse),
    ("waiting_list", on_waiting_list, refresh_or_lapse),
    ("promises", promises_broken, tell_late),
    ("overdue", overdue, mark_late_and_escalate),
    ("assignments", assignments_due, remind_assignee),
)

assert OURS <= OPEN
