"""Reading the sums: of a period, a track, an area; with what changed this moment counted in."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, NamedTuple, Self

import sqlalchemy as sa

from collab.core import clock
from collab.core.db import db
from collab.core.errors import Invalid
from collab.departments import Department
from collab.departments.tracks import Track
from collab.inquiries import Inquiry
from collab.reports import keeping
from collab.reports.facts import NEVER, WITHDRAWN, Cell, Measure, count
from collab.reports.models import FigureDue, FigureSum

#: So many noted changes are counted while somebody waits for the page; with more the page says that some are missing.
LIVE = 500
#: Nobody may ask for an earlier year, or for more than so many months.
FIRST_YEAR = 2020
MOST_MONTHS = 240


class Month(NamedTuple):
    """A calendar month."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, value: str) -> Self:
        """:raises ValueError: no month such as ``2026-11``, or one that nobody means."""
        if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", value, re.ASCII):
            raise ValueError
        return cls(int(value[:4]), int(value[5:]))

    def plus(self, months: int) -> "Month":
        number = self.year * 12 + self.month - 1 + months
        return Month(number // 12, number % 12 + 1)

    def until(self, last: "Month") -> Iterator["Month"]:
        """This one and those after it, the last one as well."""
        one = self
        while one <= last:
            yield one
            one = one.plus(1)

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02d}"


@dataclass(frozen=True)
class Scope:
    """Which inquiries a report speaks of: those that came in some months, on a track, in an area.

    :param demo: whether invented samples count; they do as long as the department holds nothing else.
    """

    department: Department
    first: Month
    last: Month
    track: Track | None = None
    area: str = ""
    demo: bool = False

    @classmethod
    def parse(cls, department: Department, args: Mapping[str, str]) -> Self:
        """Read a scope from an address; the last twelve months where it names none.

        :raises Invalid: a value that no report has; the field is its name.
        """
        this = Month.of(clock.today(department.timezone))

        def month(name: str, default: Month) -> Month:
            try:
                return Month.parse(args[name]) if args.get(name) else default
            except ValueError:
                raise Invalid(name, "") from None

        last = month("to", this)
        first = month("from", min(last.plus(-11), last))
        if first > last or last > this.plus(12) or first.year < FIRST_YEAR or first.plus(MOST_MONTHS) < last:
            raise Invalid("from", "")
        track, area = args.get("track", ""), args.get("area", "")
        if track and track not in set(Track):
            raise Invalid("track", "")
        if area and department.settings.area(area) is None:
            raise Invalid("area", "")
        return cls(department, first, last, Track(track) if track else None, area, department.is_demo)

    def narrowed(self, rows: type[FigureSum] | type[Inquiry]) -> Iterator[sa.ColumnElement[bool]]:
        """What the track, the area and the samples leave of sums or of inquiries."""
        if self.track is not None:
            yield rows.track == self.track
        if self.area:
            yield rows.area == self.area
        if not self.demo:
            yield ~rows.is_demo

    def to_args(self) -> dict[str, str]:
        """The same for an address."""
        args = {
            "from": str(self.first),
            "to": str(self.last),
            "track": str(self.track or ""),
            "area": self.area,
        }
        return {name: value for name, value in args.items() if value}

    @property
    def months(self) -> list[Month]:
        return list(self.first.until(self.last))

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def holds(self, cell: Cell) -> bool:
        """Whether a sum is part of it, whatever month it is of."""
        return (
            cell.department_id == self.department.id
            and (self.demo or not cell.is_demo)
            and (self.track is None or cell.track == self.track)
            and (not self.area or cell.area == self.area)
        )


#: What is so now, in whatever month it came: read without the period.
STANDING = frozenset({Measure.OPEN, Measure.OWNER, Measure.UNANSWERED})


#: Compared by month and track; of the others only the key is asked.
APART = frozenset({Measure.STATUS, Measure.FIRST, Measure.DECISION, Measure.UNANSWERED, Measure.BY_KIND})


class Key(NamedTuple):
    """One sum as read: the areas are added up, and months and tracks too where nobody compares them."""

    measure: str
    month: str
    track: str
    key: str


class Sums:
    """Sums that were read, to be added up in one way or another.

    :param missing: how many inquiries changed and are not counted yet; 0 but for a department that is counted anew.
    """

    def __init__(self, found: Counter[Key], missing: int = 0) -> None:
        self.missing = missing
        self._found: dict[str, list[tuple[Key, int]]] = defaultdict(list)
        for key, n in found.items():
            if n:
                self._found[key.measure].append((key, n))

    def by(self, measure: Measure, of: Callable[[Key], Any]) -> Counter[Any]:
        """The sums of a measure, added up by what ``of`` says."""
        result: Counter[Any] = Counter()
        for key, n in self._found[measure]:
            result[of(key)] += n
        return result

    def keys(self, measure: Measure) -> Counter[str]:
        return self.by(measure, lambda key: key.key)

    def total(self, measure: Measure) -> int:
        return sum(n for _key, n in self._found[measure])

    def times(self, measure: Measure, of: Callable[[Key], Any]) -> dict[Any, "Times"]:
        """How long things took, by what ``of`` says."""
        grouped: dict[Any, Counter[str]] = defaultdict(Counter)
        for key, n in self._found[measure]:
            grouped[of(key)][key.key] += n
        return {name: Times.of(keys) for name, keys in grouped.items()}


