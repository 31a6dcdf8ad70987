"""F11, A57: in every step of the table two people act at once on what both had open: one does it, the other is told.

The other's text is not lost on the page either: ``tests/web/staff`` tries that with the forms.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask

from collab import inquiries, reviews
from collab.core.db import db, unit_of_work
from collab.core.errors import Refused
from collab.inquiries import AssignmentKind, Reason, submission, triage
from collab.inquiries.statuses import Step
from tests.support.crowd import at_once
from tests.support.world import LETTER, MONDAY, World

# What is raced for is tried on both.
pytestmark = pytest.mark.both_databases

#: Each step of staff, and a status it starts from.
STARTS: dict[Step, str] = {
    Step.CONFIRM: "unconfirmed",
    Step.ASK: "received",
    Step.ROUTE: "received",
    Step.REFER: "received",
    Step.DECLINE: "received",
    Step.VOID: "received",
    Step.MERGE: "received",
    Step.RESTORE: "void",
    Step.READY: "in_review",
    Step.ACCEPT: "decision_ready",
    Step.CONDITIONS: "decision_ready",
    Step.WAITLIST: "decision_ready",
    Step.PLACE_FREE: "waitlisted",
    Step.FULFIL: "conditional",
    Step.WITHDRAW: "received",
    Step.REOPEN: "declined",
}
VERDICTS = {Step.ACCEPT: "accept", Step.CONDITIONS: "conditional", Step.WAITLIST: "waitlist"}
#: Others move by themselves: the partner's, and time's.
NOT_STAFF = {Step.ANSWER, Step.RESUME, Step.LAPSE}


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    with time_machine.travel(MONDAY, tick=True):
        yield


def test_every_step_of_staff_is_here() -> None:
    assert set(STARTS) == set(Step) - NOT_STAFF


def verb(world: World, step: Step, id: int) -> Callable[[Any, int], Any]:
    """The step as a person takes it who saw a version."""
    one = world.get
    if step in VERDICTS:
        facts = world.facts(VERDICTS[step])
        return lambda by, version: reviews.decide(
            one(id),
            reviews.Verdict(VERDICTS[step]),
            because="It fits.",
            letter=LETTER,
            facts=facts,
            by=by,
            version=version,
        )
    host, twin = world.actor("host", name="Another host"), world.received(email=one(id).email)
    office = world.facts("refer")
    soon = world.today.replace(day=world.today.day + 7)
    verbs: dict[Step, Callable[[Any, int], Any]] = {
        Step.CONFIRM: lambda by, version: submission.confirm_by_hand(one(id), by=by, version=version),
        Step.ASK: lambda by, version: triage.ask(
            one(id), f"{by.name} asks?", answer_by=soon, by=by, version=version
        ),
        Step.ROUTE: lambda by, version: triage.route(
            one(id),
            world.user(host),
            kind=AssignmentKind.HOST,
            due_on=soon,
            despite=True,
            by=by,
            version=version,
        ),
        Step.REFER: lambda by, version: triage.refer(
            one(id),
            reason=Reason.PROCUREMENT,
            office=office.office,
            contact=office.contact,
            body=LETTER,
            by=by,
            version=version,
        ),
        Step.DECLINE: lambda by, version: triage.decline(
            one(id), reason=Reason.OUT_OF_SCOPE, body=LETTER, by=by, version=version
        ),
        Step.VOID: lambda by, version: triage.set_aside(one(id), reason=Reason.SPAM, by=by, version=version),
        Step.MERGE: lambda by, version: triage.merge(one(id), into=one(twin), by=by, version=version),
        Step.RESTORE: lambda by, version: triage.restore(one(id), by=by, version=version),
        Step.READY: lambda by, version: triage.mark_ready(one(id), by=by, version=version),
        Step.PLACE_FREE: lambda by, version: reviews.place_free(one(id), by=by, version=version),
        Step.FULFIL: lambda by, version: reviews.fulfil(one(id), letter=LETTER, by=by, version=version),
        Step.WITHDRAW: lambda by, version: triage.withdraw_on_wish(
            one(id), note="By mail.", by=by, version=version
        ),
        Step.REOPEN: lambda by, version: triage.reopen(
            one(id), because="A new grant.", by=by, version=version
        ),
    }
    return verbs[step]


@pytest.mark.parametrize("step", STARTS, ids=str)
def test_two_take_the_same_step(app: Flask, world: World, step: Step) -> None:
    id = world.at(STARTS[step])
    role = "head" if step in VERDICTS else "coordinator"
    people = [world.actor(role, name=f"{name} {role}") for name in ("Ada", "Ben")]
    if role == "head":
        for person in people:
            world.declare(id, person)
    if step is Step.FULFIL:
        for condition in reviews.conditions_of(world.get(id)):
            with unit_of_work():
                reviews.settle(
                    condition,
                    world.get(id),
                    reviews.ConditionState.MET,
                    by=people[0] if role == "coordinator" else world.actor("coordinator"),
                )
    act = verb(world, step, id)
    before, version = len(world.topics(id)), world.get(id).version
    db.session.rollback()

    results = at_once(app, [lambda person=person: act(person, version) for person in people])

    refused = [one for one in results if isinstance(one, Exception)]
    assert len(refused) == 1, results
    assert isinstance(refused[0], Refused), refused
    assert refused[0].message, "whoever came second is not told what happened"
    assert world.kinds(id).count(str(step)) == 1
    sent = world.topics(id)[before:]
    assert len(sent) == len(set(sent)), f"sent twice: {sent}"
    assert inquiries.by_reference(world.get(id).reference, seen_by=world.actor("coordinator"))
