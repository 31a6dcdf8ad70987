"""The report of a department: its figures as tables that read the same on the page, on paper and in a spreadsheet."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from babel import Locale
from flask_babel import gettext as _

from collab.core import clock
from collab.core.wording import format_month
from collab.departments.tracks import Track
from collab.inquiries.questions import CHOICES
from collab.inquiries.reasons import LABELS as REASON_LABELS
from collab.inquiries.reasons import Reason
from collab.inquiries.statuses import OPEN, STAFF_LABELS, Status
from collab.reports import definitions as say
from collab.reports.facts import AGREED, DECIDED, Measure
from collab.reports.sums import NO_TIMES, Scope, Sums, Times, Waited, late, read, together
from collab.reports.suppression import LEAST, hidden, safe_share, share, total_is_safe


class Kind(StrEnum):
    """What a column's cells are."""

    TEXT = "text"
    NUMBER = "number"
    DAYS = "days"
    SHARE = "share"
    DAY = "day"


class Hidden:
    """Stands for a number that is not shown."""

    def __str__(self) -> str:
        return _("not shown")


HIDDEN = Hidden()


@dataclass(frozen=True)
class Head:
    """A column's title and what its cells are."""

    title: str
    kind: Kind = Kind.NUMBER


@dataclass(frozen=True)
class Table:
    """A table.

    :param key: its name in addresses.
    :param says: what it counts, in a sentence.
    :param rows: cells are texts, numbers, days, ``None`` (there is none) or ``HIDDEN``.
    :param total: the last row, where there is one.
    :param bar: the column that is drawn as a bar.
    :param empty: what to say when there is no row.
    """

    key: str
    title: str
    says: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: tuple[Any, ...] | None = None
    bar: int | None = None
    empty: str = ""
    notes: tuple[str, ...] = ()

    @property
    def all_rows(self) -> tuple[tuple[Any, ...], ...]:
        return (*self.rows, *((self.total,) if self.total else ()))

    @property
    def hides(self) -> bool:
        """Whether some number is not shown."""
        return any(cell is HIDDEN for row in self.all_rows for cell in row)

    @property
    def most(self) -> float:
        """The largest number of the column that is drawn."""
        if self.bar is None:
            return 0
        numbers = [row[self.bar] for row in self.rows if isinstance(row[self.bar], int | float)]
        return max(numbers, default=0)


@dataclass(frozen=True)
class KeyFigure:
    """One large number: its definition, its value as text, and what is said under it."""

    figure: say.Figure
    value: Any
    kind: Kind
    note: str = ""


