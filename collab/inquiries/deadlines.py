"""What is due when, by whom (domain.md B.6): one table, and one function over it that everything else asks.

``TABLE`` says for each step who owes it, from when until when, and on which days somebody is reminded, warned or asked
to step in. ``due_dates`` applies it to one inquiry. Pages, calendars, digests, the queue's ``due_at`` and the
clockwork, which does what the marks say, all read the same rows.

"By Thursday" means all of Thursday at the department's place. A reminder or a warning comes when its day begins, what
follows from being late when its day begins and not before the due date has passed. While the partner is asked
(``needs_info``) nothing runs but the partner's own time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from collab.accounts.models import User
from collab.core import clock
from collab.departments import working_calendar
from collab.departments.settings import ServiceLevels
from collab.inquiries.models import Assignment, AssignmentKind, Inquiry
from collab.inquiries.statuses import OURS, Status


class What(StrEnum):
    """A step that is due."""

    TRIAGE = "triage"
    FIRST_ANSWER = "first_answer"
    HOST_ANSWER = "host_answer"
    REVIEW = "review"
    NEXT_STEP = "next_step"
    DECISION = "decision"
    TOTAL = "total"
    PARTNER_ANSWER = "partner_answer"
    INTEREST = "interest"
    WAITLIST_REFRESH = "waitlist_refresh"
    CONDITIONS = "conditions"
    GATE = "gate"

    @property
    def label(self) -> LazyString:
        return LABELS[self]


LABELS: dict[What, LazyString] = {
    What.TRIAGE: _l("Read and route"),
    What.FIRST_ANSWER: _l("First answer by a person"),
    What.HOST_ANSWER: _l("The host's yes, no or when"),
    What.REVIEW: _l("The reviewer's opinion"),
    What.NEXT_STEP: _l("All have answered: go on"),
    What.DECISION: _l("The head's decision"),
    What.TOTAL: _l("The answer in all"),
    What.PARTNER_ANSWER: _l("The partner's answer"),
    What.INTEREST: _l("The partner's word whether the wish stands"),
    What.WAITLIST_REFRESH: _l("Ask those on the waiting list again"),
    What.CONDITIONS: _l("The conditions"),
    What.GATE: _l("A gate to clear"),
}


class Who(StrEnum):
    """Who owes a step."""

    COORDINATOR = "coordinator"
    HOST = "host"
    REVIEWER = "reviewer"
    HEAD = "head"
    PARTNER = "partner"
    PORTAL = "portal"
    OFFICE = "office"

    @property
    def ours(self) -> bool:
        """Whether the department is late when this is late."""
        return self not in {Who.PARTNER, Who.PORTAL}


class Mark(StrEnum):
    """What happens at a moment of a step; ``clockwork`` has the verb of each."""

    REMIND = "remind"
    WARN = "warn"
    LATE = "late"
    ESCALATE = "escalate"
    REPLACE = "replace"
    END = "end"


@dataclass(frozen=True)
class Moment:
    """One mark of a step, at its moment; ``number`` counts those of the same kind."""

    mark: Mark
    at: datetime
    number: int = 1


@dataclass(frozen=True)
class DueDate:
    """One thing that is due on one inquiry.

    :param person: the host or reviewer who was asked; everybody who holds the role when it is nobody in particular.
    :param since: from when the time runs.
    :param due: until when, the last second of a day.
    :param moments: what happens on the way and afterwards, in the order of time.
    """

    inquiry: Inquiry
    what: What
    who: Who
    since: datetime
    due: datetime
    moments: tuple[Moment, ...] = ()
    assignment: Assignment | None = None

    @property
    def person(self) -> User | None:
        return self.assignment.user if self.assignment else None

    @property
    def warn(self) -> datetime | None:
        """From when it is due soon."""
        early = [one.at for one in self.moments if one.at < self.due]
        return min(early) if early else None

    def late(self, now: datetime) -> bool:
        return now > self.due

    def soon(self, now: datetime) -> bool:
        return not self.late(now) and self.warn is not None and now >= self.warn

    def key(self, moment: Moment) -> str:
        """Names one mark of this very stretch of time, so that it is acted on once."""
        about = self.assignment.id if self.assignment else 0
        stretch = f"{self.since:%Y%m%d%H%M%S}-{self.due:%Y%m%d}"
        return f"{self.what}:{about}:{moment.mark}:{moment.number}:{stretch}"


@dataclass(frozen=True)
class Stretch:
    """A step that runs: from when, until when, and with whom."""

    since: datetime
    due: datetime
    assignment: Assignment | None = None


@dataclass(frozen=True)
class Days:
    """The days of one stretch, counted from its two ends at the department's place."""

    inquiry: Inquiry
    stretch: Stretch

    @property
    def zone(self) -> str:
        return self.inquiry.department.timezone

    def working(self, days: int) -> datetime:
        """When the day begins that lies so many working days after (before) the due date."""
        due = clock.local_day(self.stretch.due, self.zone)
        return clock.start_of_day(working_calendar(self.inquiry.department).add(due, days), self.zone)

    def plain(self, days: int) -> datetime:
        """When the day begins that lies so many calendar days after (before) the due date."""
        due = clock.local_day(self.stretch.due, self.zone)
        return clock.start_of_day(due + timedelta(days=days), self.zone)

    @property
    def passed(self) -> datetime:
        """The first moment at which it is late."""
        return self.stretch.due + timedelta(seconds=1)

    def late(self, days: int) -> datetime:
        """When the day begins that lies so many working days after the due date, and never before that has passed."""
        return max(self.working(days), self.passed)


