"""The fairness report: does it matter from where, on which track, for which institution, in which language one writes?

It speaks of whole calendar years and takes no other filter, and it says the same to everybody: two reports that
overlap would give away what each of them leaves out. Numbers below five are left out, and so are others from which
they could be worked out (``suppression``); a rate is left out when either of its sides is small.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from collab.core import clock
from collab.departments import Department
from collab.departments.tracks import Track
from collab.reports import definitions as say
from collab.reports.facts import Measure
from collab.reports.groups import groups_of
from collab.reports.report import HIDDEN, Head, Kind, Table, kind_name, language_name, track_name
from collab.reports.sums import FIRST_YEAR, Month, Scope, Sums, Times, read
from collab.reports.suppression import LEAST, hidden, safe_share, share, total_is_safe


@dataclass(frozen=True)
class Fairness:
    """A year's report.

    :param missing: as in ``Report``.
    """

    year: int
    missing: int
    tables: tuple[Table, ...]


class _Group:
    """Those who have something in common."""

    def __init__(self) -> None:
        self.agreed = self.decided = self.other = 0
        self.days: dict[str, int] = defaultdict(int)

    def add(self, outcome: str, days: str, n: int) -> None:
        if outcome == "agreed":
            self.agreed += n
        elif outcome == "decided":
            self.decided += n
        else:
            self.other += n
        if days:
            self.days[days] += n

    @property
    def n(self) -> int:
        """How many were decided."""
        return self.agreed + self.decided

    @property
    def times(self) -> Times:
        return Times.of(self.days)

    def __add__(self, other: "_Group") -> "_Group":
        both = _Group()
        both.agreed, both.decided = self.agreed + other.agreed, self.decided + other.decided
        both.other = self.other + other.other
        for days in (self.days, other.days):
            for key, n in days.items():
                both.days[key] += n
        return both


def years(department: Department) -> list[int]:
    """The years there may be something to say about, the newest first."""
    this = clock.today(department.timezone).year
    return list(range(this, max(department.created_at.year, FIRST_YEAR) - 1, -1))


def fairness(department: Department, year: int, *, lang: str) -> Fairness:
    """Acceptance and time to the first answer, by country group, track, kind of institution and language."""
    scope = Scope(department, Month(year, 1), Month(year, 12), demo=department.is_demo)
    measures = (Measure.BY_COUNTRY, Measure.BY_TRACK, Measure.BY_KIND, Measure.BY_LANGUAGE)
    sums = read(scope, measures, by_year=True)
    groups = groups_of(department.settings, lang)
    target = department.settings.service_levels.first_answer_days
    tracks = _grouped(sums, Measure.BY_TRACK, lambda value: value)
    kinds = _grouped(sums, Measure.BY_KIND, lambda value: value)
    tables = [
        _table(
            "country_groups",
            _("By group of countries"),
            _("Group of countries"),
            _grouped(sums, Measure.BY_COUNTRY, groups.group),
            lambda code: groups.names[code],
            target,
        ),
        _table("tracks", _("By track"), _("Track"), tracks, lambda code: track_name(Track(code)), target),
    ]
    # Only some tracks ask for the kind of institution: together these are numbers of the table above.
    asked = sorted({key.track for key in sums.by(Measure.BY_KIND, lambda key: key)})
    rows = sorted(tracks)
    out = hidden([tracks[code].n for code in rows])
    if all(rows.index(track) not in out for track in asked):
        tables.append(
            _table("kinds", _("By kind of institution"), _("Kind of institution"), kinds, kind_name, target)
        )
    tables.append(
        _table(
            "languages",
            _("By language"),
            _("Language of the form"),
            _grouped(sums, Measure.BY_LANGUAGE, lambda value: value),
            language_name,
            target,
        )
    )
    return Fairness(year, sums.missing, tuple(tables))


def _grouped(sums: Sums, measure: Measure, group: Callable[[str], str]) -> dict[str, _Group]:
    found: dict[str, _Group] = defaultdict(_Group)
    for key, n in sums.keys(measure).items():
        value, outcome, days = key.split(":")
        found[group(value)].add(outcome, days, n)
    return dict(found)


def _table(
    key: str,
    title: str,
    what: str,
    groups: dict[str, _Group],
    name: Callable[[str], str],
    target: int,
) -> Table:
    codes = sorted(groups, key=name)  # by size, the order would say what is not shown
    ordered = [groups[code] for code in codes]
    counts = [one.n for one in ordered]
    out = hidden(counts)
    agreed = [one.agreed for one in ordered]
    declined = [one.decided for one in ordered]
    # Whose number is not shown has no rate either; the rest must not follow from what all have together.
    rates_out = hidden(counts, agreed, declined) | out
    timed = [one.times for one in ordered]
    in_time = [one.within(target) for one in timed]
    late = [one.n - kept for one, kept in zip(timed, in_time, strict=True)]
    in_time_out = frozenset(
        place
        for place, one in enumerate(timed)
        if one.n and (place in out or safe_share(in_time[place], one.n) is None)
    )
    rows: list[tuple[Any, ...]] = []
    for place, (code, group) in enumerate(zip(codes, ordered, strict=True)):
        shown = place not in out
        times = timed[place]
        rows.append(
            (
                name(code),
                group.n if shown else HIDDEN,
                share(group.agreed, group.n) if place not in rates_out else HIDDEN,
                times.median if shown and times.n >= LEAST else HIDDEN,
                share(in_time[place], times.n) if times.n and place not in in_time_out else HIDDEN,
            )
        )
    total: tuple[Any, ...] | None = None
    if ordered:
        whole = ordered[0]
        for one in ordered[1:]:
            whole = whole + one
        safe = total_is_safe(counts, out)
        rated = safe and all(total_is_safe(column, rates_out) for column in (agreed, declined))
        kept = safe_share(sum(in_time), whole.times.n)
        if not all(total_is_safe(column, in_time_out) for column in (in_time, late)):
            kept = None
        total = (
            _("All"),
            whole.n if safe else HIDDEN,
            share(whole.agreed, whole.n) if rated else HIDDEN,
            whole.times.median if safe and whole.times.n >= LEAST else HIDDEN,
            kept if safe and kept is not None else HIDDEN,
        )
    return Table(
        key,
        title,
        f"{say.ACCEPTANCE.name}: {say.ACCEPTANCE.says} {say.FIRST.name}: {say.FIRST.says}",
        (
            Head(what, Kind.TEXT),
            Head(_("Decided")),
            Head(_("Acceptance rate"), Kind.SHARE),
            Head(_("Working days to the first answer, median"), Kind.DAYS),
            Head(_("First answers in time"), Kind.SHARE),
        ),
        tuple(rows),
        total=total,
        empty=_("Nothing was decided about inquiries of this year."),
    )