@dataclass(frozen=True)
class Report:
    """All of a report.

    :param protected: whether small numbers are left out, for readers who may not see inquiries.
    :param missing: inquiries that are not counted yet, while a department's sums are made anew.
    """

    scope: Scope
    protected: bool
    missing: int
    figures: tuple[KeyFigure, ...]
    tables: tuple[Table, ...]
    series: dict[str, tuple[tuple[str, float | None], ...]] = field(default_factory=dict)

    def table(self, key: str) -> Table | None:
        return next((table for table in self.tables if table.key == key), None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing came in the period."""
        return bool(self.figures[0].value == 0)


#: Ages of open inquiries in calendar days: from, to.
AGES = ((0, 7), (8, 14), (15, 30), (31, 60), (61, None))
#: The statuses in which an inquiry is not decided and not closed.
UNDECIDED = (Status.RECEIVED, Status.NEEDS_INFO, Status.IN_REVIEW, Status.DECISION_READY)
ENDS = (
    Status.ACCEPTED,
    Status.CONDITIONAL,
    Status.WAITLISTED,
    Status.REFERRED,
    Status.DECLINED,
    Status.WITHDRAWN,
    Status.LAPSED,
)
MEASURES = (
    Measure.STATUS,
    Measure.REASON,
    Measure.AREA,
    Measure.COUNTRY,
    Measure.KIND,
    Measure.LANGUAGE,
    Measure.SOURCE,
    Measure.FIRST,
    Measure.DECISION,
    Measure.OPEN,
    Measure.UNANSWERED,
)


def report(scope: Scope, *, lang: str, protected: bool) -> Report:
    """The report of a scope.

    :param protected: leave small numbers out, for readers who may not see inquiries.
    """
    return _Maker(scope, read(scope, MEASURES), lang, protected).make()


@dataclass(frozen=True)
class Promise:
    """How a time compares with what was promised."""

    kept: int
    of: int

    @property
    def share(self) -> float | None:
        return share(self.kept, self.of)


class _Maker:
    def __init__(self, scope: Scope, sums: Sums, lang: str, protected: bool) -> None:
        self.scope, self.sums, self.lang, self.protected = scope, sums, lang, protected
        self.settings = scope.department.settings
        self.today = clock.today(scope.department.timezone)
        self.first_target = self.settings.service_levels.first_answer_days
        self.in_time_from = Waited(scope.department).first_in_time(self.first_target)
        self.received = sums.total(Measure.STATUS)
        self.in_period = {str(month) for month in scope.months}

    def make(self) -> Report:
        return Report(
            scope=self.scope,
            protected=self.protected,
            missing=self.sums.missing,
            figures=tuple(self.figures()),
            tables=(
                *self.standing(),
                self.times(
                    "tracks",
                    _("Times by track"),
                    _("Track"),
                    [(track, track_name(track)) for track in Track],
                    lambda key: key.track,
                ),
                self.times(
                    "months",
                    _("Times by month"),
                    _("Month in which they came"),
                    [(str(month), format_month(str(month), self.lang)) for month in self.scope.months],
                    lambda key: key.month,
                ),
                self.outcomes(),
                self.reasons(),
                *self.origins(),
            ),
            series=self.series(),
        )

    # -- key figures ---------------------------------------------------------------------------------------------

    def figures(self) -> Iterator[KeyFigure]:
        first = together(list(self.sums.times(Measure.FIRST, lambda key: "").values()))
        decision = together(list(self.sums.times(Measure.DECISION, lambda key: "").values()))
        kept = self.first_promise(first, self.waiting(lambda key: ""))
        statuses = self.sums.keys(Measure.STATUS)
        decided = sum(statuses[status] for status in DECIDED)
        agreed = sum(statuses[status] for status in AGREED)
        unanswered = first.given_up(self.first_target) + self.late_of(self.waiting(lambda key: ""))
        yield KeyFigure(say.RECEIVED, self.number(self.received), Kind.NUMBER)
        yield KeyFigure(say.OPEN, self.number(self.sums.total(Measure.OPEN)), Kind.NUMBER)
        yield KeyFigure(say.FIRST, self.days(first.median, first.n), Kind.DAYS, self.nine_of_ten(first))
        yield KeyFigure(
            say.FIRST_IN_TIME,
            self.rate(kept.kept, kept.of),
            Kind.SHARE,
            _("promised: %(days)s working days", days=self.first_target),
        )
        yield KeyFigure(
            say.DECISION, self.days(decision.median, decision.n), Kind.DAYS, self.nine_of_ten(decision)
        )
        yield KeyFigure(say.ACCEPTANCE, self.rate(agreed, decided), Kind.SHARE)
        yield KeyFigure(say.NO_ANSWER, self.rate(unanswered, self.received), Kind.SHARE)

    def nine_of_ten(self, times: Times) -> str:
        if times.p90 is None or (self.protected and times.n < LEAST):
            return ""
        return _("nine of ten within %(days)s", days=times.p90)

    def number(self, n: int) -> Any:
        return HIDDEN if self.protected and 0 < n < LEAST else n

    def days(self, days: int | None, n: int) -> Any:
        return HIDDEN if self.protected and 0 < n < LEAST else days

    def rate(self, part: int, whole: int) -> Any:
        if self.protected and whole and safe_share(part, whole) is None:
            return HIDDEN
        return share(part, whole)

    # -- times ---------------------------------------------------------------------------------------------------

    def waiting(self, of: Callable[[Any], Any]) -> Counter[tuple[Any, str]]:
        """How many of the period wait for a first answer, since which day."""
        return Counter(
            {
                name: n
                for name, n in self.sums.by(
                    Measure.UNANSWERED,
                    lambda key: (of(key), key.key) if key.month in self.in_period else None,
                ).items()
                if name is not None
            }
        )

    def late_of(self, waiting: Counter[tuple[Any, str]], name: Any = "") -> int:
        days = {day: n for (of, day), n in waiting.items() if of == name}
        return late(days, self.in_time_from)

    def first_promise(self, times: Times, waiting: Counter[tuple[Any, str]], name: Any = "") -> Promise:
        missed = times.given_up(self.first_target) + self.late_of(waiting, name)
        return Promise(times.within(self.first_target), times.n + missed)

    def decision_promise(self, by_track: Iterable[tuple[Track, Times]]) -> Promise:
        kept = of = 0
        for track, times in by_track:
            kept += times.within(self.settings.service_levels.total_days.of(track))
            of += times.n
        return Promise(kept, of)

    def times(
        self, key: str, title: str, what: str, names: Sequence[tuple[Any, str]], of: Callable[[Any], Any]
    ) -> Table:
        received = self.sums.by(Measure.STATUS, of)
        first = self.sums.times(Measure.FIRST, of)
        decision = self.sums.times(Measure.DECISION, lambda one: (of(one), Track(one.track)))
        waiting = self.waiting(of)
        shown = [(name, label) for name, label in names if received[name] or key == "months"]
        columns = [
            [received[name] for name, _label in shown],
            [first.get(name, NO_TIMES).n for name, _label in shown],
            [
                sum(times.n for (one, _track), times in decision.items() if one == name)
                for name, _label in shown
            ],
        ]
        out = [hidden(column) if self.protected else frozenset[int]() for column in columns]
        rows: list[tuple[Any, ...]] = []
        for place, (name, label) in enumerate(shown):
            times = first.get(name, NO_TIMES)
            decided = [(track, found) for (one, track), found in decision.items() if one == name]
            whole = together([found for _track, found in decided])
            kept, in_time = self.first_promise(times, waiting, name), self.decision_promise(decided)
            rows.append(
                (
                    label,
                    HIDDEN if place in out[0] else columns[0][place],
                    HIDDEN if place in out[1] else times.n,
                    self.days(times.median, times.n),
                    self.days(times.p90, times.n),
                    self.rate(kept.kept, kept.of),
                    HIDDEN if place in out[2] else whole.n,
                    self.days(whole.median, whole.n),
                    self.days(whole.p90, whole.n),
                    self.rate(in_time.kept, in_time.of),
                )
            )
        return Table(
            key,
            title,
            f"{say.FIRST.name}: {say.FIRST.says} {say.DECISION.name}: {say.DECISION.says}",
            (
                Head(what, Kind.TEXT),
                Head(_("Received")),
                Head(_("First answers")),
                Head(_("Working days, median"), Kind.DAYS),
                Head(_("Working days, nine of ten"), Kind.DAYS),
                Head(_("First answers in time"), Kind.SHARE),
                Head(_("Decisions")),
                Head(_("Calendar days, median"), Kind.DAYS),
                Head(_("Calendar days, nine of ten"), Kind.DAYS),
                Head(_("Decisions in time"), Kind.SHARE),
            ),
            tuple(rows),
            empty=_("No inquiry came in this period."),
            notes=(
                say.target_note(self.first_target),
                _(
                    "A decision is promised within %(cooperation)s (cooperation), %(visit)s (visit) and %(training)s "
                    "(training) calendar days.",
                    **{track.value: self.settings.service_levels.total_days.of(track) for track in Track},
                ),
                str(say.RANKS),
            ),
        )

    def series(self) -> dict[str, tuple[tuple[str, float | None], ...]]:
        """What is drawn over the months; nothing that must not be shown is drawn either."""
        received = self.sums.by(Measure.STATUS, lambda key: key.month)
        first = self.sums.times(Measure.FIRST, lambda key: key.month)
        months = [str(month) for month in self.scope.months]
        out = hidden([received[month] for month in months]) if self.protected else frozenset[int]()
        medians = [(month, first.get(month, NO_TIMES)) for month in months]
        return {
            "received": tuple(
                (month, None if place in out else float(received[month]))
                for place, month in enumerate(months)
            ),
            "first": tuple(
                (
                    month,
                    None
                    if (self.protected and times.n < LEAST) or times.median is None
                    else float(times.median),
                )
                for month, times in medians
            ),
        }

    # -- where they stand ------------------------------------------------------------------------------------------

    def standing(self) -> Iterator[Table]:
        """What is open now, by status and age."""
        found: Counter[tuple[Status, int]] = Counter()
        for key, n in self.sums.keys(Measure.OPEN).items():
            status, _colon, day = key.partition(":")
            age = (self.today - date.fromisoformat(day)).days
            found[Status(status), self.age_of(age)] += n
        ages = [self.age_label(*age) for age in AGES]
        statuses = [status for status in Status if status in OPEN]
        title, says, empty = str(say.OPEN.name), str(say.OPEN.says), _("Nothing is open.")
        by_status = [sum(found[status, age] for age in range(len(AGES))) for status in statuses]
        by_age = [sum(found[status, age] for status in statuses) for age in range(len(AGES))]
        if self.protected:
            yield self.counted(
                "open",
                _("Open now, by status"),
                says,
                _("Status"),
                [(str(STAFF_LABELS[status]), n) for status, n in zip(statuses, by_status, strict=True)],
                empty,
            )
            yield self.counted(
                "ages",
                _("Open now, by age"),
                says,
                _("Days since they came"),
                list(zip(ages, by_age, strict=True)),
                empty,
            )
            return
        rows = [
            (str(STAFF_LABELS[status]), *(found[status, age] for age in range(len(AGES))), total)
            for status, total in zip(statuses, by_status, strict=True)
            if total
        ]
        yield Table(
            "open",
            title,
            says,
            (Head(_("Status"), Kind.TEXT), *(Head(age) for age in ages), Head(_("All"))),
            tuple(rows),
            total=(_("All"), *by_age, sum(by_age)) if rows else None,
            empty=empty,
            notes=(_("Age in calendar days since the e-mail was confirmed."),),
        )

    @staticmethod
    def age_of(days: int) -> int:
        return next(place for place, (_from, to) in enumerate(AGES) if to is None or days <= to)

    @staticmethod
    def age_label(first: int, last: int | None) -> str:
        if last is None:
            return _("over %(days)s days", days=first - 1)
        return _("%(first)s–%(last)s days", first=first, last=last)

    def outcomes(self) -> Table:
        statuses = self.sums.keys(Measure.STATUS)
        counts = [(str(STAFF_LABELS[status]), statuses[status]) for status in ENDS]
        counts.append((_("Not decided yet"), sum(statuses[status] for status in UNDECIDED)))
        return self.counted(
            "outcomes",
            str(say.OUTCOMES.name),
            f"{say.OUTCOMES.says} {say.ACCEPTANCE.name}: {say.ACCEPTANCE.says}",
            _("Outcome"),
            counts if self.received else [],
            _("No inquiry came in this period."),
        )

    def reasons(self) -> Table:
        pairs = [
            (Status(status), Reason(reason), n)
            for (status, _colon, reason), n in (
                (key.partition(":"), n) for key, n in self.sums.keys(Measure.REASON).items()
            )
        ]
        counts = [
            (_("%(what)s: %(why)s", what=STAFF_LABELS[status], why=REASON_LABELS[reason]), n)
            for status, reason, n in sorted(pairs, key=lambda pair: (pair[0], -pair[2], pair[1]))
        ]
        return self.counted(
            "reasons",
            str(say.REASONS.name),
            str(say.REASONS.says),
            _("Reason"),
            counts,
            _("None was declined or passed on."),
            ranked=True,
        )

    # -- where they come from --------------------------------------------------------------------------------------

    def origins(self) -> Iterator[Table]:
        """By country, area, kind of institution, language and page."""
        names: list[tuple[str, Measure, str, str, Callable[[str], str]]] = [
            ("countries", Measure.COUNTRY, _("By country or region"), _("Country or region"), self.country),
            ("areas", Measure.AREA, _("By area"), _("Area"), self.area),
            ("kinds", Measure.KIND, _("By kind of institution"), _("Kind of institution"), kind_name),
            ("languages", Measure.LANGUAGE, _("By language"), _("Language of the form"), language_name),
            ("sources", Measure.SOURCE, _("By page"), _("Page from which the form was opened"), self.source),
        ]
        for key, measure, title, what, name in names:
            counts = sorted(self.sums.keys(measure).items(), key=lambda pair: (-pair[1], pair[0]))
            yield self.counted(
                key,
                title,
                str(say.RECEIVED.says),
                what,
                [(name(code), n) for code, n in counts],
                _("No inquiry came in this period."),
                ranked=True,
            )

    def counted(
        self,
        key: str,
        title: str,
        says: str,
        what: str,
        counts: Sequence[tuple[str, int]],
        empty: str,
        *,
        ranked: bool = False,
    ) -> Table:
        """A table of names with how many and which share.

        :param ranked: the largest come first.
        """
        numbers = [n for _name, n in counts]
        out = hidden(numbers) if self.protected else frozenset[int]()
        whole = sum(numbers)
        if len(out) == len(counts) and total_is_safe(numbers, out):
            counts, out, empty = (
                [],
                frozenset(),
                _("%(number)s in all, too few of each to be shown.", number=whole),
            )
        rows = [
            (name, *((HIDDEN, HIDDEN) if place in out else (n, share(n, whole))))
            for place, (name, n) in enumerate(counts)
        ]
        if ranked and out:  # in which order the others stand would say how large they are
            shown = [row for place, row in enumerate(rows) if place not in out]
            rows = shown + sorted(
                (row for place, row in enumerate(rows) if place in out), key=lambda row: str(row[0])
            )
        safe = total_is_safe(numbers, out) or (not out and bool(numbers))
        total = (_("All"), whole, 100.0 if whole else None) if safe else (_("All"), HIDDEN, None)
        return Table(
            key,
            title,
            says,
            (Head(what, Kind.TEXT), Head(_("Inquiries")), Head(_("Share"), Kind.SHARE)),
            tuple(rows),
            total=total if rows else None,
            bar=1,
            empty=empty,
        )

    def country(self, code: str) -> str:
        return country_name(code, self.settings, self.lang)

    def area(self, code: str) -> str:
        return self.settings.area_name(code, self.lang)

    @staticmethod
    def source(page: str) -> str:
        return page or _("not known")


# -- words -----------------------------------------------------------------------------------------------------------


def track_name(track: Track) -> str:
    return {
        Track.COOPERATION: _("Cooperation"),
        Track.VISIT: _("Visit"),
        Track.TRAINING: _("Training"),
    }[track]


def kind_name(code: str) -> str:
    if not code:
        return _("not asked on this track")
    return str(CHOICES["organisation_type"].get(code, code))


def language_name(code: str) -> str:
    return {"en": _("English"), "zh": _("Chinese")}.get(code, code)


def country_name(code: str, settings: Any, lang: str) -> str:
    """A country's or region's name; the department may have its own for some."""
    own = settings.country_names.get(code)
    if own is not None:
        return str(own.get(lang))
    locale = Locale.parse("zh_Hans_CN" if lang.startswith("zh") else "en_GB")
    return str(locale.territories.get(code, code))
