"""Which moves there are, who may make them and which mail goes out: domain.md B.2, written out a second time here."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from collab import inquiries, reviews
from collab.accounts import SYSTEM, Actor, Role
from collab.core.db import unit_of_work
from collab.core.errors import Refused
from collab.inquiries import AssignmentKind, Reason, Status, Step, clockwork, submission, triage
from collab.inquiries.statuses import TRANSITIONS, Party
from collab.jobs.inquiries import turn_clocks
from tests.support.interests import try_to_declare_none
from tests.support.world import LETTER, MONDAY, World, other_department, refusal, undone

# Its statements are our own, or many act at once: tried on both.
pytestmark = pytest.mark.both_databases

#: (what is done, from, to, who may, the mail to the partner).
MOVES: list[tuple[str, str, str, set[str], str | None]] = [
    ("confirm", "unconfirmed", "received", {"applicant", "coordinator"}, "M2"),
    ("ask", "received", "needs_info", {"coordinator"}, "M3"),
    ("route", "received", "in_review", {"coordinator"}, "M4"),
    ("refer", "received", "referred", {"coordinator"}, "M8"),
    ("decline", "received", "declined", {"coordinator", "head"}, "M9"),
    ("void", "received", "void", {"coordinator"}, None),
    ("merge", "received", "void", {"coordinator"}, "M10"),
    ("answer", "needs_info", "received", {"applicant"}, "M2b"),
    ("answer", "needs_info", "in_review", {"applicant"}, "M2b"),
    ("lapse", "needs_info", "lapsed", {"system"}, "M11"),
    ("ask", "in_review", "needs_info", {"coordinator", "host"}, "M3"),
    ("ready", "in_review", "decision_ready", {"coordinator", "system"}, None),
    ("refer", "in_review", "referred", {"coordinator"}, "M8"),
    ("decline", "in_review", "declined", {"coordinator"}, "M9"),
    ("accept", "decision_ready", "accepted", {"head"}, "M5"),
    ("conditions", "decision_ready", "conditional", {"head"}, "M6"),
    ("waitlist", "decision_ready", "waitlisted", {"head"}, "M7"),
    ("decline", "decision_ready", "declined", {"head"}, "M9"),
    ("refer", "decision_ready", "referred", {"head"}, "M8"),
    ("fulfil", "conditional", "accepted", {"coordinator"}, "M5"),
    ("lapse", "conditional", "lapsed", {"system"}, "M11"),
    ("decline", "conditional", "declined", {"head"}, "M9"),
    ("place_free", "waitlisted", "decision_ready", {"coordinator"}, "M12"),
    ("accept", "waitlisted", "accepted", {"head"}, "M5"),
    ("lapse", "waitlisted", "lapsed", {"system"}, "M11"),
    ("withdraw", "received", "withdrawn", {"applicant", "coordinator"}, "M13"),
    ("withdraw", "needs_info", "withdrawn", {"applicant", "coordinator"}, "M13"),
    ("withdraw", "in_review", "withdrawn", {"applicant", "coordinator"}, "M13"),
    ("withdraw", "decision_ready", "withdrawn", {"applicant", "coordinator"}, "M13"),
    ("withdraw", "conditional", "withdrawn", {"applicant", "coordinator"}, "M13"),
    ("withdraw", "waitlisted", "withdrawn", {"applicant", "coordinator"}, "M13"),
    ("reopen", "declined", "received", {"coordinator"}, "M2b"),
    ("reopen", "lapsed", "received", {"coordinator"}, "M2b"),
    ("reopen", "referred", "received", {"coordinator"}, "M2b"),
    ("restore", "void", "received", {"coordinator"}, "M2"),
    # B.6: "reply to an offer", of which B.2 says what follows on the waiting list.
    ("lapse", "decision_ready", "lapsed", {"system"}, "M11"),
    # B.1: "reopens on reply <= 90 days"; issue 2: "withdraw (confirmed, reversible for 30 days)".
    ("answer", "lapsed", "received", {"applicant"}, "M2b"),
    ("resume", "withdrawn", "received", {"applicant"}, "M2b"),
]
ROLES = ("coordinator", "host", "reviewer", "head")
#: Roles that move nothing, all held by one person.
IDLE = ("compliance", "radiation_safety_officer", "admin", "viewer")
STATUSES = [status.value for status in Status] + ["needs_info_in_review"]
#: Steps of which the verb is the partner's own: whoever calls it, the partner acts.
PARTNERS = {"answer", "resume"}
OPEN = ("received", "needs_info", "in_review", "decision_ready", "waitlisted", "conditional")


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    with time_machine.travel(MONDAY, tick=False):
        yield


def test_the_table_is_the_one_of_the_domain_notes() -> None:
    table = {
        (
            move.step.value,
            move.source.value,
            move.target.value,
            frozenset(str(who) for who in move.who),
            move.mail,
        )
        for move in TRANSITIONS
    }
    assert table == {
        (step, source, target, frozenset(who), mail) for step, source, target, who, mail in MOVES
    }
    assert len(TRANSITIONS) == len(MOVES)
    assert {move.step for move in TRANSITIONS} == set(Step)
    assert {who for move in TRANSITIONS for who in move.who} <= {*Role, *Party}


def verbs(world: World, id: int) -> dict[str, Callable[[Actor], Any]]:
    """Each step as a person would make it, on an inquiry; lapsing is time's own."""
    from collab.inquiries import Inquiry
    from collab.inquiries.models import Assignment

    def one() -> Inquiry:
        return world.get(id)

    def decide(verdict: str) -> Callable[[Actor], Any]:
        def decided(by: Actor) -> None:
            try_to_declare_none(one(), by)
            reviews.decide(
                one(),
                reviews.Verdict(verdict),
                because="It fits.",
                letter=LETTER,
                facts=world.facts(verdict),
                by=by,
            )

        return decided

    facts = world.facts("refer")
    decided = {"decision_ready", "conditional", "waitlisted"}

    def refer(by: Actor) -> None:
        if one().status in decided:
            decide("refer")(by)
            return
        triage.refer(
            one(), reason=Reason.PROCUREMENT, office=facts.office, contact=facts.contact, body=LETTER, by=by
        )

    def decline(by: Actor) -> None:
        if one().status in decided:
            decide("decline")(by)
            return
        triage.decline(one(), reason=Reason.OUT_OF_SCOPE, body=LETTER, by=by)

    def confirm(by: Actor) -> None:
        if by.kind == "applicant":
            inquiries.confirm(token, by=by)
        else:
            submission.confirm_by_hand(one(), by=by)

    def withdraw(by: Actor) -> None:
        if by.kind == "applicant":
            inquiries.withdraw(one(), by=by)
        else:
            triage.withdraw_on_wish(one(), note="By mail of today.", by=by)

    def route(by: Actor) -> Assignment:
        due = world.today + timedelta(days=10)
        person, kind = world.user(spare), AssignmentKind.HOST
        return triage.route(one(), person, kind=kind, due_on=due, despite=True, by=by)

    spare = world.actor("host", name="Another host")
    twin = world.received(email=one().email)
    token = world.secret(id, "M1")
    tomorrow = world.today + timedelta(days=1)
    return {
        "confirm": confirm,
        "ask": lambda by: triage.ask(one(), "Which?", answer_by=tomorrow, by=by),
        "answer": lambda by: inquiries.answer(
            one(), "This.", claim_token=None, submission_key="k" * 20, by=by
        ),
        "route": route,
        "refer": refer,
        "decline": decline,
        "void": lambda by: triage.set_aside(one(), reason=Reason.SPAM, by=by),
        "restore": lambda by: triage.restore(one(), by=by),
        "merge": lambda by: triage.merge(one(), into=world.get(twin), by=by),
        "ready": lambda by: triage.mark_ready(one(), by=by),
        "accept": decide("accept"),
        "conditions": decide("conditional"),
        "waitlist": decide("waitlist"),
        "place_free": lambda by: reviews.place_free(one(), by=by),
        "fulfil": lambda by: reviews.fulfil(one(), letter=LETTER, by=by),
        "withdraw": withdraw,
        "resume": lambda by: inquiries.resume(one(), by=by),
        "reopen": lambda by: triage.reopen(one(), because="A new grant.", by=by),
    }


