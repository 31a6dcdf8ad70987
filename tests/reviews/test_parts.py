"""Nobody reviews (or hosts) and decides one inquiry, in whichever order the roles come; the database says so too."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from collab import accounts, reviews
from collab.accounts import Actor, Membership, Role
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Forbidden, Invalid
from collab.inquiries import Status, parts, queries, triage
from collab.inquiries.models import AssignmentKind, PartKind
from collab.reviews import Decision, Opinion, Recommendation, Verdict
from tests.support.crowd import at_once
from tests.support.reviewing import marks
from tests.support.world import World

pytestmark = pytest.mark.both_databases


@pytest.fixture
def world(department: Any) -> World:
    return World(department)


def with_roles(world: World, actor: Actor, *roles: str) -> Actor:
    """The same person, holding these roles from now on and no others."""
    with unit_of_work():
        db.session.execute(sa.delete(Membership).where(Membership.user_id == actor.user_id))
        for role in roles:
            db.session.add(
                Membership(user_id=actor.user_id, department_id=world.department_id, role=Role(role))
            )
    db.session.expire_all()
    return accounts.actor_of(world.user(actor))


def reviewed_by(world: World, id: int, person: Actor) -> None:
    world.route(id, person, kind="reviewer")
    world.do(reviews.give_opinion, id, Recommendation.ACCEPT, because="Sound.", scores=marks(), by=person)


def reopened(world: World, id: int) -> None:
    """A decline is looked at again, once."""
    world.end_hold(id)
    world.do(triage.reopen, id, because="They have funding now.", by=world.actor("coordinator"))


def test_reviewer_then_head(world: World) -> None:
    person = world.actor("reviewer", name="Rises")
    id = world.received()
    world.route(id)
    reviewed_by(world, id, person)
    world.host_says(id)
    world.ready(id)
    head = with_roles(world, person, "head")
    with pytest.raises(Forbidden, match="You are a reviewer of this inquiry"):
        world.decide(id, "accept", by=head)
    assert queries.piles(head).mine == 0


def test_host_then_head(world: World) -> None:
    person = world.actor("host", name="Rises")
    id = world.received()
    world.route(id, person)
    world.host_says(id, "yes", person)
    world.ready(id)
    with pytest.raises(Forbidden, match="You are the host of this inquiry"):
        world.decide(id, "accept", by=with_roles(world, person, "head"))


def test_reviewer_whose_review_was_deleted_in_time_still_does_not_decide(world: World) -> None:
    """From the waiting list, long after: the row of the review is gone, the fact is not."""
    person = world.actor("reviewer", name="Rises")
    id = world.received()
    world.route(id)
    reviewed_by(world, id, person)
    world.host_says(id)
    world.ready(id)
    world.decide(id, "waitlist", deviation="No place this spring.")
    world.end_hold(id)
    with unit_of_work():
        inquiry = world.get(id)
        mine = next(one for one in inquiry.assignments if one.user_id == person.user_id)
        mine.released_at, mine.answered_at = clock.now(), None
        db.session.execute(sa.delete(Opinion).where(Opinion.inquiry_id == id))
    head = with_roles(world, person, "head")
    assert reviews.why_not_decide(world.get(id), head) == (
        "You are a reviewer of this inquiry; somebody else has to decide."
    )
    with pytest.raises(Forbidden, match="You are a reviewer"):
        world.decide(id, "accept", by=head)


@pytest.mark.parametrize("kind", ["reviewer", "host"])
def test_head_then_asked_after_the_inquiry_was_opened_again(world: World, kind: str) -> None:
    person = world.actor("head", name="Moves on")
    id = world.at("decision_ready")
    world.decide(id, "decline", by=person)
    reopened(world, id)
    former = with_roles(world, person, kind)
    with pytest.raises(Invalid, match="This person has decided on this inquiry") as refused:
        world.route(id, former, kind=kind)
    assert refused.value.field == "person"
    assert world.get(id).status is Status.RECEIVED


def test_head_is_no_candidate_for_a_review_either(world: World) -> None:
    person = world.actor("head", "reviewer", name="Both")
    id = world.at("decision_ready")
    world.decide(id, "decline", by=person)
    reopened(world, id)
    world.route(id, world.actor("host", name="Second host"))
    found = reviews.assigning.reviewers_for(world.get(id), seen_by=world.actor("coordinator"))
    assert next(one for one in found if one.user.id == person.user_id).closed == "has decided on this inquiry"
    with pytest.raises(Invalid, match="has decided on this inquiry"):
        world.do(
            reviews.assigning.ask_reviewers,
            id,
            [world.user(person)],
            due_on=world.today,
            judged=[person.user_id],
            all_inside=True,
            by=world.actor("coordinator"),
        )


def test_a_decision_taken_back_was_a_judgement_too(world: World) -> None:
    person = world.actor("head", name="Thinks again")
    id = world.at("decision_ready")
    world.decide(id, "decline", by=person)
    world.do(reviews.take_back, id, by=person)
    assert parts.taken_by(world.get(id), person.user_id) is PartKind.HEAD
    world.decide(id, "accept", by=person)  # the same part again
    assert reviews.standing_decision(world.get(id)).verdict is Verdict.ACCEPT  # type: ignore[union-attr]


def test_who_declared_a_conflict_neither_decides_nor_is_asked(world: World) -> None:
    person = world.actor("head", name="Has an interest")
    id = world.at("decision_ready")
    world.do(triage.declare_conflict, id, by=person)
    for roles in (("head",), ("head", "coordinator")):
        with pytest.raises(Forbidden, match="conflict of interest"):
            world.decide(id, "accept", by=with_roles(world, person, *roles))
    other = world.received()
    world.do(triage.declare_conflict, other, by=person)
    with pytest.raises(Invalid, match="declared a conflict of interest"):
        world.route(other, with_roles(world, person, "host"))


def test_reviewer_and_host_are_not_exchanged_afterwards(world: World) -> None:
    reviewer, host = (
        world.actor("reviewer", "host", name="One"),
        world.actor("host", "reviewer", name="Other"),
    )
    id = world.received()
    world.route(id, host)
    reviewed_by(world, id, reviewer)
    world.host_says(id, "later", host)
    for person in (reviewer, host):
        with unit_of_work():
            inquiry = world.get(id)
            mine = next(one for one in inquiry.assignments if one.user_id == person.user_id)
            triage.release(inquiry, mine, by=world.actor("coordinator"))
    for person, kind in ((reviewer, "host"), (host, "reviewer")):
        with pytest.raises(Invalid, match="cannot be host and reviewer"):
            world.route(id, person, kind=kind)


def test_the_database_refuses_what_no_verb_would_do(world: World) -> None:
    """Whoever writes rows past the verbs is refused by triggers."""
    host, reviewer, head = world.actor("host"), world.actor("reviewer"), world.actor("head")
    id = world.received()
    world.route(id, host)
    reviewed_by(world, id, reviewer)
    world.host_says(id, "yes", host)
    world.ready(id)
    world.decide(id, "accept")
    now = clock.now()
    assert set(parts.of(world.get(id)).values()) == {PartKind.HOST, PartKind.REVIEWER, PartKind.HEAD}

    def decision(by: Actor) -> Decision:
        return Decision(
            inquiry_id=id, at=now, by_id=by.user_id, by_name="X", verdict=Verdict.ACCEPT, because="X",
            letter="X", superseded_at=now,
        )  # fmt: skip

    def opinion(by: Actor) -> Opinion:
        return Opinion(
            inquiry_id=id, user_id=by.user_id, at=now, recommendation=Recommendation.ACCEPT, because="X"
        )

    def assignment(by: Actor, kind: AssignmentKind) -> Any:
        from collab.inquiries.models import Assignment

        return Assignment(inquiry_id=id, user_id=by.user_id, kind=kind, assigned_at=now, due_on=world.today)

    refused = [
        decision(reviewer),
        decision(host),
        opinion(head),
        opinion(host),
        assignment(head, AssignmentKind.REVIEWER),
        assignment(head, AssignmentKind.HOST),
        assignment(reviewer, AssignmentKind.HOST),
    ]
    for row in refused:
        db.session.add(row)
        with pytest.raises(sa.exc.DBAPIError, match="one part in an inquiry"):
            db.session.flush()
        db.session.rollback()
    with unit_of_work():  # a second decision of the same head is none of that
        db.session.add(decision(head))
    assert len(parts.of(world.get(id))) == 3


def test_one_person_in_two_parts_at_the_same_moment(app: Flask, world: World) -> None:
    """A57: a review and a decision of one person, written past the verbs at once: one of them is kept."""
    person = world.actor("head", "reviewer", name="Twofold")
    for _round in range(5):
        id = world.at("decision_ready")
        now = clock.now()
        db.session.rollback()

        def decide(id: int = id, now: Any = now) -> None:
            db.session.add(
                Decision(
                    inquiry_id=id,
                    at=now,
                    by_id=person.user_id,
                    by_name="X",
                    verdict=Verdict.ACCEPT,
                    because="X",
                    letter="X",
                )
            )
            db.session.flush()

        def judge(id: int = id, now: Any = now) -> None:
            db.session.add(
                Opinion(
                    inquiry_id=id,
                    user_id=person.user_id,
                    at=now,
                    recommendation=Recommendation.ACCEPT,
                    because="X",
                )
            )
            db.session.flush()

        results = at_once(app, [decide, judge] * 3)
        kept = {
            model.__name__: db.session.scalar(
                sa.select(sa.func.count()).select_from(model).filter_by(inquiry_id=id)
            )
            for model in (Decision, Opinion)
        }
        assert sorted(kept.values()) == [0, 1], (kept, results)
