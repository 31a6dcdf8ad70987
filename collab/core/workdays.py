"""Counting working days on a calendar with public holidays and make-up working days."""

from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are worked. Weekends are free unless a make-up day; holidays are free.

    :param holidays: days off that would otherwise be worked (or weekend days; harmless).
    :param workdays: weekend days that are worked (make-up days).
    """

    holidays: frozenset[date] = field(default_factory=frozenset)
    workdays: frozenset[date] = field(default_factory=frozenset)

    def is_working(self, day: date) -> bool:
        if day in self.workdays:
            return True
        return day.weekday() < 5 and day not in self.holidays

    def add(self, day: date, working_days: int) -> date:
        """The day that lies ``working_days`` working days after ``day``; the day itself does not count.

        ``add(friday, 1)`` is Monday; ``add(saturday, 1)`` is Monday too. Negative numbers count back.
        """
        step = timedelta(days=1 if working_days >= 0 else -1)
        left = abs(working_days)
        while left:
            day += step
            if self.is_working(day):
                left -= 1
        return day

    def between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and including ``end``; negative when ``end`` is earlier."""
        if end < start:
            return -self.between(end, start)
        days = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
        return sum(1 for day in days if self.is_working(day))
