"""Inquiries that are ready to be decided, with two reviews, a host's word and cleared gates."""

from typing import TYPE_CHECKING

from tests.support.reviewing import marks
from tests.support.world import World

if TYPE_CHECKING:
    from collab.accounts import Actor


def reviewed(
    world: World,
    *scores: int | None,
    track: str = "cooperation",
    reviewers: "tuple[Actor, ...]" = (),
    comment: str = "",
    **fields: object,
) -> int:
    """One review for each score, which stands at every criterion; without any, two of 4 (75 points)."""
    from collab import reviews
    from collab.reviews import Mark, Recommendation

    id = world.received(track, **fields)
    world.route(id)
    people = reviewers or tuple(
        world.actor("reviewer", name=f"Reviewer {number}") for number in range(1, len(scores or (4, 4)) + 1)
    )
    for person, score in zip(people, scores or (4, 4), strict=True):
        world.route(id, person, kind="reviewer")
        given = marks(score, track=track)
        if comment:
            given = {code: Mark(mark.value, comment) for code, mark in given.items()}
        world.do(
            reviews.give_opinion,
            id,
            Recommendation.ACCEPT,
            because="Sound, and ours to do.",
            scores=given,
            by=person,
        )
    world.host_says(id)
    world.clear(id)
    if world.get(id).status != "decision_ready":
        world.ready(id)
    return id