def _triage(inquiry: Inquiry, levels: ServiceLevels) -> Iterator[Stretch]:
    if inquiry.status is Status.RECEIVED:
        yield _from(inquiry, inquiry.status_since, levels.triage_days)


def _first_answer(inquiry: Inquiry, levels: ServiceLevels) -> Iterator[Stretch]:
    if inquiry.status in OURS and inquiry.first_answer_at is None and inquiry.first_answer_due is not None:
        yield Stretch(inquiry.confirmed_at or inquiry.status_since, inquiry.first_answer_due)


def _asked(kind: AssignmentKind) -> Callable[[Inquiry, ServiceLevels], Iterator[Stretch]]:
    def stretches(inquiry: Inquiry, levels: ServiceLevels) -> Iterator[Stretch]:
        if inquiry.status is not Status.IN_REVIEW:
            return
        for one in inquiry.assignments:
            if one.kind is kind and one.released_at is None and one.answered_at is None:
                due = clock.end_of_day(one.due_on, inquiry.department.timezone)
                yield Stretch(one.assigned_at, due, one)

    return stretches


def _next_step(inquiry: Inquiry, levels: ServiceLevels) -> Iterator[Stretch]:
    """Nobody is asked any more: it is the coordinator's turn, since the last of them answered or was taken off."""
    if inquiry.status is not Status.IN_REVIEW:
        return
    if any(one.released_at is None and one.answered_at is None for one in inquiry.assignments):
        return
    ends = [one.released_at or one.answered_at for one in inquiry.assignments]
    yield _from(inquiry, max([inquiry.status_since, *(end for end in ends if end)]), levels.triage_days)


def _decision(inquiry: Inquiry, levels: ServiceLevels) -> Iterator[Stretch]:
    """Where a place was offered, from the partner's word on."""
    if inquiry.status is Status.DECISION_READY and not waits_for_interest(inquiry):
        since = max(inquiry.status_since, inquiry.interest_given_at or inquiry.status_since)
        yield _from(inquiry, since, levels.decision_days)


def _total(inquiry: Inquiry, levels: ServiceLevels) -> Iterator[Stretch]:
    if inquiry.status in OURS and inquiry.decision_due is not None:
        yield Stretch(inquiry.confirmed_at or inquiry.status_since, inquiry.decision_due)


