"""What several reviews say together (domain.md C). Pure: numbers and words in, figures out; nothing is read or written.

Figures are exact fractions. What is shown of them is rounded down (``shown``), so that a figure never looks as if it
had reached a line that it has not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import combinations
from math import floor

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from collab.departments import Criterion, ReviewSettings
from collab.reviews.models import Recommendation, Verdict

LOWEST, HIGHEST = 1, 5


class Guide(StrEnum):
    """What the points propose. A guide line, never a decision."""

    ACCEPT = "accept"
    DISCUSS = "discuss"
    DECLINE = "decline"

    @property
    def label(self) -> LazyString:
        return {
            Guide.ACCEPT: _l("Propose accepting"),
            Guide.DISCUSS: _l("Discuss, or waiting list"),
            Guide.DECLINE: _l("Propose declining"),
        }[self]


#: What follows from each guide line. Any other verdict is possible too, and says why.
FOLLOWS: dict[Guide, frozenset[Verdict]] = {
    Guide.ACCEPT: frozenset({Verdict.ACCEPT, Verdict.CONDITIONAL}),
    Guide.DISCUSS: frozenset({Verdict.CONDITIONAL, Verdict.WAITLIST}),
    Guide.DECLINE: frozenset({Verdict.DECLINE, Verdict.REFER}),
}


def deviates(guide: Guide | None, verdict: Verdict) -> bool:
    """Whether a verdict is another one than the guide line proposes; never, where there is none."""
    return guide is not None and verdict not in FOLLOWS[guide]


@dataclass(frozen=True)
class Line:
    """One criterion in one review.

    :param value: 1 to 5; ``None`` for "cannot judge".
    """

    criterion: Criterion
    value: int | None
    comment: str = ""


@dataclass(frozen=True)
class Sheet:
    """One review, as the panel shows it.

    :param rubric: the number of the rubric's version; ``None`` for a review without scores.
    :param counts: whether it enters the figures; not when its reviewer was taken off the inquiry.
    :param changed: how often it was changed after it was handed in first.
    :param mean: the weighted mean, 1 to 5; ``None`` when nothing was judged.
    """

    user_id: int
    reviewer: str
    at: datetime
    recommendation: Recommendation
    because: str
    rubric: int | None
    lines: tuple[Line, ...]
    counts: bool = True
    changed: int = 0

    @property
    def mean(self) -> Fraction | None:
        return weighted_mean((line.criterion.weight, line.value) for line in self.lines)

    @property
    def points(self) -> Fraction | None:
        """The mean in points, 0 to 100."""
        return None if self.mean is None else points(self.mean)

    @property
    def unjudged(self) -> int:
        """How many criteria the reviewer could not judge."""
        return sum(line.value is None for line in self.lines)

    def value_of(self, code: str) -> int | None:
        """The score of one criterion; ``None`` when it was not judged, or is not in this review's rubric."""
        return next((line.value for line in self.lines if line.criterion.code == code), None)


@dataclass(frozen=True)
class Apart:
    """Two reviews that are far from each other: as a whole, or in one criterion.

    :param criterion: ``None`` when the weighted means are apart.
    :param by: the difference, on the scale of 1 to 5.
    """

    one: str
    other: str
    by: Fraction
    criterion: Criterion | None = None


