"""What several reviews come to: examples worked out by hand (domain.md C), and what holds for all of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collab.departments import Bilingual, Criterion, ReviewSettings, Track
from collab.departments.settings import Anchors
from collab.reviews import panel, rubrics
from collab.reviews.models import Recommendation
from collab.reviews.panel import Guide, Line, Sheet

#: A loaded machine takes its time.
PATIENTLY = settings(deadline=None)
SETTINGS = ReviewSettings()
COOPERATION = rubrics.general()[Track.COOPERATION].criteria  # weights 30, 25, 20, 15, 10
VISIT = rubrics.general()[Track.VISIT].criteria  # weights 30, 25, 20, 15, 10
TRAINING = rubrics.general()[Track.TRAINING].criteria  # weights 25, 25, 20, 15, 15


def sheet(
    *values: int | None, name: str = "A", criteria: Sequence[Criterion] = COOPERATION, counts: bool = True
) -> Sheet:
    """A review with these scores, in the rubric's order."""
    return Sheet(
        user_id=1,
        reviewer=name,
        at=datetime(2026, 11, 2, tzinfo=UTC),
        recommendation=Recommendation.ACCEPT,
        because="So.",
        rubric=1,
        lines=tuple(Line(one, value) for one, value in zip(criteria, values, strict=True)),
        counts=counts,
    )


# (scores, weighted mean, points), worked out on paper.
BY_HAND = [
    ((5, 5, 5, 5, 5), "5", "100"),
    ((1, 1, 1, 1, 1), "1", "0"),
    ((3, 3, 3, 3, 3), "3", "50"),
    # 5*30 + 4*25 + 3*20 + 4*15 + 2*10 = 150 + 100 + 60 + 60 + 20 = 390
    ((5, 4, 3, 4, 2), "3.90", "72.5"),
    # 4*30 + 4*25 + 3*20 + 3*15 + 4*10 = 120 + 100 + 60 + 45 + 40 = 365
    ((4, 4, 3, 3, 4), "3.65", "66.25"),
    # "cannot judge" on the third: (5*30 + 4*25 + 4*15 + 2*10) / 80 = 330 / 80
    ((5, 4, None, 4, 2), "4.125", "78.125"),
    # only the last one was judged: its own value, whatever its weight
    ((None, None, None, None, 2), "2", "25"),
    # (2*30 + 1*25 + 2*15) / 70 = 115 / 70 = 23/14
    ((2, 1, None, 2, None), "23/14", "225/14"),
]


@pytest.mark.parametrize(("scores", "mean", "points"), BY_HAND)
def test_one_review(scores: tuple[int | None, ...], mean: str, points: str) -> None:
    one = sheet(*scores)
    assert (one.mean, one.points) == (Fraction(mean), Fraction(points))
    assert one.unjudged == scores.count(None)


def test_the_other_weights_of_training() -> None:
    # 4*25 + 3*25 + 5*20 + 2*15 + 1*15 = 100 + 75 + 100 + 30 + 15 = 320
    assert sheet(4, 3, 5, 2, 1, criteria=TRAINING).mean == Fraction("3.2")
    assert sheet(4, 3, 5, 2, 1, criteria=TRAINING).points == 55


def test_who_can_judge_nothing_has_no_mean_and_spoils_none() -> None:
    nothing = sheet(None, None, None, None, None)
    assert (nothing.mean, nothing.points, nothing.unjudged) == (None, None, 5)
    both = panel.panel([nothing, sheet(3, 3, 3, 3, 3)], SETTINGS)
    assert (both.mean, both.lowest, both.highest, both.unjudged) == (50, 50, 50, 5)
    assert panel.panel([nothing], SETTINGS).guide is None


def test_two_reviews_side_by_side() -> None:
    both = panel.panel([sheet(5, 4, 3, 4, 2), sheet(4, 4, 3, 3, 4, name="B")], SETTINGS)
    assert both.mean == Fraction("69.375")  # (72.5 + 66.25) / 2
    assert (both.lowest, both.highest, both.spread) == (Fraction("66.25"), Fraction("72.5"), Fraction("6.25"))
    assert both.guide is Guide.DISCUSS
    assert (both.apart, both.needed, both.missing, both.wants_another) == ((), 2, 0, False)
    assert [one.code for one in both.criteria()] == ["value", "fit", "feasibility", "fairness", "record"]


@pytest.mark.parametrize(
    ("points", "guide"),
    [
        ("100", Guide.ACCEPT), ("70", Guide.ACCEPT), ("69.999", Guide.DISCUSS), ("50", Guide.DISCUSS),
        ("49.999", Guide.DECLINE), ("0", Guide.DECLINE),
    ],
)  # fmt: skip
def test_the_guide_lines(points: str, guide: Guide) -> None:
    assert panel.guide_of(Fraction(points), SETTINGS) is guide
    assert panel.guide_of(Fraction(points), ReviewSettings(accept_from=0, discuss_from=0)) is Guide.ACCEPT


def test_what_is_shown_never_looks_better_than_it_is() -> None:
    assert panel.shown(Fraction("69.999")) == Decimal("69.9")
    assert panel.shown(Fraction("70")) == Decimal("70.0")
    assert panel.shown(Fraction(23, 14), 2) == Decimal("1.64")
    assert str(panel.shown(Fraction(0))) == "0.0"


