"""A10: notes, letters and the history are added to and never edited; a decision made is not changed by a back door."""

import inspect

import pytest

from collab import inquiries, reviews
from collab.core.errors import Conflict, Forbidden
from collab.inquiries import Status, conversation, triage
from tests.support.reviewing import marks
from tests.support.world import World


def test_no_verb_edits_or_deletes_what_somebody_wrote() -> None:
    verbs = {
        name
        for module in (inquiries, conversation, triage, reviews)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__.startswith(("collab.inquiries", "collab.reviews"))
    }
    assert not [
        name for name in verbs if name.startswith(("edit", "delete", "change", "remove", "set_status"))
    ]


def test_after_the_decision_neither_opinion_nor_answer_changes(world: World) -> None:
    host, reviewer = world.actor("host"), world.actor("reviewer")
    id = world.received()
    world.route(id, host)
    world.route(id, reviewer, kind="reviewer")
    world.host_says(id)
    world.do(
        reviews.give_opinion, id, reviews.Recommendation.ACCEPT, because="Good.", scores=marks(), by=reviewer
    )
    world.ready(id)
    world.decide(id, "accept")
    before = world.stored()
    with pytest.raises(Conflict, match="not in review any more"):
        world.do(
            reviews.give_opinion,
            id,
            reviews.Recommendation.DECLINE,
            because="No.",
            scores=marks(),
            by=reviewer,
        )
    with pytest.raises(Conflict, match="not with the host any more"):
        world.host_says(id, "no")
    assert world.stored() == before


def test_notes_and_letters_need_the_role_and_are_added(world: World) -> None:
    id = world.received()
    for role in ("viewer", "compliance", "admin"):
        with pytest.raises(Forbidden):
            world.do(inquiries.note, id, "Mine.", by=world.actor(role))
    for role in ("viewer", "host", "reviewer", "head"):
        with pytest.raises(Forbidden):
            world.do(inquiries.write, id, "Dear you", by=world.actor(role))
        with pytest.raises(Forbidden):
            world.do(triage.renew_link, id, by=world.actor(role))
        with pytest.raises(Forbidden):
            world.do(triage.expedite, id, by=world.actor(role))
    for status in ("unconfirmed", "void"):
        with pytest.raises(Conflict, match="nobody to write to"):
            world.do(inquiries.write, world.at(status), "Dear you", by=world.actor("coordinator"))
    assert world.get(id).status is Status.RECEIVED


def test_an_old_page_does_nothing(world: World) -> None:
    """What was changed since is named, with who did it."""
    id, coordinator = world.received(), world.actor("coordinator")
    version = world.get(id).version
    world.ask(id)
    with pytest.raises(Conflict, match=f"Question to the partner, by {coordinator.name}"):
        world.do(triage.own, id, None, by=coordinator, version=version)