@pytest.mark.one_database
@pytest.mark.parametrize("start", STATUSES)
def test_exactly_these_moves_succeed(world: World, tmp_path: Path, start: str) -> None:
    elsewhere = other_department(tmp_path / "another")
    actors = {role: world.actor(role, name=f"A {role}") for role in ROLES}
    actors["host"] = world.actor("host")  # of this very inquiry, where it has one
    actors["another host"] = world.actor("host", name="A host of others")
    actors["idle"] = world.actor(*IDLE)
    actors["elsewhere"] = world.actor(*ROLES, *IDLE, name="From elsewhere", department_id=elsewhere.id)
    actors["applicant"] = Actor(kind="applicant", name="Erika Mustermann")
    actors["system"] = SYSTEM
    id = world.at(start)
    if start == "conditional":  # the coordinator has seen to it
        (condition,) = reviews.conditions_of(world.get(id))
        with unit_of_work():
            reviews.settle(condition, world.get(id), reviews.ConditionState.MET, by=actors["coordinator"])
    source = world.get(id).status.value
    comes_from = "in_review" if start == "needs_info_in_review" else "received"
    steps = verbs(world, id)
    before, topics = world.stored(), world.topics(id)
    wrong, tried = [], 0
    for step, verb in steps.items():
        rows = [move for move in MOVES if move[:2] == (step, source)]
        if source == "needs_info" and step == "answer":
            rows = [move for move in rows if move[2] == comes_from]
        for name, actor in actors.items():
            if step in PARTNERS and name != "applicant":
                continue
            tried += 1
            expected = next((move for move in rows if name in move[3]), None)
            # No moves: one more host in review, a word more while it is open, and what was done before.
            stays = (step, source, name) in {
                ("route", "in_review", "coordinator"),
                *(("answer", status, "applicant") for status in OPEN if status != "needs_info"),
                *(("confirm", status, "applicant") for status in Status if status != "unconfirmed"),
                ("withdraw", "withdrawn", "applicant"),
            }
            said, moved, sent, history = "", source, [], []
            try:
                with undone():
                    verb(actor)
                    moved, sent = world.get(id).status.value, world.topics(id)[len(topics) :]
                    history = world.kinds(id)
            except Refused as refused:
                said = refused.message or f"({refused.status})"
            if expected is not None:
                wanted = [expected[4]] if expected[4] else []
                if (said, moved, sent) != ("", expected[2], wanted):
                    wrong.append((step, name, expected, said, moved, sent))
                elif step not in history:
                    wrong.append((step, name, "no entry in the history"))
            elif stays:
                if (said, moved, sent) != ("", source, []):
                    wrong.append((step, name, "stays", said, moved, sent))
            elif not said:
                wrong.append((step, name, "not refused", moved, sent))
    assert wrong == []
    assert tried == 16 * 9 + 2
    assert world.stored() == before, "a refused move left something behind"


