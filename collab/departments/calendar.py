"""Working days at the department's place: public holidays and make-up days, as data in calendars/."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files

import yaml
from pydantic import Field, model_validator

from collab.core.errors import Refused
from collab.core.workdays import WorkingCalendar
from collab.departments.models import Department
from collab.departments.settings import Bilingual, Document

Span = str


class CalendarYear(Document):
    """One year's order.

    :param provisional: only statutory days; the order itself is not in hand.
    """

    source: Bilingual
    provisional: bool = False
    holidays: tuple[date | Span, ...]
    workdays: tuple[date | Span, ...] = ()


class CalendarFile(Document):
    """All years of one calendar."""

    years: dict[int, CalendarYear] = Field(min_length=1)

    @model_validator(mode="after")
    def _inside_their_year(self) -> "CalendarFile":
        for year, entry in self.years.items():
            for day in (*_days(entry.holidays), *_days(entry.workdays)):
                if day.year != year:
                    raise ValueError(f"{day} stands under {year}")
        return self


@dataclass(frozen=True)
class Coverage:
    """How far a calendar can be trusted.

    :param known: years with the full order.
    :param provisional: years with statutory days only, and the note that says so.
    """

    known: tuple[int, ...]
    provisional: dict[int, Bilingual]

    def state_of(self, year: int) -> str:
        """``known``, ``provisional`` or ``missing`` (then only weekends are free)."""
        if year in self.known:
            return "known"
        return "provisional" if year in self.provisional else "missing"


def working_calendar(department: Department) -> WorkingCalendar:
    """The department's working days. Beyond the data only weekends are free: see ``coverage``."""
    return _calendar(department.settings.calendar)


def coverage(department: Department) -> Coverage:
    """Which years of the department's calendar are complete, and which are not."""
    years = _read(department.settings.calendar).years
    return Coverage(
        known=tuple(sorted(year for year, entry in years.items() if not entry.provisional)),
        provisional={year: entry.source for year, entry in sorted(years.items()) if entry.provisional},
    )


@lru_cache(maxsize=16)
def _calendar(name: str) -> WorkingCalendar:
    years = _read(name).years.values()
    return WorkingCalendar(
        holidays=frozenset(day for entry in years for day in _days(entry.holidays)),
        workdays=frozenset(day for entry in years for day in _days(entry.workdays)),
    )


@lru_cache(maxsize=16)
def _read(name: str) -> CalendarFile:
    path = files("collab.departments") / "calendars" / f"{name}.yaml"
    if not path.is_file():
        raise Refused(f"There is no calendar “{name}”.")
    return CalendarFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def _days(entries: tuple[date | Span, ...]) -> list[date]:
    days: list[date] = []
    for entry in entries:
        if isinstance(entry, date):
            days.append(entry)
            continue
        first, _, last = entry.partition("..")
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
        days.extend(start + timedelta(days=n) for n in range((end - start).days + 1))
    return days
