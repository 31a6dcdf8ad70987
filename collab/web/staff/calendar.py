"""What is due when, month by month: a list in weeks that reads on a phone as well."""

import re
from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain

from babel import Locale
from babel.dates import format_date
from flask import abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from collab.accounts import absences
from collab.accounts.permissions import Permission, departments_where
from collab.core import clock
from collab.departments import Department, working_calendar
from collab.desk import agenda
from collab.desk.agenda import Item
from collab.inquiries.deadlines import Who
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.staff import bp
from collab.web.staff_chrome import departments_here

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)
#: So far back and ahead one can turn the leaves, in years.
_YEARS = 2
#: Which role owes what is asked of nobody in particular.
ROLES: dict[Who, LazyString] = {
    Who.COORDINATOR: _l("coordinators"),
    Who.HOST: _l("host"),
    Who.REVIEWER: _l("reviewer"),
    Who.HEAD: _l("head"),
    Who.PARTNER: _l("partner"),
    Who.OFFICE: _l("whoever answers the gate"),
}


@dataclass
class Day:
    """One day of the leaf.

    :param free: nobody works: a weekend or a holiday. :param worked: a weekend day that is worked.
    """

    day: date
    inside: bool
    free: bool
    worked: bool
    today: bool
    items: list[Item] = field(default_factory=list)
    away: list[str] = field(default_factory=list)


@bp.get("/calendar")
@requires(Permission.SEE_INQUIRIES)
def calendar() -> ResponseReturnValue:
    """The due dates of a month: one's own, or all that one may see; what is late stands first."""
    g.pile = "calendar"
    who = actor()
    here = departments_here()
    ids = sorted(departments_where(who, Permission.SEE_INQUIRIES))
    department = here[ids[0]]
    today = clock.today(department.timezone)
    first, whose = _asked(today)
    after = (first.replace(day=28) + timedelta(days=7)).replace(day=1)
    found = agenda.items(
        seen_by=who,
        until=clock.end_of_day(after - timedelta(days=1), department.timezone),
        mine=whose == "mine",
        most=agenda.MOST,
    )
    late = [one for one in found if one.late and one.who is not Who.PARTNER]
    weeks = _weeks(
        first, [here[id] for id in ids], today, [one for one in found if one.day >= first and one not in late]
    )
    return render_template(
        "staff/calendar.html",
        late=late,
        weeks=weeks,
        title=_month_name(first),
        whose=whose,
        roles=ROLES,
        nothing=not late and not any(day.items for week in weeks for day in week),
        full=len({one.inquiry_id for one in found}) >= agenda.MOST,
        before=_address(first - timedelta(days=1), whose, today),
        after=_address(after, whose, today),
        this=None if first == today.replace(day=1) else url_for(".calendar", whose=whose),
        mine_url=url_for(".calendar", whose="mine", month=f"{first:%Y-%m}"),
        all_url=url_for(".calendar", whose="all", month=f"{first:%Y-%m}"),
    )


def _asked(today: date) -> tuple[date, str]:
    """The first day of the month asked for, and whose dates."""
    month, whose = request.args.get("month", ""), request.args.get("whose", "mine")
    if whose not in {"mine", "all"}:
        abort(400)
    if not month:
        return today.replace(day=1), whose
    found = _MONTH.fullmatch(month)
    if found is None or abs(int(found[1]) - today.year) > _YEARS:
        abort(400)
    return date(int(found[1]), int(found[2]), 1), whose


def _address(day: date, whose: str, today: date) -> str | None:
    if abs(day.year - today.year) > _YEARS:
        return None
    return url_for(".calendar", whose=whose, month=f"{day:%Y-%m}")


def _weeks(first: date, places: Sequence[Department], today: date, found: Sequence[Item]) -> list[list[Day]]:
    working = working_calendar(places[0])
    weeks = [
        [
            Day(
                day=day,
                inside=day.month == first.month,
                free=not working.is_working(day),
                worked=day.weekday() >= 5 and working.is_working(day),
                today=day == today,
            )
            for day in week
        ]
        for week in Calendar().monthdatescalendar(first.year, first.month)
    ]
    by_day = {one.day: one for week in weeks for one in week if one.inside}
    for item in found:
        if item.day in by_day:
            by_day[item.day].items.append(item)
    for absence in chain.from_iterable(absences.between(one, min(by_day), max(by_day)) for one in places):
        for day, one in by_day.items():
            away = absence.first_day <= day <= absence.last_day and not one.free
            if away and absence.user.name not in one.away:
                one.away.append(absence.user.name)
    return weeks


def _month_name(first: date) -> str:
    lang = hooks.language()
    return format_date(
        first,
        "y年M月" if lang == "zh" else "MMMM y",
        locale=Locale.parse("zh_Hans_CN" if lang == "zh" else "en_GB"),
    )