@pytest.mark.one_database
@pytest.mark.parametrize("start", STATUSES)
def test_time_closes_only_what_waits_for_the_partner(world: World, start: str) -> None:
    # One that is ready to be decided waits for the partner only after a place was offered: test_clocks.
    closes = {move[1] for move in MOVES if move[0] == "lapse"} - {"decision_ready"}
    id = world.at(start)
    source, topics = world.get(id).status.value, world.topics(id)
    for day in (1, 6, 15, 29, 31, 45, 61, 62, 76, 90, 120, 250):
        with time_machine.travel(MONDAY + timedelta(days=day), tick=False):
            turn_clocks()
    lapsed = source in closes
    assert world.get(id).status.value == ("lapsed" if lapsed else source)
    assert world.topics(id)[len(topics) :].count("M11") == lapsed


def test_a_refusal_is_a_sentence(world: World) -> None:
    id = world.at("received")
    for actor in (world.actor("viewer"), world.actor("host"), world.actor("head")):
        for step, verb in verbs(world, id).items():
            if step in {*PARTNERS, "withdraw"} or (step, actor.name[:4]) == ("decline", "Head"):
                continue
            with pytest.raises(Refused) as refused, undone():
                verb(actor)
            assert refused.value.message.endswith("."), step


def test_a_coordinator_declines_for_facts_only(world: World) -> None:
    quality = {Reason.QUALIFICATION_MISMATCH, Reason.LANGUAGE_LEVEL, Reason.PROPOSAL_QUALITY}
    declining = set([*Reason][: [*Reason].index(Reason.DEGREE_ADMISSION)])
    id = world.at("received")
    for role, allowed in (("coordinator", declining - quality), ("head", declining)):
        actor = world.actor(role)
        refused = {
            reason: refusal(lambda: triage.decline(world.get(id), reason=reason, body=LETTER, by=actor))  # noqa: B023
            for reason in Reason
        }
        assert {reason for reason, no in refused.items() if no is None} == allowed
        assert {no.status for no in refused.values() if no is not None} == {422}


def test_the_clockwork_runs_each_round_in_the_worker() -> None:
    rounds = {name for name, _due, _verb in clockwork.ROUNDS}
    assert rounds == {"due_dates"}
