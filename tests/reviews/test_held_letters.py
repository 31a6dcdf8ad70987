"""A decision's letter is held: until it leaves, the partner sees nothing of it and the decider can take it back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from collab import inquiries, privacy, reviews
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid
from collab.inquiries import Message, Reason, Status, partner, rules, triage
from collab.mail import MailState
from collab.reviews import Decision
from tests.support.world import LETTER, MONDAY, World

HOLD = timedelta(minutes=15)


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    with time_machine.travel(MONDAY, tick=False):
        yield


def decisions(id: int) -> list[Decision]:
    return list(db.session.scalars(sa.select(Decision).filter_by(inquiry_id=id).order_by(Decision.id)))


def shown(world: World, id: int) -> Status:
    return rules.shown_status(world.get(id), now=clock.now())


def settled(world: World, id: int) -> None:
    coordinator = world.actor("coordinator")
    with unit_of_work():
        (condition,) = reviews.conditions_of(world.get(id))
        reviews.settle(condition, world.get(id), reviews.ConditionState.MET, by=coordinator)


def close(world: World, id: int, how: str) -> None:
    """One step whose letter is held."""
    if how == "decline at triage":
        world.decline(id)
    elif how == "refer at triage":
        facts = world.facts("refer")
        world.do(
            triage.refer,
            id,
            reason=Reason.PROCUREMENT,
            office=facts.office,
            contact=facts.contact,
            body=LETTER,
            by=world.actor("coordinator"),
        )
    elif how == "fulfil":
        settled(world, id)
        world.do(reviews.fulfil, id, letter=LETTER, by=world.actor("coordinator"))
    else:
        world.decide(id, how)


STEPS = [
    ("received", "decline at triage", "declined", "coordinator", "M9"),
    ("received", "refer at triage", "referred", "coordinator", "M8"),
    ("received", "decline", "declined", "head", "M9"),
    ("in_review", "decline at triage", "declined", "coordinator", "M9"),
    ("decision_ready", "accept", "accepted", "head", "M5"),
    ("decision_ready", "conditional", "conditional", "head", "M6"),
    ("decision_ready", "waitlist", "waitlisted", "head", "M7"),
    ("decision_ready", "refer", "referred", "head", "M8"),
    ("decision_ready", "decline", "declined", "head", "M9"),
    ("waitlisted", "accept", "accepted", "head", "M5"),
    ("conditional", "decline", "declined", "head", "M9"),
    ("conditional", "fulfil", "accepted", "coordinator", "M5"),
]


@pytest.mark.parametrize(("start", "how", "target", "role", "topic"), STEPS)
def test_hold_and_take_back(world: World, start: str, how: str, target: str, role: str, topic: str) -> None:
    with time_machine.travel(MONDAY - timedelta(days=1), tick=False):
        id = world.at(start)
    if how == "fulfil":  # settling is a step of its own and stays
        settled(world, id)
    names = (
        "status", "status_since", "due_at", "decision_due", "first_answer_due", "first_answer_at", "outcome",
        "reason", "urgency", "reminded", "closed_at", "held_until", "held_from",
    )  # fmt: skip
    inquiry = world.get(id)
    before = {name: getattr(inquiry, name) for name in names} | {"held_until": None, "held_from": None}
    counts, letters = world.counts(), partner.conversation(inquiry, now=clock.now()).letters
    standing = reviews.standing_decision(inquiry)
    standing_id, conditions = standing.id if standing else None, len(reviews.conditions_of(inquiry))
    letters_seen = [one.id for one in letters]
    data_seen = privacy.everything_of(inquiry)

    with time_machine.travel(MONDAY + timedelta(hours=1), tick=False):
        close(world, id, how)
        inquiry = world.get(id)
        assert inquiry.status == target
        # The partner sees nothing of it …
        assert shown(world, id) == start
        assert [one.id for one in partner.conversation(inquiry, now=clock.now()).letters] == letters_seen
        after = privacy.everything_of(inquiry)
        if start == "waitlisted":  # the dates of the waiting list wait with the letter; the label stays
            after["status"]["sentence"] = data_seen["status"]["sentence"]
        assert {**after, "conditions": []} == {**data_seen, "conditions": []}
        mail = world.mails(id, "partner")[-1]
        assert (mail.topic, mail.state, mail.hold_until) == (topic, MailState.HELD, clock.now() + HOLD)
    # … nobody else takes it back …
    with time_machine.travel(MONDAY + timedelta(hours=1, minutes=14), tick=False):
        for stranger in (world.actor(role, name="Another"), world.actor("coordinator", "head", name="Both")):
            with pytest.raises(Forbidden, match="can take this back"):
                world.do(reviews.take_back, id, by=stranger)
        # … and who did it can.
        world.do(reviews.take_back, id, by=world.actor(role))
        inquiry = world.get(id)
        assert {name: getattr(inquiry, name) for name in names} == before
        assert world.counts() == counts == world.real_counts()
        assert world.mails(id, "partner")[-1].state is MailState.CANCELLED
        standing = reviews.standing_decision(inquiry)
        assert (standing.id if standing else None) == standing_id
        assert len(reviews.conditions_of(inquiry)) == conditions
        assert world.kinds(id)[-1] == "taken_back"
        with pytest.raises(Conflict, match="cannot be taken back"):
            world.do(reviews.take_back, id, by=world.actor(role))
    with time_machine.travel(MONDAY + timedelta(days=2), tick=False):  # never to be seen
        assert [
            one.id for one in partner.conversation(world.get(id), now=clock.now()).letters
        ] == letters_seen


@pytest.mark.parametrize(("start", "how", "target", "role", "topic"), STEPS)
def test_after_the_hold(world: World, start: str, how: str, target: str, role: str, topic: str) -> None:
    id = world.at(start)
    close(world, id, how)
    with time_machine.travel(MONDAY + HOLD - timedelta(seconds=1), tick=False):
        assert shown(world, id) == start
    with time_machine.travel(MONDAY + HOLD, tick=False):
        assert shown(world, id) == target
        assert partner.conversation(world.get(id), now=clock.now()).letters[-1].body == LETTER
        with pytest.raises(Conflict, match="cannot be taken back"):
            world.do(reviews.take_back, id, by=world.actor(role))
        assert world.get(id).status == target


def test_a_letter_that_left_early_cannot_be_taken_back(world: World) -> None:
    """Staff may release a held letter from the outbox before its time."""
    from collab import mail

    id = world.at("decision_ready")
    world.decide(id, "accept")
    with unit_of_work():
        mail.release(world.mails(id, "partner")[-1])
    with pytest.raises(Conflict, match="on its way"):
        world.do(reviews.take_back, id, by=world.actor("head"))
    assert world.get(id).status is Status.ACCEPTED
    assert decisions(id)[-1].taken_back_at is None


def test_nothing_else_happens_while_a_letter_is_held(world: World) -> None:
    id = world.at("decision_ready")
    world.decide(id, "waitlist")
    for attempt in (
        lambda: world.decide(id, "accept"),
        lambda: world.do(reviews.place_free, id, by=world.actor("coordinator")),
        lambda: world.do(triage.withdraw_on_wish, id, note="By telephone.", by=world.actor("coordinator")),
    ):
        with pytest.raises(Conflict, match="still held"):
            attempt()
    assert world.get(id).status is Status.WAITLISTED


def test_a_second_decision_is_refused(world: World) -> None:
    id = world.at("decision_ready")
    version = world.get(id).version
    world.decide(id, "accept", version=version)
    with pytest.raises(Conflict, match="changed while you had it open: Accepted, by Head"):
        world.decide(id, "decline", by=world.actor("head", name="Second"), version=version)
    with time_machine.travel(MONDAY + timedelta(hours=1), tick=False), pytest.raises(Conflict):
        world.decide(id, "decline", by=world.actor("head", name="Second"))
    assert [one.verdict.value for one in decisions(id)] == ["accept"]
    assert world.topics(id).count("M5") == 1
    assert "M9" not in world.topics(id)


def test_a_later_decision_supersedes_the_one_of_the_waiting_list(world: World) -> None:
    id = world.at("waitlisted")
    world.do(reviews.place_free, id, by=world.actor("coordinator"))
    world.decide(id, "accept")
    first, second = decisions(id)
    assert (first.verdict, first.superseded_at) == ("waitlist", clock.now())
    assert (second.verdict, second.superseded_at, second.taken_back_at) == ("accept", None, None)
    world.do(reviews.take_back, id, by=world.actor("head"))
    first, second = decisions(id)
    assert (first.superseded_at, second.taken_back_at) == (None, clock.now())
    standing = reviews.standing_decision(world.get(id))
    assert standing is not None
    assert standing.id == first.id


def test_taking_a_refusal_back_keeps_the_conditions(world: World) -> None:
    """Else the open condition would be forgotten, and the acceptance be final without it."""
    id = world.at("conditional")
    world.decide(id, "decline")
    world.do(reviews.take_back, id, by=world.actor("head"))
    assert [one.state for one in reviews.conditions_of(world.get(id))] == ["open"]
    with pytest.raises(Conflict, match="A condition is still open: Transfer agreement signed"):
        world.do(reviews.fulfil, id, letter=LETTER, by=world.actor("coordinator"))


def test_decided_taken_back_and_decided_again(world: World) -> None:
    id = world.at("decision_ready")
    for verdict in ("decline", "refer", "waitlist", "conditional"):
        world.decide(id, verdict)
        world.do(reviews.take_back, id, by=world.actor("head"))
    world.decide(id, "accept")
    assert [one.taken_back_at is None for one in decisions(id)] == [False, False, False, False, True]
    states = [one.state for one in world.mails(id, "partner") if one.topic in {"M5", "M6", "M7", "M8", "M9"}]
    assert states == [MailState.CANCELLED] * 4 + [MailState.HELD]
    assert world.counts() == {"accepted": 1}


def test_the_waiting_lists_letter_names_the_period(world: World) -> None:
    id = world.at("decision_ready")
    world.decide(id, "waitlist")
    assert (
        world.mails(id, "partner")[-1].subject
        == f"{world.get(id).reference}: on the waiting list for spring 2027"
    )


def test_the_partner_writes_while_a_closing_letter_is_held(world: World) -> None:
    """“This inquiry is closed” would tell of the decision."""
    id = world.at("decision_ready")
    world.decide(id, "decline")
    world.answer(id, "One more thing.")
    assert world.kinds(id)[-1] == "information_added"
    world.end_hold(id)
    with pytest.raises(Conflict, match="closed"):
        world.answer(id, "And another.")


def test_the_partner_withdraws_while_a_letter_is_held(world: World) -> None:
    id = world.at("decision_ready")
    world.decide(id, "waitlist")
    world.do(inquiries.withdraw, id, by=world.visitor)
    assert shown(world, id) is Status.WITHDRAWN
    letter = next(one for one in world.mails(id) if one.topic == "M7")
    assert letter.state is MailState.CANCELLED
    assert world.topics(id)[-1] == "M13"
    message = db.session.scalar(sa.select(Message).filter_by(inquiry_id=id, kind="waitlist"))
    assert message is not None
    assert message.taken_back_at is not None

    closed = world.at("decision_ready")
    world.decide(closed, "accept")
    with pytest.raises(Conflict, match="on its way to you"):
        world.do(inquiries.withdraw, closed, by=world.visitor)


def test_asking_for_erasure_stops_a_held_letter(world: World) -> None:
    id = world.at("decision_ready")
    world.decide(id, "conditional")
    world.do(inquiries.ask_for_erasure, id, by=world.visitor)
    assert world.get(id).status is Status.WITHDRAWN
    assert next(one for one in world.mails(id) if one.topic == "M6").state is MailState.CANCELLED
    world.do(privacy.erase, id, by=world.actor("coordinator"))
    assert world.get(id).anonymised_at is not None


def test_an_empty_letter_or_no_sentence_is_refused(world: World) -> None:
    id = world.at("decision_ready")
    with pytest.raises(Invalid, match="empty") as refused:
        world.decide(id, "accept", letter=" \n ")
    assert refused.value.field == "letter"
    with pytest.raises(Invalid, match="one sentence why") as refused:
        world.decide(id, "accept", because="")
    assert refused.value.field == "because"
    assert decisions(id) == []


def test_a_patient_who_is_referred_is_marked_as_nothing_else(world: World) -> None:
    id = world.received()
    world.do(
        triage.refer,
        id,
        reason=Reason.PATIENT_REQUEST,
        office="International patients",
        contact="https://example.org/patients",
        body=LETTER,
        by=world.actor("coordinator"),
    )
    assert world.kinds(id)[-1] == "refer"
    assert "expedited" not in world.kinds(id)
