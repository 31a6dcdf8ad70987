"""What one inquiry adds to the figures. Every figure of the portal is made of this, and of nothing else.

Left out altogether: what nobody confirmed, and what was set aside (spam, tests, duplicates: of a message that was
sent twice the original counts, once). Erasing a person changes nothing here: all it needs are codes and dates.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from collab.core.workdays import WorkingCalendar
from collab.departments.tracks import Track
from collab.inquiries.history import Kind
from collab.inquiries.reasons import Reason
from collab.inquiries.statuses import OPEN, Status

#: Rises when what follows changes its meaning: all sums are then made anew.
RULES = 1

#: Out of all figures.
UNCOUNTED = frozenset({Status.UNCONFIRMED, Status.VOID})
#: The department has said what it can do; withdrawn and lapsed end without that.
DECIDED = frozenset(
    {Status.ACCEPTED, Status.CONDITIONAL, Status.WAITLISTED, Status.REFERRED, Status.DECLINED}
)
#: The department agreed, be it on conditions.
AGREED = frozenset({Status.ACCEPTED, Status.CONDITIONAL})
#: Longer times are counted as this many days.
MOST_DAYS = 999


class Measure(StrEnum):
    """What sums are kept of. ``by_…``: for the fairness report, by year alone."""

    STATUS = "status"
    REASON = "reason"
    AREA = "area"
    COUNTRY = "country"
    KIND = "kind"
    LANGUAGE = "language"
    SOURCE = "source"
    FIRST = "first"
    DECISION = "decision"
    OPEN = "open"
    UNANSWERED = "unanswered"
    OWNER = "owner"
    BY_TRACK = "by_track"
    BY_COUNTRY = "by_country"
    BY_KIND = "by_kind"
    BY_LANGUAGE = "by_language"


#: Keys of ``Measure.FIRST`` beside the number of days: closed without an answer, and withdrawn after so many days.
NEVER, WITHDRAWN = "never", "withdrawn:"


class Cell(NamedTuple):
    """What a sum is kept of."""

    department_id: int
    measure: str
    month: str
    track: Track
    key: str
    area: str
    is_demo: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """One inquiry, as the figures see it.

    :param arrived: the day it was confirmed, at the department's place.
    :param kind: the kind of institution; empty on tracks that do not ask for it.
    :param first_days: working days to the first answer by a person.
    :param waited_days: working days after which the partner withdrew without having had one.
    :param decision_days: calendar days to the first decision that stood.
    """

    department_id: int
    is_demo: bool
    arrived: date
    track: Track
    area: str
    country: str
    kind: str
    language: str
    source: str
    status: Status
    reason: Reason | None
    owner_id: int | None
    first_days: int | None
    waited_days: int | None
    decision_days: int | None

    @property
    def month(self) -> str:
        return self.arrived.isoformat()[:7]

    def cells(self) -> Iterator[Cell]:
        """All sums this inquiry is part of, with one each."""
        for measure, key in self._counted():
            yield Cell(self.department_id, measure, self.month, self.track, key, self.area, self.is_demo)
        year = self.month[:4]
        for measure, key in self._compared():
            yield Cell(self.department_id, measure, year, self.track, key, "", self.is_demo)

    def _counted(self) -> Iterator[tuple[Measure, str]]:
        yield Measure.STATUS, self.status
        if self.reason is not None and self.status in {Status.DECLINED, Status.REFERRED}:
            yield Measure.REASON, f"{self.status}:{self.reason}"
        yield Measure.AREA, self.area
        yield Measure.COUNTRY, self.country
        yield Measure.KIND, self.kind
        yield Measure.LANGUAGE, self.language
        yield Measure.SOURCE, self.source
        if self.first_days is not None:
            yield Measure.FIRST, str(self.first_days)
        elif self.status in OPEN:
            yield Measure.UNANSWERED, self.arrived.isoformat()
        else:
            yield Measure.FIRST, NEVER if self.waited_days is None else f"{WITHDRAWN}{self.waited_days}"
        if self.decision_days is not None:
            yield Measure.DECISION, str(self.decision_days)
        if self.status in OPEN:
            yield Measure.OPEN, f"{self.status}:{self.arrived.isoformat()}"
            yield Measure.OWNER, str(self.owner_id or 0)

    def _compared(self) -> Iterator[tuple[Measure, str]]:
        outcome = "agreed" if self.status in AGREED else "decided" if self.status in DECIDED else "other"
        days = "" if self.first_days is None else str(self.first_days)
        for measure, value in (
            (Measure.BY_TRACK, str(self.track)),
            (Measure.BY_COUNTRY, self.country),
            (Measure.BY_KIND, self.kind),
            (Measure.BY_LANGUAGE, self.language),
        ):
            if measure is not Measure.BY_KIND or value:
                yield measure, f"{value}:{outcome}:{days}"


class Read(Protocol):
    """The columns of an inquiry that its facts are made of."""

    department_id: Any
    is_demo: Any
    confirmed_at: Any
    track: Any
    area: Any
    country: Any
    answers: Any
    locale: Any
    source_page: Any
    status: Any
    status_since: Any
    reason: Any
    coordinator_id: Any
    first_answer_at: Any


class Move(NamedTuple):
    """A change of status, from the history."""

    at: datetime
    kind: str
    source: Status | None
    target: Status


@dataclass(frozen=True)
class Place:
    """Where days begin and which of them are worked."""

    zone: ZoneInfo
    calendar: WorkingCalendar

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


def facts_of(inquiry: Read, moves: Sequence[Move], place: Place) -> Facts | None:
    """The facts of an inquiry; ``None`` for one that is out of all figures.

    :param moves: its changes of status in the order of time.
    """
    if inquiry.status in UNCOUNTED or inquiry.confirmed_at is None:
        return None
    arrived = place.day(inquiry.confirmed_at)
    pauses = [(place.day(begin), place.day(end)) for begin, end in _pauses(moves)]
    answered = place.day(inquiry.first_answer_at) if inquiry.first_answer_at is not None else None
    gone = inquiry.status is Status.WITHDRAWN and answered is None
    left = place.day(inquiry.status_since) if gone else None
    decided_at = _decided_at(inquiry, moves)
    decided = place.day(decided_at) if decided_at is not None else None
    return Facts(
        department_id=inquiry.department_id,
        is_demo=bool(inquiry.is_demo),
        arrived=arrived,
        track=inquiry.track,
        area=inquiry.area,
        country=inquiry.country,
        kind=str((inquiry.answers or {}).get("organisation_type") or "")[:40],
        language=inquiry.locale,
        source=inquiry.source_page or "",
        status=inquiry.status,
        reason=inquiry.reason,
        owner_id=inquiry.coordinator_id if inquiry.status in OPEN else None,
        first_days=_days(arrived, answered, pauses, place.calendar.between),
        waited_days=_days(arrived, left, pauses, place.calendar.between),
        decision_days=_days(arrived, decided, pauses, lambda start, end: (end - start).days),
    )


def _pauses(moves: Sequence[Move]) -> Iterator[tuple[datetime, datetime]]:
    """When the partner was asked, from the question to whatever ended it."""
    since: datetime | None = None
    for move in moves:
        if since is not None:
            yield since, move.at
        since = move.at if move.target is Status.NEEDS_INFO else None


def _decided_at(inquiry: Read, moves: Sequence[Move]) -> datetime | None:
    """The moment of the first decision that was not taken back."""
    found: datetime | None = None
    by: int | None = None
    for number, move in enumerate(moves):
        if found is None and move.target in DECIDED:
            found, by = move.at, number
        elif move.kind == Kind.TAKEN_BACK and by == number - 1:
            found = by = None
    if found is None and not moves and inquiry.status in DECIDED:
        moment: datetime = inquiry.status_since  # brought in from elsewhere, without a history
        return moment
    return found


def _days(arrived: date, end: date | None, pauses: list[tuple[date, date]], between: Any) -> int | None:
    """Days from the arrival to the end, without those on which the clock stood still."""
    if end is None:
        return None
    days: int = between(arrived, end)
    for begin, over in pauses:
        if begin < end:
            days -= between(begin, min(over, end))
    return min(max(days, 0), MOST_DAYS)


def count(facts: Sequence[Facts | None]) -> Counter[Cell]:
    """The sums of some inquiries."""
    found: Counter[Cell] = Counter()
    for one in facts:
        if one is not None:
            found.update(one.cells())
    return found
