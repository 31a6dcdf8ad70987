"""Dates and months as people read them, in English and Chinese."""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime


def format_day(
    value: date | datetime | None, lang: str, *, timezone: str = "Asia/Shanghai", year: bool = True
) -> str:
    """A calendar day with its weekday: ``Thu 26 Nov 2026``, ``2026年11月26日（周四）``.

    :param timezone: where a moment is taken to be on which day.
    """
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(timezone)).date()
    return _day(value, lang, year)


@lru_cache(maxsize=4096)
def _day(value: date, lang: str, year: bool) -> str:
    if lang.startswith("zh"):
        return format_date(value, "y年M月d日（EEE）" if year else "M月d日（EEE）", locale="zh_Hans_CN")
    return format_date(value, "EEE d MMM y" if year else "EEE d MMM", locale="en_GB")


def format_moment(value: datetime | None, lang: str, *, timezone: str = "Asia/Shanghai") -> str:
    """A moment with weekday, time and the place whose time it is: ``Thu 26 Nov 2026, 09:05 (Shanghai)``."""
    if value is None:
        return "–"
    local = value.astimezone(ZoneInfo(timezone))
    place = timezone.rpartition("/")[2].replace("_", " ")
    if lang.startswith("zh"):
        place = {"Shanghai": "北京时间"}.get(place, place)
        return format_datetime(local, "y年M月d日（EEE）HH:mm", locale="zh_Hans_CN") + f"（{place}）"
    return format_datetime(local, "EEE d MMM y, HH:mm", locale="en_GB") + f" ({place})"


def format_month(value: str | None, lang: str) -> str:
    """A month such as ``2027-03`` in words: ``March 2027``, ``2027年3月``."""
    if not value:
        return "–"
    first = date(int(value[:4]), int(value[5:7]), 1)
    if lang.startswith("zh"):
        return format_date(first, "y年M月", locale="zh_Hans_CN")
    return format_date(first, "MMMM y", locale="en_GB")
