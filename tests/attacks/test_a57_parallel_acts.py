"""A57, F11, F12: many do the same at the same moment; it happens once, and the others are told."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from collab import audit, inquiries, reviews
from collab.core.db import db
from collab.core.errors import Conflict, Refused
from collab.departments.tracks import Track
from collab.inquiries import AssignmentKind, Draft, Inquiry, Message, Status, triage
from collab.mail import MailState, OutboxMail
from collab.reviews import Decision
from tests.support.crowd import at_once
from tests.support.world import LETTER, World

# What is raced for, or read by the database itself, is tried on both.
pytestmark = pytest.mark.both_databases


def once(results: list[Any]) -> None:
    """Exactly one did it; every other one was told that somebody was first."""
    failed = [one for one in results if isinstance(one, Exception)]
    assert len(results) - len(failed) == 1, Counter(repr(one) for one in results)
    assert all(isinstance(one, Conflict) and one.message for one in failed), failed


def test_twenty_send_the_same_form(app: Flask, world: World) -> None:
    visitor = world.visitor

    def send() -> int:
        return inquiries.submit(world.submission(key="the-same-key", email="one@example.org"), by=visitor).id

    results = at_once(app, [send] * 20)
    assert len(set(results)) == 1, results
    (id,) = set(results)
    assert world.topics(id) == ["M1"]
    assert world.counts() == {"unconfirmed": 1}
    assert world.kinds(id) == ["submitted"]
    # Nobody's number was lost over it.
    assert world.get(world.submit()).reference.endswith("-0002")


def test_twenty_heads_decide(app: Flask, world: World) -> None:
    heads = [world.actor("head", name=f"Head {n}") for n in range(20)]
    for seen in (True, False):  # with the version each of them saw, and without
        id = world.at("decision_ready")
        for head in heads:
            world.declare(id, head)
        version = world.get(id).version if seen else None
        facts = [world.facts(verdict) for verdict in ("accept", "decline")]
        db.session.rollback()

        def decide(n: int, id: int = id, version: int | None = version, facts: list[Any] = facts) -> None:
            reviews.decide(
                world.get(id),
                (reviews.Verdict.ACCEPT, reviews.Verdict.DECLINE)[n % 2],
                because="Good.",
                letter=LETTER,
                facts=facts[n % 2],
                by=heads[n],
                version=version,
            )

        once(at_once(app, [lambda n=n, decide=decide: decide(n) for n in range(20)]))
        assert (
            db.session.scalar(sa.select(sa.func.count()).select_from(Decision).filter_by(inquiry_id=id)) == 1
        )
        held = [one for one in world.mails(id) if one.state is MailState.HELD]
        assert len(held) == 1
        assert world.counts() == world.real_counts()
    assert audit.verify() is None


def test_twenty_coordinators_route(app: Flask, world: World) -> None:
    id = world.received()
    host, due = world.user(world.actor("host")).id, world.today + timedelta(days=9)
    coordinator = world.actor("coordinator")
    version = world.get(id).version
    db.session.rollback()

    def route() -> None:
        person = db.session.get_one(inquiries.models.User, host)
        triage.route(
            world.get(id), person, kind=AssignmentKind.HOST, due_on=due, by=coordinator, version=version
        )

    once(at_once(app, [route] * 20))
    assert world.topics(id).count("M4") == 1
    assert len(world.get(id).assignments) == 1


def test_twenty_press_the_confirming_button(app: Flask, world: World) -> None:
    id = world.submit()
    token, visitor = world.secret(id, "M1"), world.visitor
    results = at_once(app, [lambda: inquiries.confirm(token, by=visitor)[1]] * 20)
    assert Counter(results) == {True: 1, False: 19}
    assert world.topics(id) == ["M1", "M2"]


def test_twenty_send_the_same_answer(app: Flask, world: World) -> None:
    id, visitor = world.at("needs_info"), world.visitor

    def answer() -> int:
        return inquiries.answer(
            world.get(id), "Here.", claim_token=None, submission_key="same-answer", by=visitor
        ).id

    assert len(set(at_once(app, [answer] * 20))) == 1
    rows = db.session.scalars(sa.select(Message).filter_by(inquiry_id=id, from_partner=True)).all()
    assert len(rows) == 1
    assert world.topics(id).count("M2b") == 1


def test_twenty_save_the_same_draft(app: Flask, world: World) -> None:
    department_id, visitor = world.department_id, world.visitor

    def save() -> int:
        return inquiries.save_draft(
            db.session.get_one(inquiries.models.Department, department_id),
            Track.VISIT,
            locale="en",
            email="one@example.org",
            data={},
            submission_key="the-key-of-one-draft",
            claim_token=None,
            by=visitor,
        ).id

    results = at_once(app, [save] * 20)
    assert all(isinstance(one, int) or (isinstance(one, Refused) and one.status == 429) for one in results)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Draft)) == 1


def test_taking_back_against_the_worker(app: Flask, world: World) -> None:
    """Either the letter leaves and the decision stands, or it is taken back and never leaves."""
    from collab import mail

    head = world.actor("head")
    for _ in range(5):
        id = world.at("decision_ready")
        world.decide(id, "accept", by=head)
        row = world.mails(id, "partner")[-1].id
        db.session.rollback()

        def take_back(id: int = id) -> None:
            reviews.take_back(world.get(id), by=head)

        def release(row: int = row) -> None:
            mail.release(db.session.get_one(OutboxMail, row))

        results = at_once(app, [take_back, release])
        state, status = db.session.get_one(OutboxMail, row).state, world.get(id).status
        assert (state, status) in {
            (MailState.CANCELLED, Status.DECISION_READY),
            (MailState.QUEUED, Status.ACCEPTED),
        }
        assert sum(isinstance(one, Conflict) for one in results) == 1


def test_merging_two_into_each_other(app: Flask, world: World) -> None:
    coordinator = world.actor("coordinator")
    for number in range(3):
        first, second = (world.received(email=f"same-{number}@example.org") for _ in range(2))
        db.session.rollback()

        def merge(one: int, other: int) -> None:
            triage.merge(world.get(one), into=world.get(other), by=coordinator)

        results = at_once(
            app,
            [lambda a=first, b=second: merge(a, b), lambda a=first, b=second: merge(b, a)],
        )
        assert sum(isinstance(one, Refused) for one in results) == 1, results
        rows = [db.session.get_one(Inquiry, id) for id in (first, second)]
        assert Counter(one.status for one in rows) == {Status.VOID: 1, Status.RECEIVED: 1}
    assert world.counts() == world.real_counts()


def test_twenty_answer_the_same_gate(app: Flask, world: World) -> None:
    people = [world.actor("compliance", name=f"Office {n}") for n in range(20)]
    id = world.received()
    world.route(id)
    version = next(gate.version for gate in reviews.gates_of(world.get(id)) if gate.kind == "legal")
    before = len(world.mails(id))
    db.session.rollback()

    def settle(n: int) -> None:
        state = (reviews.GateState.CLEARED, reviews.GateState.BLOCKED)[n % 2]
        reviews.gates.settle(world.get(id), "legal", state, note=f"By {n}.", by=people[n], version=version)

    once(at_once(app, [lambda n=n: settle(n) for n in range(20)]))
    assert world.kinds(id).count("gate") == 1
    assert len(world.mails(id)) - before <= 1


def test_twenty_answer_a_gate_that_has_no_row_yet(app: Flask, world: World) -> None:
    coordinator, id = world.actor("coordinator"), world.received()
    db.session.rollback()

    def settle() -> None:
        reviews.gates.settle(
            world.get(id), "scope", reviews.GateState.CLEARED, note="Fits.", by=coordinator, version=0
        )

    once(at_once(app, [settle] * 20))
    assert world.kinds(id).count("gate") == 1


def test_twenty_declare_at_once(app: Flask, world: World) -> None:
    """One person in twenty windows: what is declared first stands, and is told once."""
    for yes in (False, True):
        host, id = world.actor("host", name=f"Host {yes}"), world.received()
        world.route(id, host, declared=False)
        before = len(world.mails(id))
        db.session.rollback()

        def declare(id: int = id, host: Any = host, yes: bool = yes) -> bool:
            from collab.inquiries import interests

            answers = dict.fromkeys(interests.QUESTIONS, False) | {"money": yes}
            return interests.declare(world.get(id), answers, by=host)

        results = at_once(app, [declare] * 20)
        refused = [one for one in results if isinstance(one, Exception)]
        assert all(isinstance(one, Refused) for one in refused), refused
        assert {one for one in results if isinstance(one, bool)} == {not yes}
        kinds = Counter(world.kinds(id))
        assert (kinds["declared"], kinds["conflict"]) == ((0, 1) if yes else (1, 0))
        assert len(world.mails(id)) - before == int(yes)


def test_twenty_ask_the_same_reviewers(app: Flask, world: World) -> None:
    from collab.reviews import assigning

    id = world.received()
    world.route(id)
    ids = [world.user(world.actor("reviewer", name=f"R {n}")).id for n in range(2)]
    coordinator, due = world.actor("coordinator"), world.today + timedelta(days=9)
    version = world.get(id).version
    db.session.rollback()

    def ask() -> None:
        people = [db.session.get_one(inquiries.models.User, one) for one in ids]
        assigning.ask_reviewers(
            world.get(id), people, due_on=due, judged=ids, by=coordinator, version=version
        )

    results = at_once(app, [ask] * 20)
    assert sum(one is None for one in results) == 1, results
    assert all(isinstance(one, Refused) for one in results if one is not None), results
    assert len(world.get(id).assignments) == 3
    assert world.kinds(id).count("assigned") == 3
