"""Working days, whatever the calendar."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collab.core.workdays import WorkingCalendar

DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))
CALENDARS = st.builds(
    WorkingCalendar, holidays=st.frozensets(DAYS, max_size=40), workdays=st.frozensets(DAYS, max_size=10)
)


@given(CALENDARS, DAYS, st.integers(1, 40))
def test_adding_lands_on_a_working_day_so_many_later(calendar: WorkingCalendar, day: date, n: int) -> None:
    end = calendar.add(day, n)
    assert calendar.is_working(end)
    assert calendar.between(day, end) == n
    assert calendar.add(end, 0) == end
    assert calendar.between(day, end - timedelta(days=1)) == n - 1
    back = calendar.add(end, -n)
    assert back <= end
    assert calendar.between(end, back) == -calendar.between(back, end)


@given(CALENDARS, DAYS, st.integers(0, 20), st.integers(0, 20))
def test_adding_in_two_parts_is_adding_at_once(
    calendar: WorkingCalendar, day: date, first: int, second: int
) -> None:
    assert calendar.add(calendar.add(day, first), second) == calendar.add(day, first + second)


@given(CALENDARS, DAYS, DAYS, DAYS)
def test_spans_add_up(calendar: WorkingCalendar, a: date, b: date, c: date) -> None:
    first, middle, last = sorted((a, b, c))
    assert calendar.between(first, middle) + calendar.between(middle, last) == calendar.between(first, last)


def test_make_up_days_win_over_weekends_and_holidays() -> None:
    saturday = date(2026, 10, 10)
    assert not WorkingCalendar().is_working(saturday)
    assert WorkingCalendar(workdays=frozenset({saturday})).is_working(saturday)
    assert WorkingCalendar(workdays=frozenset({saturday}), holidays=frozenset({saturday})).is_working(
        saturday
    )
    assert WorkingCalendar().add(date(2026, 11, 6), 1) == date(2026, 11, 9)
    assert WorkingCalendar().add(date(2026, 11, 7), 1) == date(2026, 11, 9)
