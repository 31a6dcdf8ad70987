"""How the department answers, for everybody to read: the last twelve months as they were, small numbers left out."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from collab.core import clock
from collab.departments import Department
from collab.departments.tracks import Track
from collab.inquiries.statuses import Status
from collab.reports.facts import AGREED, DECIDED, Measure
from collab.reports.report import UNDECIDED
from collab.reports.sums import NO_TIMES, Month, Scope, Times, Waited, late, read, together
from collab.reports.suppression import LEAST, hidden, safe_share

MEASURES = (Measure.STATUS, Measure.FIRST, Measure.DECISION, Measure.UNANSWERED)
MONTHS = 12

#: The ends an outsider is told of, each with the statuses it is made of.
ENDS: dict[str, frozenset[Status]] = {
    "agreed": AGREED,
    "waitlisted": frozenset({Status.WAITLISTED}),
    "referred": frozenset({Status.REFERRED}),
    "declined": frozenset({Status.DECLINED}),
    "ended": frozenset({Status.WITHDRAWN, Status.LAPSED}),
    "open": frozenset(UNDECIDED),
}


@dataclass(frozen=True)
class TrackTimes:
    """One track's times; ``None`` where there are too few to say.

    :param first, decision: medians in working and in calendar days.
    """

    track: Track
    first: int | None
    decision: int | None
    promised: int


@dataclass(frozen=True)
class Answering:
    """What the public page shows.

    :param received: ``None`` for fewer than five.
    :param in_time: per cent of first answers within the promise; ``None`` where there are too few to say.
    :param ends: how many ended in which way; ``None`` for a number that is not shown.
    :param missing: as in ``Report``.
    """

    first_day: date
    last_day: date
    received: int | None
    first: int | None
    first_p90: int | None
    in_time: float | None
    first_target: int
    tracks: tuple[TrackTimes, ...]
    ends: dict[str, int | None]
    missing: int = 0

    @property
    def says_anything(self) -> bool:
        return self.received is not None

    @property
    def leaves_out(self) -> bool:
        return None in self.ends.values()


def answering(department: Department) -> Answering:
    """The figures of the last twelve months up to today, the running one included. Samples never count."""
    today = clock.today(department.timezone)
    last = Month.of(today)
    scope = Scope(department, last.plus(1 - MONTHS), last)
    sums = read(scope, MEASURES)
    levels = department.settings.service_levels
    months = {str(month) for month in scope.months}
    statuses = sums.keys(Measure.STATUS)
    received = sum(statuses.values())
    first_by = sums.times(Measure.FIRST, lambda key: key.track)
    decision_by = sums.times(Measure.DECISION, lambda key: key.track)
    first = together(list(first_by.values()))
    waiting: Counter[str] = Counter()
    for (month, day), n in sums.by(Measure.UNANSWERED, lambda key: (key.month, key.key)).items():
        if month in months:
            waiting[day] += n
    in_time_from = Waited(department).first_in_time(levels.first_answer_days)
    missed = first.given_up(levels.first_answer_days) + late(waiting, in_time_from)
    kept = first.within(levels.first_answer_days)
    enough = received >= LEAST
    numbers = [sum(statuses[status] for status in group) for group in ENDS.values()]
    out = hidden(numbers)
    return Answering(
        first_day=date(scope.first.year, scope.first.month, 1),
        last_day=today,
        received=received if enough else None,
        first=_median(first) if enough else None,
        first_p90=first.p90 if enough and first.n >= LEAST else None,
        in_time=safe_share(kept, first.n + missed) if enough else None,
        first_target=levels.first_answer_days,
        tracks=tuple(
            TrackTimes(
                track,
                _median(first_by.get(track, NO_TIMES)),
                _median(decision_by.get(track, NO_TIMES)),
                levels.total_days.of(track),
            )
            for track in Track
        ),
        ends={
            name: None if place in out or not enough else n
            for place, (name, n) in enumerate(zip(ENDS, numbers, strict=True))
        },
        missing=sums.missing,
    )


def _median(times: Times) -> int | None:
    return times.median if times.n >= LEAST else None


assert frozenset().union(*ENDS.values()) >= DECIDED