def test_means_that_differ_by_one_are_apart() -> None:
    # 4.00 and 3.00: exactly one; the criteria differ by one each.
    one, other = sheet(4, 4, 4, 4, 4), sheet(3, 3, 3, 3, 3, name="B")
    (why,) = panel.apart([one, other], SETTINGS)
    assert (why.one, why.other, why.by, why.criterion) == ("A", "B", 1, None)
    # 4.00 and 3.10 (30*3 + 25*3 + 20*3 + 15*3 + 10*4): not quite.
    assert panel.apart([one, sheet(3, 3, 3, 3, 4, name="B")], SETTINGS) == ()


def test_one_criterion_that_differs_by_three_is_enough() -> None:
    # Means 3.90 and 4.20: near each other, but the last criterion is judged 2 and 5.
    one, other = sheet(5, 4, 3, 4, 2), sheet(5, 4, 3, 4, 5, name="B")
    (why,) = panel.apart([one, other], SETTINGS)
    assert why.criterion is not None
    assert (why.criterion.code, why.by) == ("record", 3)
    assert panel.apart([one, sheet(5, 4, 3, 4, 4, name="B")], SETTINGS) == ()
    # Who cannot judge it does not differ in it.
    assert panel.apart([one, sheet(5, 4, 3, 4, None, name="B")], SETTINGS) == ()


def test_apart_wants_a_third_and_is_content_with_three() -> None:
    two = [sheet(5, 5, 5, 5, 5), sheet(2, 2, 2, 2, 2, name="B")]
    differ = panel.panel(two, SETTINGS)
    assert (differ.needed, differ.missing, differ.wants_another) == (3, 1, True)
    three = panel.panel([*two, sheet(3, 3, 3, 3, 3, name="C")], SETTINGS)
    assert (three.needed, three.missing, three.wants_another) == (3, 0, False)
    assert three.mean == Fraction(100 + 25 + 50, 3)
    assert panel.panel(two, SETTINGS, light=True).needed == 0


def test_the_review_of_who_was_taken_off_is_shown_and_does_not_count() -> None:
    found = panel.panel([sheet(5, 5, 5, 5, 5), sheet(1, 1, 1, 1, 1, name="B", counts=False)], SETTINGS)
    assert len(found.sheets) == 2
    assert (found.mean, found.apart, found.missing) == (100, (), 1)


def test_versions_are_compared_by_what_they_share() -> None:
    # The same criterion in another version of the rubric, with other weights around it.
    words = Bilingual(en="X", zh="X")
    only = Criterion(
        code="value", name=words, weight=100, anchors=Anchors(five=words, three=words, one=words)
    )
    (first, second) = panel.apart([sheet(5, 4, 4, 4, 4), sheet(1, name="B", criteria=[only])], SETTINGS)
    assert (first.criterion, second.criterion and second.criterion.code) == (None, "value")


# -- what holds for all ----------------------------------------------------------------------------------------------

scores = st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=5, max_size=5)
weights = st.lists(st.integers(1, 100), min_size=5, max_size=5)


@PATIENTLY
@given(weights, scores)
def test_a_mean_lies_between_the_lowest_and_the_highest_score(
    weights: list[int], scores: list[int | None]
) -> None:
    judged = [score for score in scores if score is not None]
    mean = panel.weighted_mean(zip(weights, scores, strict=True))
    assert (mean is None) == (not judged)
    if mean is not None:
        assert min(judged) <= mean <= max(judged)
        assert 0 <= panel.points(mean) <= 100
        assert 0 <= panel.points(mean) - Fraction(panel.shown(panel.points(mean))) < Fraction(1, 10)


@PATIENTLY
@given(weights, scores, st.integers(1, 100))
def test_what_cannot_be_judged_changes_nothing_whatever_its_weight(
    weights: list[int], scores: list[int | None], weight: int
) -> None:
    pairs = list(zip(weights, scores, strict=True))
    assert panel.weighted_mean([*pairs, (weight, None)]) == panel.weighted_mean(pairs)


@PATIENTLY
@given(weights, scores, st.integers(0, 4))
def test_a_better_score_never_lowers_the_mean(
    weights: list[int], scores: list[int | None], which: int
) -> None:
    score = scores[which]
    if score is None or score == 5:
        return
    better = [*scores[:which], score + 1, *scores[which + 1 :]]
    before = panel.weighted_mean(zip(weights, scores, strict=True))
    after = panel.weighted_mean(zip(weights, better, strict=True))
    assert before is not None
    assert after is not None
    assert after > before


@PATIENTLY
@given(st.lists(scores, min_size=1, max_size=4))
def test_a_panel_does_not_depend_on_who_answered_first(every: list[list[int | None]]) -> None:
    sheets = [sheet(*one, name=str(number)) for number, one in enumerate(every)]
    one, other = panel.panel(sheets, SETTINGS), panel.panel(sheets[::-1], SETTINGS)
    assert (one.mean, one.lowest, one.highest, one.unjudged, one.guide) == (
        other.mean, other.lowest, other.highest, other.unjudged, other.guide
    )  # fmt: skip
    assert {(why.criterion and why.criterion.code, why.by) for why in one.apart} == {
        (why.criterion and why.criterion.code, why.by) for why in other.apart
    }
    if one.mean is not None and one.lowest is not None and one.highest is not None:
        assert one.lowest <= one.mean <= one.highest


@PATIENTLY
@given(scores)
def test_nobody_is_apart_from_the_like(values: list[int | None]) -> None:
    assert panel.apart([sheet(*values), sheet(*values, name="B")], SETTINGS) == ()
