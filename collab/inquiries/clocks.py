"""The clocks of an inquiry (domain.md B.6): what is due when, in working days of the department's calendar.

The clock pauses while the partner is asked (``needs_info``). "By Thursday" means all of Thursday at the department's
place.
"""

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import object_session

from collab.core import clock
from collab.departments import working_calendar
from collab.inquiries import deadlines
from collab.inquiries.deadlines import days_from, working_days_from
from collab.inquiries.models import AssignmentKind, Inquiry
from collab.inquiries.statuses import OPEN, OURS, Status

#: Kept in ``Inquiry.urgency``; the queue shows the highest first.
URGENT, LATE, NORMAL = 2, 1, 0


def start(inquiry: Inquiry, now: datetime) -> None:
    """The e-mail is confirmed, or the inquiry is open again: from now on the department owes an answer.

    Who was asked before it was closed and had not answered is not asked any more: it is routed anew.
    """
    for assignment in inquiry.assignments:
        if assignment.released_at is None and assignment.answered_at is None:
            assignment.released_at = now
    levels = inquiry.department.settings.service_levels
    inquiry.first_answer_due = working_days_from(inquiry, now, levels.first_answer_days)
    inquiry.decision_due = days_from(inquiry, now, levels.total_days.of(inquiry.track))
    inquiry.promised_anew = None
    set_due(inquiry, now)


def expedite(inquiry: Inquiry, now: datetime) -> None:
    """A patient wrote: the answer is due within a working day."""
    levels = inquiry.department.settings.service_levels
    inquiry.urgency = URGENT
    if inquiry.first_answer_at is None:
        inquiry.first_answer_due = working_days_from(
            inquiry, inquiry.confirmed_at or now, levels.patient_request_days
        )
    set_due(inquiry, now)


def pause(inquiry: Inquiry, now: datetime) -> None:
    """The partner is asked: the department's clocks stand still."""
    inquiry.paused_at = now
    inquiry.reminded = 0


def resume(inquiry: Inquiry, now: datetime) -> None:
    """The partner answered: what was due is due later by as long as the clock stood still.

    What counts in working days has as many of them left as before, what counts in calendar days is put off by the days
    that passed.
    """
    if inquiry.paused_at is None:
        return
    paused, today = (
        clock.local_day(moment, inquiry.department.timezone) for moment in (inquiry.paused_at, now)
    )
    zone = inquiry.department.timezone

    def later(due: datetime) -> datetime:
        return clock.end_of_day(clock.local_day(due, zone) + (today - paused), zone)

    if inquiry.decision_due is not None:
        inquiry.decision_due = later(inquiry.decision_due)
    if inquiry.promised_anew is not None:
        inquiry.promised_anew = later(inquiry.promised_anew)
    if inquiry.first_answer_due is not None and inquiry.first_answer_at is None:
        left = clock.local_day(inquiry.first_answer_due, zone)
        inquiry.first_answer_due = clock.end_of_day(_days_left(inquiry, left, paused, today), zone)
    # What was asked of a host or reviewer waits for the partner's answer as well.
    for assignment in inquiry.assignments:
        if assignment.released_at is None and assignment.answered_at is None:
            assignment.due_on = _days_left(inquiry, assignment.due_on, paused, today)
    inquiry.paused_at = None


def _days_left(inquiry: Inquiry, due: date, paused: date, today: date) -> date:
    """The day that is due from today in as many working days as it was when the clock stopped."""
    calendar = working_calendar(inquiry.department)
    day = calendar.add(today, calendar.between(paused, due))
    return day if calendar.is_working(day) else calendar.add(day, 1)


def set_due(inquiry: Inquiry, now: datetime) -> None:
    """Set ``due_at``, the date of the next step, from where the inquiry stands now."""
    match inquiry.status:
        case Status.RECEIVED | Status.IN_REVIEW | Status.DECISION_READY:
            inquiry.due_at = deadlines.earliest(inquiry, now=now)
        case Status.WAITLISTED:
            days = inquiry.department.settings.service_levels.waitlist_refresh_days
            inquiry.due_at = (
                inquiry.interest_due
                if deadlines.waits_for_interest(inquiry)
                else days_from(inquiry, deadlines.on_list_since(inquiry), days)
            )
        case Status.NEEDS_INFO | Status.CONDITIONAL:
            pass  # set by the verb: the date the partner, or the owner of the condition, was given
        case _:
            inquiry.due_at = None
    if inquiry.status not in OPEN or (inquiry.urgency == LATE and not is_late(inquiry, now)):
        inquiry.urgency = NORMAL