def read(scope: Scope, measures: Iterable[Measure], *, by_year: bool = False) -> Sums:
    """The sums of a scope: one query, and the few inquiries that changed this moment.

    :param by_year: the measures are those that are kept by year alone (``Measure.BY_…``).
    """
    measures = set(measures)
    _one_moment()
    first, last = (
        (str(scope.first.year), str(scope.last.year)) if by_year else (str(scope.first), str(scope.last))
    )
    found: Counter[Key] = Counter()
    wanted = [_added_up(scope, measure, first, last) for measure in sorted(measures)]
    for row in db.session.connection().execute(sa.union_all(*wanted)):
        found[Key(*row[:-1])] += int(row[-1])
    due = list(db.session.scalars(sa.select(FigureDue.inquiry_id).limit(LIVE + 1)))
    if len(due) > LIVE:
        return Sums(found, db.session.scalar(sa.select(sa.func.count()).select_from(FigureDue)) or 0)
    if not due:
        return Sums(found)
    changes = count(list(keeping.current(due).values()))
    changes.subtract(count(list(keeping.kept(due).values())))
    for cell, n in changes.items():
        inside = cell.measure in STANDING or first <= cell.month <= last
        if cell.measure in measures and inside and scope.holds(cell):
            apart = cell.measure in APART
            found[Key(cell.measure, *((cell.month, cell.track) if apart else ("", "")), cell.key)] += n
    return Sums(found)


def _added_up(scope: Scope, measure: Measure, first: str, last: str) -> sa.Select[Any]:
    """The sums of one measure, as much added up as the reports need it."""
    conditions: list[sa.ColumnElement[bool]] = [
        FigureSum.department_id == scope.department.id,
        FigureSum.measure == measure,
        *scope.narrowed(FigureSum),
    ]
    if measure not in STANDING:
        conditions.append(FigureSum.month.between(first, last))
    track = sa.type_coerce(FigureSum.track, sa.String)
    apart: list[Any] = [FigureSum.month, track] if measure in APART else [sa.literal(""), sa.literal("")]
    columns: list[Any] = [sa.literal(str(measure)), *apart, FigureSum.key, sa.func.sum(FigureSum.n)]
    groups = [FigureSum.month, FigureSum.track, FigureSum.key] if measure in APART else [FigureSum.key]
    return sa.select(*columns).where(*conditions).group_by(*groups)


def _one_moment() -> None:
    """What follows reads one moment of the database, though the worker may be counting meanwhile."""
    db.session.rollback()
    if (
        db.engine.dialect.name == "postgresql"
    ):  # SQLite's reading transactions are of one moment by themselves
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


@dataclass(frozen=True)
class Times:
    """How long something took, for so many.

    :param days: how many took how many days.
    :param never: closed without it.
    :param left: how many withdrew, after how many days, while they waited for it.
    """

    days: Counter[int]
    never: int = 0
    left: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, keys: Mapping[str, int]) -> "Times":
        days: Counter[int] = Counter()
        left: Counter[int] = Counter()
        for key, n in keys.items():
            if key.startswith(WITHDRAWN):
                left[int(key.removeprefix(WITHDRAWN))] += n
            elif key != NEVER:
                days[int(key)] += n
        return cls(days, keys.get(NEVER, 0), left)

    def __add__(self, other: "Times") -> "Times":
        return Times(self.days + other.days, self.never + other.never, self.left + other.left)

    @property
    def n(self) -> int:
        """How many have it."""
        return self.days.total()

    def rank(self, share: float) -> int | None:
        """The days within which at least this share had it."""
        passed = 0
        for days in sorted(self.days):
            passed += self.days[days]
            if passed >= share * self.n:
                return days
        return None

    @property
    def median(self) -> int | None:
        return self.rank(0.5)

    @property
    def p90(self) -> int | None:
        return self.rank(0.9)

    def within(self, target: int) -> int:
        """How many had it within so many days."""
        return sum(n for days, n in self.days.items() if days <= target)

    def given_up(self, target: int) -> int:
        """How many ended without it although the target had passed."""
        return self.never + sum(n for days, n in self.left.items() if days > target)


NO_TIMES = Times(Counter())


class Waited:
    """How many working days have passed since a day; asked of many days, each is looked at once."""

    def __init__(self, department: Department) -> None:
        self.today = clock.today(department.timezone)
        self._calendar = keeping.place_of(department).calendar
        self._known = {self.today: 0}
        self._eldest = self.today

    def __call__(self, day: date) -> int:
        while self._eldest > day:
            passed = self._known[self._eldest] + self._calendar.is_working(self._eldest)
            self._eldest -= timedelta(days=1)
            self._known[self._eldest] = passed
        return self._known.get(day, 0)

    def first_in_time(self, target: int) -> date:
        """From this day on nobody has waited longer than the target."""
        day = self.today
        while self(day - timedelta(days=1)) <= target:
            day -= timedelta(days=1)
        return day


def late(waiting: Mapping[str, int], in_time_from: date) -> int:
    """How many of those that wait for an answer have waited too long.

    :param waiting: how many came on which day.
    """
    first = in_time_from.isoformat()
    return sum(n for day, n in waiting.items() if day < first)


def together(times: Sequence[Times]) -> Times:
    """All of them as one."""
    result = NO_TIMES
    for one in times:
        result = result + one
    return result
