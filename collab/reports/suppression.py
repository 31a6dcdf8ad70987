"""Small numbers are not shown, and cannot be worked out from what is.

Numbers below five could point at a person. Whoever knows a total and all numbers but one knows that one as well, so
with each small number others are left out until what is missing is at least two numbers and at least five together.
What is left out looks the same whether it is small or not.
"""

from collections.abc import Sequence

#: Numbers below this are small.
LEAST = 5


def hidden(numbers: Sequence[int], *more: Sequence[int], least: int = LEAST) -> frozenset[int]:
    """Which of some numbers, whose total is known, must not be shown.

    :param more: further numbers of the same rows, left out together with the first ones.
    :returns: the places of those to be left out: none, or some, or all (then the total is not to be shown either).
    """
    columns = (numbers, *more)
    found = {place for place in range(len(numbers)) if any(column[place] < least for column in columns)}
    if not found:
        return frozenset()
    rest = sorted(set(range(len(numbers))) - found, key=lambda place: (numbers[place], place))
    for place in rest:
        if len(found) > 1 and all(sum(column[one] for one in found) >= least for column in columns):
            break
        found.add(place)
    return frozenset(found)


def share(part: int, whole: int) -> float | None:
    """So many per cent, to one decimal; ``None`` of nothing."""
    return round(100 * part / whole, 1) if whole else None


def safe_share(part: int, whole: int, least: int = LEAST) -> float | None:
    """So many per cent; ``None`` when one of its two sides is small. Nobody and everybody is not small."""
    rest = whole - part
    if whole < least or 0 < part < least or 0 < rest < least:
        return None
    return share(part, whole)


def total_is_safe(numbers: Sequence[int], left_out: frozenset[int], least: int = LEAST) -> bool:
    """Whether a total can be shown beside what is left of its parts."""
    missing = sum(numbers[place] for place in left_out)
    return not left_out or (len(left_out) > 1 and missing >= least)
