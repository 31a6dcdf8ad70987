"""Small numbers are left out, and cannot be worked out from what is left."""

from hypothesis import example, given
from hypothesis import strategies as st

from collab.reports.suppression import LEAST, hidden, safe_share, total_is_safe

counts = st.lists(st.integers(0, 12), max_size=7)


def test_by_hand() -> None:
    assert hidden([7, 9, 5]) == set()
    assert hidden([20, 3, 8]) == {1, 2}, (
        "3 alone would follow from the total; the smallest other goes with it"
    )
    assert hidden([20, 3, 8, 4]) == {1, 3}, "3 and 4 are two, and seven together"
    assert hidden([20, 1, 8, 2]) == {1, 2, 3}, "1 and 2 are three together, and that is small"
    assert hidden([3]) == {0}
    assert not total_is_safe([3], hidden([3]))
    assert hidden([9, 0]) == {0, 1}
    assert total_is_safe([9, 0], hidden([9, 0]))
    assert hidden([]) == set()


def test_a_rate_needs_two_sides_that_are_not_small() -> None:
    assert [safe_share(part, 12) for part in (0, 1, 4, 5, 7, 8, 11, 12)] == [
        0.0, None, None, 41.7, 58.3, None, None, 100.0,
    ]  # fmt: skip
    assert [safe_share(whole, whole) for whole in (0, 4, 5)] == [None, None, 100.0]


@given(counts)
@example([5, 0])
def test_no_small_number_is_shown_and_none_follows(numbers: list[int]) -> None:
    out = hidden(numbers)
    shown = [n for place, n in enumerate(numbers) if place not in out]
    assert all(n >= LEAST for n in shown)
    if any(n < LEAST for n in numbers):
        assert out
        if total_is_safe(numbers, out):
            # Whoever knows the total and what is shown knows the sum of the rest, and nothing of its parts.
            missing = sum(numbers) - sum(shown)
            assert len(out) > 1
            assert missing >= LEAST
        else:
            assert shown == [] or len(out) == len(numbers)
    else:
        assert out == frozenset()


@given(counts, st.data())
def test_columns_are_left_out_together(numbers: list[int], data: st.DataObject) -> None:
    parts = [data.draw(st.integers(0, n)) for n in numbers]
    rest = [n - part for n, part in zip(numbers, parts, strict=True)]
    out = hidden(numbers, parts, rest)
    for place in range(len(numbers)):
        if place not in out:
            assert min(numbers[place], parts[place], rest[place]) >= LEAST
    if out and len(out) < len(numbers):
        assert all(total_is_safe(column, out) for column in (numbers, parts, rest))