def _partner_answer(inquiry: Inquiry, levels: ServiceLevels) -> Iterator[Stretch]:
    if inquiry.status is Status.NEEDS_INFO and inquiry.paused_at and inquiry.due_at:
        yield Stretch(inquiry.paused_at, inquiry.due_at)


def _interest(inquiry: Inquiry, levels: ServiceLevels) -> Iterator[Stretch]:
    if waits_for_interest(inquiry) and inquiry.interest_asked_at and inquiry.interest_due:
        yield Stretch(inquiry.interest_asked_at, inquiry.interest_due)


def _refresh(inquiry: Inquiry, levels: ServiceLevels) -> Iterator[Stretch]:
    if inquiry.status is Status.WAITLISTED and not waits_for_interest(inquiry) and inquiry.due_at:
        yield Stretch(on_list_since(inquiry), inquiry.due_at)


def _conditions(inquiry: Inquiry, levels: ServiceLevels) -> Iterator[Stretch]:
    if inquiry.status is Status.CONDITIONAL and inquiry.due_at:
        yield Stretch(inquiry.status_since, inquiry.due_at)


def waits_for_interest(inquiry: Inquiry) -> bool:
    """Whether a partner on the waiting list was asked whether the wish still stands, and has not answered."""
    asked, given = inquiry.interest_asked_at, inquiry.interest_given_at
    return (
        inquiry.status in {Status.WAITLISTED, Status.DECISION_READY}
        and asked is not None
        and asked >= inquiry.status_since
        and given is None
    )


def on_list_since(inquiry: Inquiry) -> datetime:
    """From when the days to the next refresh of the waiting list count."""
    return max(inquiry.status_since, inquiry.interest_given_at or inquiry.status_since)


def _from(inquiry: Inquiry, since: datetime, working_days: int) -> Stretch:
    return Stretch(since, working_days_from(inquiry, since, working_days))


Moments = Callable[[Days, ServiceLevels, datetime], Iterable[Moment]]


