"""What happens by itself when time passes: reminders, closing without reply, telling of delays, escalation.

``deadlines`` says what is due when; ``ACTS`` says what is done at each of its marks. ``Inquiry.wake_at`` holds when an
inquiry is to be looked at next; each is handled in a unit of work of its own, so that one that fails does not stop the
others. Handled twice (two workers, a restart) nothing happens twice: what was done is kept as a ``Reminder``.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from collab.accounts import SYSTEM
from collab.core import clock
from collab.core.db import db
from collab.departments import working_calendar
from collab.inquiries import clocks, deadlines, gates, notices
from collab.inquiries.deadlines import DueDate, Mark, Moment, What
from collab.inquiries.history import Kind, move, take, tell
from collab.inquiries.models import Inquiry, Reminder
from collab.inquiries.statuses import OPEN, OURS, Status, Step

#: How many are handled in one round; the next round takes the rest.
BATCH = 200
#: Each open inquiry is looked at so often at least: a department may change its settings.
AT_LEAST = timedelta(days=1)


def waking() -> list[int]:
    """Inquiries to look at now."""
    return list(
        db.session.scalars(
            sa.select(Inquiry.id)
            .where(Inquiry.wake_at <= clock.now())
            .order_by(Inquiry.wake_at, Inquiry.id)
            .limit(BATCH)
        )
    )


def look(inquiry_id: int) -> None:
    """Do what is due on one inquiry, each thing once, and note when to look again.

    Of several reminders that were missed, the last is sent: who slept through a week gets one mail.
    """
    inquiry = db.session.get_one(Inquiry, inquiry_id)
    now = take(inquiry, erased=True)
    if inquiry.status in OPEN:
        done = {row.key for row in db.session.scalars(sa.select(Reminder).filter_by(inquiry_id=inquiry.id))}
        for due in deadlines.due_dates(inquiry, now=now):
            if inquiry.status not in OPEN:  # it was closed by what was due before
                break
            for moments in _missed(due, done, now):
                for moment in moments:
                    db.session.add(Reminder(inquiry_id=inquiry.id, key=due.key(moment), at=now))
                ACTS[due.what, moments[-1].mark](inquiry, due, moments[-1], now)
                if inquiry.status not in OPEN:
                    break
        for key in gates.remind(inquiry, done, now):
            db.session.add(Reminder(inquiry_id=inquiry.id, key=key, at=now))
        _tell_late(inquiry, now)
        if inquiry.urgency == clocks.NORMAL and clocks.is_late(inquiry, now):
            inquiry.urgency = clocks.LATE
    db.session.flush()
    # Past the version of the row: looking is no change that somebody who has the page open would have to see.
    db.session.execute(
        sa.update(Inquiry)
        .where(Inquiry.id == inquiry.id)
        .values(wake_at=_wake_at(inquiry, now))
        .execution_options(synchronize_session=False)
    )


def _missed(due: DueDate, done: set[str], now: datetime) -> list[list[Moment]]:
    """The marks that have come and were not acted on, those of one kind together."""
    found: dict[Mark, list[Moment]] = {}
    for moment in due.moments:
        if moment.at <= now and due.key(moment) not in done:
            found.setdefault(moment.mark, []).append(moment)
    return list(found.values())


def _wake_at(inquiry: Inquiry, now: datetime) -> datetime | None:
    """When something is to be done next."""
    if inquiry.status not in OPEN:
        return None
    moments = [now + AT_LEAST]
    for due in deadlines.due_dates(inquiry, now=now):
        moments += [moment.at for moment in due.moments if moment.at > now]
        if due.due >= now:
            moments.append(due.due + timedelta(seconds=1))
    told = clocks.told_late_from(inquiry)
    if told is not None and told > now and inquiry.status in OURS:
        moments.append(told)
    if inquiry.held_until is not None and inquiry.held_until > now:
        moments.append(inquiry.held_until)
    return min(moments)


# -- what is done at a mark --------------------------------------------------------------------------------------


def _warn(inquiry: Inquiry, due: DueDate, moment: Moment, now: datetime) -> None:
    """S2: a step of the coordinator's is due soon."""
    notices.due_soon(inquiry, due)


def _escalate(inquiry: Inquiry, due: DueDate, moment: Moment, now: datetime) -> None:
    """S3: it is late, and the head is told; of a decision again every week."""
    inquiry.escalated_at = now
    notices.overdue(inquiry, due)
    tell(inquiry, Kind.ESCALATED, by=SYSTEM, data={"due": due.what})


def _remind_person(inquiry: Inquiry, due: DueDate, moment: Moment, now: datetime) -> None:
    """S2: the host's or reviewer's answer is due, or overdue."""
    assert due.assignment is not None
    due.assignment.reminded_at = now
    notices.assignment_due(inquiry, due.assignment)