@dataclass(frozen=True)
class Panel:
    """The reviews of an inquiry side by side, and what they come to.

    All figures are of the reviews that count and judged anything.

    :param sheets: every review, in the order in which they were given.
    :param mean: of the reviews' points, 0 to 100; with the lowest and the highest.
    :param unjudged: how often "cannot judge" was said.
    :param guide: what the department's guide lines propose.
    :param apart: why a third reader is wanted; empty when the reviews agree well enough.
    :param needed: how many reviews the inquiry needs; 0 on the light path, one more when they are apart.
    """

    sheets: tuple[Sheet, ...] = ()
    mean: Fraction | None = None
    lowest: Fraction | None = None
    highest: Fraction | None = None
    unjudged: int = 0
    guide: Guide | None = None
    apart: tuple[Apart, ...] = ()
    needed: int = 0

    @property
    def counted(self) -> tuple[Sheet, ...]:
        return tuple(sheet for sheet in self.sheets if sheet.counts)

    @property
    def spread(self) -> Fraction | None:
        """From the lowest to the highest, in points."""
        return None if self.highest is None or self.lowest is None else self.highest - self.lowest

    @property
    def missing(self) -> int:
        """How many reviews are still to come."""
        return max(0, self.needed - len(self.counted))

    @property
    def wants_another(self) -> bool:
        """Whether the reviews are apart, and the further reader who is needed then has not been heard."""
        return bool(self.apart) and self.missing > 0

    def criteria(self) -> list[Criterion]:
        """Every criterion that any of the reviews judged by, in the rubric's order."""
        found: dict[str, Criterion] = {}
        for sheet in self.sheets:
            for line in sheet.lines:
                found.setdefault(line.criterion.code, line.criterion)
        return list(found.values())


def weighted_mean(scores: Iterable[tuple[int, int | None]]) -> Fraction | None:
    """The mean of pairs of weight and score; what could not be judged is left out, and the others take its share."""
    judged = [(weight, value) for weight, value in scores if value is not None]
    whole = sum(weight for weight, _value in judged)
    if not whole:
        return None
    return Fraction(sum(weight * value for weight, value in judged), whole)


def points(mean: Fraction) -> Fraction:
    """A mean of 1 to 5 in points of 0 to 100."""
    return (mean - LOWEST) / (HIGHEST - LOWEST) * 100


def guide_of(mean: Fraction | None, settings: ReviewSettings) -> Guide | None:
    """What the guide lines propose at so many points."""
    if mean is None:
        return None
    if mean >= settings.accept_from:
        return Guide.ACCEPT
    return Guide.DISCUSS if mean >= settings.discuss_from else Guide.DECLINE


def apart(sheets: Sequence[Sheet], settings: ReviewSettings) -> tuple[Apart, ...]:
    """Where reviews are so far from each other that a third reader is wanted."""
    limit = Fraction(str(settings.apart_mean))
    found: list[Apart] = []
    for one, other in combinations(sheets, 2):
        first, second = one.mean, other.mean
        if first is not None and second is not None and abs(first - second) >= limit:
            found.append(Apart(one.reviewer, other.reviewer, abs(first - second)))
        for line in one.lines:
            value = other.value_of(line.criterion.code)
            if line.value is None or value is None:
                continue
            if abs(line.value - value) >= settings.apart_criterion:
                found.append(
                    Apart(one.reviewer, other.reviewer, Fraction(abs(line.value - value)), line.criterion)
                )
    return tuple(found)


def panel(sheets: Iterable[Sheet], settings: ReviewSettings, *, light: bool = False) -> Panel:
    """Put the reviews of one inquiry together.

    :param light: on the light path no review is needed; what was given is shown all the same.
    """
    every = tuple(sheets)
    counted = [sheet for sheet in every if sheet.counts]
    reached = [sheet.points for sheet in counted if sheet.points is not None]
    mean = sum(reached, Fraction(0)) / len(reached) if reached else None
    differ = apart(counted, settings)
    needed = 0 if light else settings.reviewers + bool(differ)
    return Panel(
        sheets=every,
        mean=mean,
        lowest=min(reached, default=None),
        highest=max(reached, default=None),
        unjudged=sum(sheet.unjudged for sheet in counted),
        guide=guide_of(mean, settings),
        apart=differ,
        needed=needed,
    )


def shown(figure: Fraction, places: int = 1) -> Decimal:
    """A figure as it is printed: rounded down to so many places."""
    return Decimal(floor(figure * 10**places)).scaleb(-places)


def lines_of(criteria: Iterable[Criterion], scores: Mapping[str, Mapping[str, object]]) -> tuple[Line, ...]:
    """The lines of a review: each criterion of its rubric with what was said about it."""
    found: list[Line] = []
    for criterion in criteria:
        said = scores.get(criterion.code, {})
        value, comment = said.get("value"), said.get("comment")
        found.append(Line(criterion, value if isinstance(value, int) else None, str(comment or "")))
    return tuple(found)
