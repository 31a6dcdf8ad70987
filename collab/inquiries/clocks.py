"""The clocks of an inquiry (domain.md B.6): what is due when, in working days of the department's calendar.

The clock pauses while the partner is asked (``needs_info``). "By Thursday" means all of Thursday at the department's
place.
"""

from datetime import date, datetime, timedelta

from collab.core import clock
from collab.departments import working_calendar
from collab.inquiries.models import AssignmentKind, Inquiry
from collab.inquiries.reasons import Reason
from collab.inquiries.statuses import OPEN, OURS, Status

#: Kept in ``Inquiry.urgency``; the queue shows the highest first.
URGENT, LATE, NORMAL = 2, 1, 0


def working_days_from(inquiry: Inquiry, moment: datetime, days: int) -> datetime:
    """The end of the day that lies so many working days after a moment."""
    zone = inquiry.department.timezone
    start = clock.local_day(moment, zone)
    return clock.end_of_day(working_calendar(inquiry.department).add(start, days), zone)


def days_from(inquiry: Inquiry, moment: datetime, days: int) -> datetime:
    """The end of the day that lies so many calendar days after a moment."""
    zone = inquiry.department.timezone
    return clock.end_of_day(clock.local_day(moment, zone) + timedelta(days=days), zone)


def start(inquiry: Inquiry, now: datetime) -> None:
    """The e-mail is confirmed: from now on the department owes an answer."""
    levels = inquiry.department.settings.service_levels
    inquiry.first_answer_due = working_days_from(inquiry, now, levels.first_answer_days)
    inquiry.decision_due = days_from(inquiry, now, levels.total_days.of(inquiry.track))
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
    """The partner answered: what was due is due later by as long as the clock stood still."""
    if inquiry.paused_at is None:
        return
    stood = now - inquiry.paused_at
    zone = inquiry.department.timezone
    if inquiry.decision_due is not None:
        inquiry.decision_due = clock.end_of_day(clock.local_day(inquiry.decision_due + stood, zone), zone)
    if inquiry.first_answer_due is not None and inquiry.first_answer_at is None:
        inquiry.first_answer_due = clock.end_of_day(
            clock.local_day(inquiry.first_answer_due + stood, zone), zone
        )
    # What was asked of a host or reviewer waits for the partner's answer as well.
    for assignment in inquiry.assignments:
        if assignment.released_at is None and assignment.answered_at is None:
            assignment.due_on += stood
    inquiry.paused_at = None


def set_due(inquiry: Inquiry, now: datetime) -> None:
    """Set ``due_at``, the date of the next step, from where the inquiry stands now."""
    levels = inquiry.department.settings.service_levels
    match inquiry.status:
        case Status.RECEIVED:
            if inquiry.first_answer_at is None:
                inquiry.due_at = inquiry.first_answer_due
            else:
                inquiry.due_at = working_days_from(inquiry, now, levels.triage_days)
        case Status.IN_REVIEW:
            waiting = [
                a.due_on for a in inquiry.assignments if a.released_at is None and a.answered_at is None
            ]
            inquiry.due_at = (
                clock.end_of_day(min(waiting), inquiry.department.timezone)
                if waiting
                else working_days_from(inquiry, now, levels.triage_days)
            )
        case Status.DECISION_READY:
            inquiry.due_at = working_days_from(inquiry, now, levels.decision_days)
        case Status.WAITLISTED:
            inquiry.due_at = days_from(inquiry, now, levels.waitlist_refresh_days)
        case Status.NEEDS_INFO | Status.CONDITIONAL:
            pass  # set by the verb: the date the partner, or the owner of the condition, was given
        case _:
            inquiry.due_at = None
    if inquiry.status not in OPEN or (inquiry.urgency == LATE and not is_late(inquiry, now)):
        inquiry.urgency = NORMAL


def is_late(inquiry: Inquiry, now: datetime) -> bool:
    """Whether the department owes something that is overdue. Never while the partner is asked."""
    return inquiry.status in OURS and inquiry.due_at is not None and inquiry.due_at < now


def working_days_since_due(inquiry: Inquiry, now: datetime) -> int:
    """Working days that have begun since what is overdue was due: 0 on the weekend after a Friday."""
    if inquiry.due_at is None or not is_late(inquiry, now):
        return 0
    zone = inquiry.department.timezone
    return working_calendar(inquiry.department).between(
        clock.local_day(inquiry.due_at, zone), clock.local_day(now, zone)
    )


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
    due = inquiry.first_answer_due
    return clock.local_day(due, inquiry.department.timezone) if due else None


def is_patient_request(reason: Reason | None) -> bool:
    """Patients' requests are answered within a working day."""
    return reason is Reason.PATIENT_REQUEST