def _weekly(days: Days, every: int, now: datetime) -> list[Moment]:
    """One when it is late and one each so many days, up to the next that is still to come."""
    weeks = max((now - days.passed).days // every, -1) + 2 if every else 1
    return [
        Moment(Mark.ESCALATE, days.passed + timedelta(days=number * every), number + 1)
        for number in range(weeks)
    ]


def _step_moments(days: Days, levels: ServiceLevels, now: datetime) -> tuple[Moment, ...]:
    return (
        Moment(Mark.WARN, days.working(levels.triage_warn_days - levels.triage_days)),
        Moment(Mark.ESCALATE, days.late(levels.triage_escalate_days - levels.triage_days)),
    )


#: what · who owes it · the stretch of time · what happens when. Days count from the due date, working days of the
#: department's calendar unless they are called plain; all amounts are the department's settings.
TABLE: tuple[tuple[What, Who, Callable[[Inquiry, ServiceLevels], Iterator[Stretch]], Moments], ...] = (
    (
        What.TRIAGE,
        Who.COORDINATOR,
        _triage,
        _step_moments,
    ),
    (
        What.FIRST_ANSWER,
        Who.COORDINATOR,
        _first_answer,
        lambda days, levels, now: (
            Moment(Mark.WARN, days.working(levels.first_answer_warn_days - levels.first_answer_days)),
            Moment(Mark.ESCALATE, days.late(levels.first_answer_escalate_days - levels.first_answer_days)),
        ),
    ),
    (
        What.HOST_ANSWER,
        Who.HOST,
        _asked(AssignmentKind.HOST),
        lambda days, levels, now: (
            Moment(Mark.REMIND, days.working(levels.host_answer_warn_days - levels.host_answer_days)),
            Moment(Mark.REPLACE, days.late(levels.host_answer_escalate_days - levels.host_answer_days)),
        ),
    ),
    (
        What.REVIEW,
        Who.REVIEWER,
        _asked(AssignmentKind.REVIEWER),
        lambda days, levels, now: (
            Moment(Mark.REMIND, days.working(-levels.review_remind_before_days), 1),
            Moment(Mark.REMIND, days.working(0), 2),
            Moment(Mark.REMIND, days.late(levels.review_remind_after_days), 3),
            Moment(Mark.REPLACE, days.late(levels.review_replace_days - levels.review_days)),
        ),
    ),
    (
        What.NEXT_STEP,
        Who.COORDINATOR,
        _next_step,
        _step_moments,
    ),
    (
        What.DECISION,
        Who.HEAD,
        _decision,
        lambda days, levels, now: (
            Moment(Mark.WARN, days.working(levels.decision_warn_days - levels.decision_days)),
            *_weekly(days, levels.decision_repeat_days, now),
        ),
    ),
    (
        What.TOTAL,
        Who.COORDINATOR,
        _total,
        lambda days, levels, now: (
            Moment(
                Mark.WARN,
                days.plain(
                    levels.total_warn_days.of(days.inquiry.track) - levels.total_days.of(days.inquiry.track)
                ),
            ),
        ),
    ),
    (
        What.PARTNER_ANSWER,
        Who.PARTNER,
        _partner_answer,
        lambda days, levels, now: (
            *(
                Moment(Mark.REMIND, days.stretch.since + timedelta(days=day), number)
                for number, day in enumerate(levels.needs_info_reminders, start=1)
            ),
            Moment(Mark.END, days.passed),
        ),
    ),
    (
        What.INTEREST,
        Who.PARTNER,
        _interest,
        lambda days, levels, now: (
            *(
                Moment(Mark.REMIND, days.plain(day - levels.offer_reply_days), number)
                for number, day in enumerate(levels.offer_reply_reminders, start=1)
            ),
            Moment(Mark.END, days.passed),
        ),
    ),
    (
        What.WAITLIST_REFRESH,
        Who.PORTAL,
        _refresh,
        lambda days, levels, now: (Moment(Mark.LATE, days.passed),),
    ),
    (What.CONDITIONS, Who.PARTNER, _conditions, lambda days, levels, now: ()),
)


def due_dates(inquiry: Inquiry, *, now: datetime | None = None) -> list[DueDate]:
    """Everything that is due on an inquiry now, the earliest first.

    Reads nothing but the inquiry, its department and its assignments. A reminder whose day is not after
    the day on which the stretch began is left out: nobody is reminded on the day he was asked.
    """
    now = now or clock.now()
    levels = inquiry.department.settings.service_levels
    zone = inquiry.department.timezone
    found = []
    for what, who, running, moments in TABLE:
        for stretch in running(inquiry, levels):
            first = clock.end_of_day(clock.local_day(stretch.since, zone), zone)
            marks = sorted(
                (
                    one
                    for one in moments(Days(inquiry, stretch), levels, now)
                    if one.at > min(first, stretch.due)
                ),
                key=lambda one: one.at,
            )
            found.append(
                DueDate(inquiry, what, who, stretch.since, stretch.due, tuple(marks), stretch.assignment)
            )
    return sorted(found, key=lambda one: (one.due, one.what))


def earliest(inquiry: Inquiry, *, now: datetime) -> datetime | None:
    """The date by which the department owes the next step, kept as ``Inquiry.due_at``."""
    return min((one.due for one in due_dates(inquiry, now=now) if one.who.ours), default=None)


def working_days_from(inquiry: Inquiry, moment: datetime, days: int) -> datetime:
    """The end of the day that lies so many working days after a moment."""
    zone = inquiry.department.timezone
    start = clock.local_day(moment, zone)
    return clock.end_of_day(working_calendar(inquiry.department).add(start, days), zone)


def days_from(inquiry: Inquiry, moment: datetime, days: int) -> datetime:
    """The end of the day that lies so many calendar days after a moment."""
    zone = inquiry.department.timezone
    return clock.end_of_day(clock.local_day(moment, zone) + timedelta(days=days), zone)
