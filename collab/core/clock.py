"""Time. Stored and compared in UTC, always aware; the rooms ask here and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_pretended: ContextVar[datetime | None] = ContextVar("collab_pretended_now", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _pretended.get() or datetime.now(UTC)


@contextmanager
def pretending(moment: datetime) -> Iterator[None]:
    """Inside, it is that moment. Only for loading sample data that is to have a past."""
    token = _pretended.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _pretended.reset(token)


def today(timezone: str) -> date:
    """The calendar day it is now at a place.

    :param timezone: an IANA name, e.g. ``Asia/Shanghai``.
    """
    return local_day(now(), timezone)


def local_day(moment: datetime, timezone: str) -> date:
    """The calendar day a moment falls on at a place."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def end_of_day(day: date, timezone: str) -> datetime:
    """The last second of a day at a place, as a moment in UTC: "by Thursday" means all of Thursday."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def start_of_day(day: date, timezone: str) -> datetime:
    """The first moment of a day at a place, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def time_of_day(day: date, time: str, timezone: str) -> datetime:
    """A time of day such as ``07:30`` at a place, in UTC."""
    hour, minute = (int(part) for part in time.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def parse(value: str | None) -> datetime | None:
    """A moment written by ``isoformat``; ``None`` stays ``None``."""
    return datetime.fromisoformat(value).astimezone(UTC) if value else None
