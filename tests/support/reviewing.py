"""Scores by the rubric an inquiry is judged by."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collab.reviews import Mark


def marks(*values: int | None, track: str = "cooperation") -> "dict[str, Mark]":
    """One score for each criterion of the general rubric; the last one again for the rest, 4 without any."""
    from collab.departments import Track
    from collab.reviews import Mark, rubrics

    given = list(values) or [4]
    criteria = rubrics.general()[Track(track)].criteria
    given += [given[-1]] * (len(criteria) - len(given))
    return {criterion.code: Mark(value) for criterion, value in zip(criteria, given, strict=True)}
