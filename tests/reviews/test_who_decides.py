"""Nobody decides on what he hosts, has reviewed or has an interest in, whatever roles he holds now."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from collab import accounts, inquiries, privacy, reviews
from collab.accounts import Actor, Membership, Role
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from collab.inquiries import AssignmentKind, HostAnswer, Reason, Status, queries, triage
from tests.support.reviewing import marks
from tests.support.world import LETTER, World, undone


def give_role(world: World, actor: Actor, role: str) -> Actor:
    """The same person, some time later."""
    with unit_of_work():
        db.session.add(Membership(user_id=actor.user_id, department_id=world.department_id, role=Role(role)))
    return accounts.actor_of(world.user(actor))


def under_review(world: World, *, host: Actor, reviewer: Actor | None = None) -> int:
    id = world.received()
    world.route(id, host)
    if reviewer is not None:
        world.route(id, reviewer, kind="reviewer")
    return id


def opinion(world: World, id: int, reviewer: Actor) -> None:
    world.do(
        reviews.give_opinion,
        id,
        reviews.Recommendation.ACCEPT,
        because="Sound and new.",
        scores=marks(),
        by=reviewer,
    )


def test_the_host_does_not_decide(world: World) -> None:
    both = world.actor("host", "head")
    id = under_review(world, host=both)
    world.host_says(id, "yes", both)
    world.ready(id)
    with pytest.raises(Forbidden, match="You are the host of this inquiry"):
        world.decide(id, "accept", by=both)
    world.decide(id, "accept")
    assert world.get(id).status is Status.ACCEPTED


def test_the_reviewer_does_not_decide(world: World) -> None:
    both = world.actor("reviewer", "head")
    id = under_review(world, host=world.actor("host"), reviewer=both)
    world.host_says(id)
    opinion(world, id, both)
    world.ready(id)
    with pytest.raises(Forbidden, match="You are a reviewer of this inquiry"):
        world.decide(id, "decline", by=both)


def test_not_after_a_change_of_roles(world: World) -> None:
    host, reviewer = world.actor("host"), world.actor("reviewer")
    id = under_review(world, host=host, reviewer=reviewer)
    world.host_says(id)
    opinion(world, id, reviewer)
    world.ready(id)
    for promoted, what in ((host, "host"), (reviewer, "reviewer")):
        with pytest.raises(Forbidden, match=f"the host|a {what}"):
            world.decide(id, "accept", by=give_role(world, promoted, "head"))


def test_not_after_a_release(world: World) -> None:
    host, reviewer = world.actor("host", "head"), world.actor("reviewer", "head")
    id = under_review(world, host=host, reviewer=reviewer)
    world.host_says(id, "later", host)
    opinion(world, id, reviewer)
    for person in (host, reviewer):
        with unit_of_work():
            inquiry = world.get(id)
            mine = next(one for one in inquiry.assignments if one.user_id == person.user_id)
            triage.release(inquiry, mine, by=world.actor("coordinator"))
    # Asked a second time and released unanswered: the opinion given before still counts.
    world.route(id, reviewer, kind="reviewer")
    with unit_of_work():
        inquiry = world.get(id)
        again = next(one for one in inquiry.assignments if one.user_id == reviewer.user_id)
        triage.release(inquiry, again, by=world.actor("coordinator"))
    other = world.actor("host", name="Other host")
    world.route(id, other)
    world.host_says(id, "yes", other)
    world.ready(id)
    for person in (host, reviewer):
        with pytest.raises(Forbidden, match="somebody else has to decide"):
            world.decide(id, "accept", by=person)


def test_who_was_asked_and_released_before_saying_anything_may_decide(world: World) -> None:
    asked = world.actor("reviewer", "head")
    id = under_review(world, host=world.actor("host"), reviewer=asked)
    with unit_of_work():
        inquiry = world.get(id)
        mine = next(one for one in inquiry.assignments if one.user_id == asked.user_id)
        triage.release(inquiry, mine, by=world.actor("coordinator"))
    world.host_says(id)
    world.ready(id)
    world.decide(id, "accept", by=asked)


def test_nobody_hosts_and_reviews_one_inquiry(world: World) -> None:
    both = world.actor("host", "reviewer")
    id = under_review(world, host=both)
    with pytest.raises(Invalid, match="cannot be host and reviewer"):
        world.route(id, both, kind="reviewer")


def test_from_the_waiting_list_too(world: World) -> None:
    both = world.actor("host", "head")
    id = under_review(world, host=both)
    world.host_says(id, "yes", both)
    world.ready(id)
    world.decide(id, "waitlist")
    world.end_hold(id)
    for verdict in ("accept",):
        with pytest.raises(Forbidden, match="the host"):
            world.decide(id, verdict, by=both)


def test_a_head_decides_with_a_sentence_for_the_record_and_not_by_the_steps_of_triage(world: World) -> None:
    """Declining an inquiry that is ready leaves a decision row, always."""
    id, both = world.at("decision_ready"), world.actor("coordinator", "head")
    facts = world.facts("refer")
    for attempt in (
        lambda: triage.decline(world.get(id), reason=Reason.OUT_OF_SCOPE, body=LETTER, by=both),
        lambda: triage.refer(
            world.get(id),
            reason=Reason.PROCUREMENT,
            office=facts.office,
            contact=facts.contact,
            body=LETTER,
            by=both,
        ),
    ):
        with pytest.raises(Conflict, match="the head decides"), undone():
            attempt()


def test_a_reviewer_answers_once_asked_and_only_in_review(world: World) -> None:
    reviewer, stranger = world.actor("reviewer"), world.actor("reviewer", name="Stranger")
    id = under_review(world, host=world.actor("host"), reviewer=reviewer)
    with pytest.raises(Forbidden, match="not a reviewer of this inquiry"):
        opinion(world, id, stranger)
    world.host_says(id)
    assert f"A reviewer has not answered yet: {reviewer.name}." in reviews.waits_for(world.get(id))
    opinion(world, id, reviewer)
    world.ready(id)
    with pytest.raises(Conflict, match="not in review any more"):
        opinion(world, id, reviewer)


def test_a_host_says_when_or_why(world: World) -> None:
    host = world.actor("host")
    id = under_review(world, host=host)
    for answer, field in ((HostAnswer.LATER, "period"), (HostAnswer.NO, "note")):
        with pytest.raises(Invalid) as refused:
            world.do(triage.host_answers, id, answer, by=host)
        assert refused.value.field == field
    with pytest.raises(Forbidden, match="not the host"):
        world.do(triage.host_answers, id, HostAnswer.YES, by=world.actor("host", name="Stranger"))
    with pytest.raises(Conflict, match="The host has not answered yet"):
        world.ready(id)


# -- conflicts of interest ---------------------------------------------------------------------------------------


def test_a_declared_conflict_closes_the_file_to_that_person(world: World) -> None:
    one = world.actor("coordinator", "head", "host", "reviewer", name="Has an interest")
    other = world.actor("coordinator", name="Has none")
    id = world.at("decision_ready")
    reference = world.get(id).reference
    world.do(triage.declare_conflict, id, by=one)
    with pytest.raises(NotFound):
        queries.by_reference(reference, seen_by=one)
    assert queries.by_reference(reference, seen_by=other).id == id
    with pytest.raises(Forbidden, match="conflict of interest"):
        world.decide(id, "accept", by=one)
    tomorrow = world.today + timedelta(days=1)
    attempts: list[Callable[..., Any]] = [
        lambda it: triage.ask(it, "Which?", answer_by=tomorrow, by=one),
        lambda it: triage.withdraw_on_wish(it, note="By mail.", by=one),
        lambda it: triage.expedite(it, by=one),
        lambda it: triage.own(it, None, by=one),
        lambda it: triage.renew_link(it, by=one),
        lambda it: inquiries.write(it, "Dear you", by=one),
        lambda it: inquiries.note(it, "Hm.", by=one),
        lambda it: privacy.erase(it, by=one),
        lambda it: reviews.place_free(it, by=one),
        lambda it: reviews.fulfil(it, letter=LETTER, by=one),
    ]
    before = world.stored()
    for attempt in attempts:
        with pytest.raises(Forbidden, match="conflict of interest"), undone():
            attempt(world.get(id))
    assert world.stored() == before


def test_a_conflict_takes_the_assignment_and_tells_the_coordinators(world: World) -> None:
    host = world.actor("host")
    coordinator = world.actor("coordinator")
    id = under_review(world, host=host)
    world.do(triage.declare_conflict, id, by=host)
    assert [one.released_at is not None for one in world.get(id).assignments] == [True]
    last = world.mails(id, "staff")[-1]
    assert (last.to_address, host.name in last.body_text) == (world.user(coordinator).email, True)
    with pytest.raises(Invalid, match="declared a conflict of interest"):
        world.route(id, host)
    world.do(triage.declare_conflict, id, by=host)  # twice: harmless


# -- assigning ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [-1, 121])
def test_a_due_date_lies_ahead(world: World, days: int) -> None:
    id = world.received()
    with pytest.raises(Invalid) as refused:
        world.route(id, days=days)
    assert refused.value.field == "due_on"
    assert world.get(id).status is Status.RECEIVED


def test_only_who_holds_the_role_here_and_is_active_is_asked(world: World, tmp_path: Any) -> None:
    from collab.core import clock
    from tests.support.world import other_department

    elsewhere = other_department(tmp_path / "another")
    gone = world.actor("host", name="Gone")
    with unit_of_work():
        world.user(gone).disabled_at = clock.now()
    id = world.received()
    for person in (
        world.actor("reviewer"),
        world.actor("host", name="Elsewhere", department_id=elsewhere.id),
        gone,
    ):
        with pytest.raises(Invalid, match="does not hold the role Host"):
            world.route(id, person)


def test_asked_twice_is_refused_and_after_a_release_asked_anew(world: World) -> None:
    host = world.actor("host")
    id = under_review(world, host=host)
    with pytest.raises(Conflict, match="already has this inquiry"):
        world.route(id, host)
    world.host_says(id)
    with unit_of_work():
        triage.release(world.get(id), world.get(id).assignments[0], by=world.actor("coordinator"))
    world.route(id, host)
    (assignment,) = world.get(id).assignments
    assert (assignment.answer, assignment.answered_at, assignment.released_at) == (None, None, None)
    assert assignment.kind is AssignmentKind.HOST


def test_conditions_are_settled_by_the_coordinator_and_waived_by_the_head(world: World) -> None:
    id = world.at("conditional")
    coordinator, head = world.actor("coordinator"), world.actor("head")

    def settle(state: str, by: Actor) -> None:
        with unit_of_work():
            (condition,) = reviews.conditions_of(world.get(id))
            reviews.settle(condition, world.get(id), reviews.ConditionState(state), by=by)

    with pytest.raises(Forbidden, match="Head"):
        settle("waived", coordinator)
    with pytest.raises(Forbidden, match="Coordinator"):
        settle("met", head)
    settle("met", coordinator)
    settle("open", coordinator)  # a slip of the hand
    with pytest.raises(Conflict, match="A condition is still open"):
        world.do(reviews.fulfil, id, letter=LETTER, by=coordinator)
    settle("waived", head)
    world.do(reviews.fulfil, id, letter=LETTER, by=coordinator)
    assert world.get(id).status is Status.ACCEPTED
    with pytest.raises(Conflict, match="not accepted with conditions any more"):
        settle("failed", coordinator)


@pytest.mark.parametrize("verdict", ["conditional", "waitlist", "refer", "decline"])
def test_a_verdict_without_its_facts_is_refused_at_the_field(world: World, verdict: str) -> None:
    id = world.at("decision_ready")
    fields = {"conditional": "conditions", "waitlist": "period", "refer": "reason", "decline": "reason"}
    with pytest.raises(Invalid) as refused:
        world.decide(id, verdict, facts=reviews.Facts())
    assert (refused.value.field, refused.value.status) == (fields[verdict], 422)
    assert isinstance(refused.value, Refused)
    assert world.get(id).status is Status.DECISION_READY