def ask_for_interest(inquiry: Inquiry, now: datetime) -> datetime:
    """The partner is asked whether the wish still stands; returns until when to answer."""
    days = inquiry.department.settings.service_levels.offer_reply_days
    inquiry.interest_asked_at = max(
        now, inquiry.status_since
    )  # of what was asked at an earlier stage nothing is left
    inquiry.interest_extended_at = inquiry.interest_given_at = None
    return _answer_by(inquiry, days_from(inquiry, now, days), now)


def give_more_time(inquiry: Inquiry, now: datetime) -> datetime:
    """The partner needs longer for an answer: as long again, counted from the first date."""
    assert inquiry.interest_due is not None
    days = inquiry.department.settings.service_levels.offer_reply_days
    inquiry.interest_extended_at = now
    return _answer_by(inquiry, days_from(inquiry, inquiry.interest_due, days), now)


def _answer_by(inquiry: Inquiry, due: datetime, now: datetime) -> datetime:
    inquiry.interest_due = due
    if inquiry.status is Status.DECISION_READY:  # a place was offered: the decision is owed after the answer
        levels = inquiry.department.settings.service_levels
        inquiry.decision_due = working_days_from(inquiry, due, levels.decision_days)
    set_due(inquiry, now)
    return due


def interest_given(inquiry: Inquiry, now: datetime) -> None:
    """The wish still stands: the waiting list is asked again in its time; where a place is free, the head decides."""
    offered = inquiry.status is Status.DECISION_READY and deadlines.waits_for_interest(inquiry)
    inquiry.interest_given_at = now
    if offered:
        levels = inquiry.department.settings.service_levels
        inquiry.decision_due = working_days_from(inquiry, now, levels.decision_days)
    set_due(inquiry, now)


def promise(inquiry: Inquiry, *, first: bool) -> datetime | None:
    """By when the partner was told to hear from us, or the later date we named since.

    :param first: whether the first answer by a person is still owed, or the decision.
    """
    due = inquiry.first_answer_due if first else inquiry.decision_due
    return max((moment for moment in (due, inquiry.promised_anew) if moment), default=None)


#: However late on the last day something began, the partner is not told of a delay in the same breath.
AT_LEAST = timedelta(hours=4)


def told_late_from(inquiry: Inquiry) -> datetime | None:
    """From when the partner is told that a promise will not be kept: on its last working day, before it is broken.

    A last day that is not worked is looked after on the working day before, unless it began later than that.
    """
    promised = promise(inquiry, first=inquiry.first_answer_at is None)
    if promised is None:
        return None
    zone, calendar = inquiry.department.timezone, working_calendar(inquiry.department)
    last = clock.local_day(promised, zone)
    since = max(moment for moment in (inquiry.status_since, inquiry.told_late_at) if moment)
    worked = last if calendar.is_working(last) else calendar.add(last, -1)
    day = max(worked, min(last, clock.local_day(since, zone)))
    told = clock.time_of_day(day, inquiry.department.settings.service_levels.late_notice_time, zone)
    return max(told, min(promised, since + AT_LEAST))


def is_late(inquiry: Inquiry, now: datetime) -> bool:
    """Whether the department owes something that is overdue. Never while the partner is asked."""
    return inquiry.status in OURS and inquiry.due_at is not None and inquiry.due_at < now


def suggested_due(inquiry: Inquiry, kind: AssignmentKind, now: datetime) -> date:
    """The due date a new assignment gets unless the coordinator chooses another."""
    levels = inquiry.department.settings.service_levels
    days = levels.host_answer_days if kind is AssignmentKind.HOST else levels.review_days
    zone = inquiry.department.timezone
    return working_calendar(inquiry.department).add(clock.local_day(now, zone), days)


def suggested_answer_date(inquiry: Inquiry, now: datetime) -> date:
    """Until when a partner may answer a question, unless the coordinator chooses another date."""
    days = inquiry.department.settings.service_levels.needs_info_days
    return clock.local_day(now, inquiry.department.timezone) + timedelta(days=days)


def promised_answer(inquiry: Inquiry) -> date | None:
    """The day by which a person answers, as promised to the partner."""
    due = promise(inquiry, first=True)
    return clock.local_day(due, inquiry.department.timezone) if due else None


@sa.event.listens_for(Inquiry, "before_insert")
@sa.event.listens_for(Inquiry, "before_update")
def _look_again(_mapper: Any, _connection: Any, inquiry: Inquiry) -> None:
    """Whatever changes on an open inquiry, the clockwork looks at it next and finds out what is due when."""
    session = object_session(inquiry)
    if session is not None and (session.is_modified(inquiry) or inquiry.id is None):
        inquiry.wake_at = clock.now() if inquiry.status in OPEN else None