def _ask_to_replace(inquiry: Inquiry, due: DueDate, moment: Moment, now: datetime) -> None:
    """S3: somebody did not answer, and the coordinator is asked to find another."""
    assert due.assignment is not None
    due.assignment.late_at = now
    notices.replacement_needed(inquiry, due.assignment)
    tell(
        inquiry,
        Kind.NO_ANSWER,
        by=SYSTEM,
        data={"person": due.assignment.user_id, "name": due.assignment.user.name, "as": due.assignment.kind},
    )


def _remind_partner(inquiry: Inquiry, due: DueDate, moment: Moment, now: datetime) -> None:
    """M3r: the question still waits."""
    inquiry.reminded = moment.number
    notices.question_reminder(inquiry, moment.number, _day(inquiry, due.due))
    tell(inquiry, Kind.REMINDED, by=SYSTEM, data={"number": moment.number})


def _remind_of_offer(inquiry: Inquiry, due: DueDate, moment: Moment, now: datetime) -> None:
    """M12r: whether the wish still stands is not answered yet."""
    inquiry.reminded = moment.number
    notices.interest_reminder(inquiry, moment.number, _day(inquiry, due.due))
    tell(inquiry, Kind.REMINDED, by=SYSTEM, data={"number": moment.number})


def _lapse(inquiry: Inquiry, due: DueDate, moment: Moment, now: datetime) -> None:
    """M11: no answer came."""
    move(inquiry, Step.LAPSE, Status.LAPSED, by=SYSTEM)
    notices.lapsed(inquiry)


def _refresh(inquiry: Inquiry, due: DueDate, moment: Moment, now: datetime) -> None:
    """M12: those on the waiting list are asked whether the wish still stands."""
    answer_by = clocks.ask_for_interest(inquiry, now)
    notices.still_interested(inquiry, _day(inquiry, answer_by))
    tell(inquiry, Kind.REMINDED, by=SYSTEM)


ACTS: dict[tuple[What, Mark], Callable[[Inquiry, DueDate, Moment, datetime], None]] = {
    (What.TRIAGE, Mark.WARN): _warn,
    (What.TRIAGE, Mark.ESCALATE): _escalate,
    (What.FIRST_ANSWER, Mark.WARN): _warn,
    (What.FIRST_ANSWER, Mark.ESCALATE): _escalate,
    (What.HOST_ANSWER, Mark.REMIND): _remind_person,
    (What.HOST_ANSWER, Mark.REPLACE): _ask_to_replace,
    (What.REVIEW, Mark.REMIND): _remind_person,
    (What.REVIEW, Mark.REPLACE): _ask_to_replace,
    (What.NEXT_STEP, Mark.WARN): _warn,
    (What.NEXT_STEP, Mark.ESCALATE): _escalate,
    (What.DECISION, Mark.WARN): _warn,
    (What.DECISION, Mark.ESCALATE): _escalate,
    (What.TOTAL, Mark.WARN): _warn,
    (What.PARTNER_ANSWER, Mark.REMIND): _remind_partner,
    (What.PARTNER_ANSWER, Mark.END): _lapse,
    (What.INTEREST, Mark.REMIND): _remind_of_offer,
    (What.INTEREST, Mark.END): _lapse,
    (What.WAITLIST_REFRESH, Mark.LATE): _refresh,
}


def _tell_late(inquiry: Inquiry, now: datetime) -> None:
    """M4d: tell the partner while the promise still holds, and name a later date, which is the promise from then on."""
    first = inquiry.first_answer_at is None
    promised, moment = clocks.promise(inquiry, first=first), clocks.told_late_from(inquiry)
    held = inquiry.held_until is not None and inquiry.held_until > now
    if inquiry.status not in OURS or promised is None or moment is None or moment > now or held:
        return
    levels = inquiry.department.settings.service_levels
    days = max(levels.first_answer_days if first else levels.host_answer_days, 1)
    calendar = working_calendar(inquiry.department)
    new_date = max(calendar.add(_day(inquiry, now), days), calendar.add(_day(inquiry, promised), 1))
    inquiry.promised_anew = clock.end_of_day(new_date, inquiry.department.timezone)
    inquiry.told_late_at = now
    notices.late(inquiry, new_date)
    tell(inquiry, Kind.TOLD_LATE, by=SYSTEM, data={"new_date": new_date.isoformat()})


def _day(inquiry: Inquiry, moment: datetime) -> date:
    return clock.local_day(moment, inquiry.department.timezone)


#: What the worker runs every minute: which are due, and what is done with each.
ROUNDS = (("due_dates", waking, look),)

assert OURS <= OPEN
