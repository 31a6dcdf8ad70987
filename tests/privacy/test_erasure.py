"""Erasure leaves figures and nothing of the person; the copy of one's data holds nothing of the inside."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from collab import files, inquiries, privacy, reviews, search
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden
from collab.core.site import settings
from collab.inquiries import Inquiry, Reason, Status, clockwork, partner, triage
from collab.reviews import ConditionOwner, Facts
from tests.support.partners import pdf
from tests.support.reviewing import marks
from tests.support.world import MONDAY, World

#: Stands in everything that somebody typed about this person.
CANARY = "Quetzalcoatl"


def everywhere(word: str) -> list[str]:
    """Each place of the whole database where a word stands, table by table, column by column."""
    found = []
    inspector = sa.inspect(db.engine)
    with db.engine.connect() as connection:
        for name in inspector.get_table_names():
            if db.engine.dialect.name == "sqlite" and name.startswith("search_"):
                continue  # the engine's own tables: asked by searching
            for row in connection.execute(sa.text(f'SELECT * FROM "{name}"')).mappings():
                found += [
                    f"{name}.{column}"
                    for column, value in row.items()
                    if word.casefold() in str(value).casefold()
                ]
        rows = connection.execute(sa.text("SELECT words FROM search_entry")).scalars()
        found += ["search_entry.words" for words in rows if word.casefold() in words.casefold()]
    return sorted(set(found))


def upload(world: World, token: str) -> str:
    with unit_of_work():
        files.receive(
            BytesIO(pdf()),
            f"{CANARY}.pdf",
            department_id=world.department_id,
            purpose="inquiry",
            claim_token=token,
            max_bytes=100_000,
        )
    return token


def full(world: World) -> int:
    """An inquiry that has been everywhere, with the canary in each text somebody can type."""
    from collab.departments.tracks import Track

    address = f"{CANARY}@example.org"
    with unit_of_work():
        inquiries.save_draft(
            world.department,
            Track.COOPERATION,
            locale="en",
            email=address,
            data={"title": CANARY},
            submission_key="the-key-of-this-form",
            claim_token=None,
            by=world.visitor,
        )
    id = world.received(
        key="the-key-of-this-form",
        full_name=f"{CANARY} Müller",
        email=address,
        institution_name=f"{CANARY} University",
        title=f"{CANARY} in mice",
        summary=f"{CANARY} " * 12,
        claim_token=upload(world, "u" * 43),
    )
    twin = world.received(email=address, full_name=f"{CANARY} Müller", title=f"{CANARY} once more")
    world.do(
        lambda one, **given: triage.merge(one, into=world.get(id), **given),
        twin,
        by=world.actor("coordinator"),
    )
    coordinator, reviewer = world.actor("coordinator"), world.actor("reviewer")
    world.do(inquiries.note, id, f"{CANARY} was here in May.", by=coordinator)
    world.ask(id)
    world.answer(id, f"{CANARY} says yes.", claim_token=upload(world, "v" * 43))
    world.route(id, note=f"Please look at {CANARY}.")
    world.do(
        triage.host_answers,
        id,
        inquiries.HostAnswer.LATER,
        period=f"after {CANARY}",
        note=f"{CANARY} is good.",
        by=world.actor("host"),
    )
    world.route(id, reviewer, kind="reviewer")
    world.do(
        reviews.give_opinion,
        id,
        reviews.Recommendation.ACCEPT,
        because=f"{CANARY} convinces.",
        scores=marks(),
        by=reviewer,
    )
    world.do(inquiries.write, id, f"Dear {CANARY}, more soon.", by=coordinator)
    world.ready(id)
    condition = (f"{CANARY} signs", world.today + timedelta(days=9), ConditionOwner.PARTNER)
    world.decide(
        id,
        "conditional",
        because=f"{CANARY} fits.",
        letter=f"Dear {CANARY}, yes if.",
        facts=Facts(conditions=(condition,)),
    )
    world.end_hold(id)
    with unit_of_work():
        (one,) = reviews.conditions_of(world.get(id))
        reviews.settle(one, world.get(id), reviews.ConditionState.FAILED, by=coordinator)
    world.decide(
        id,
        "decline",
        because=f"{CANARY} did not sign.",
        deviation=f"{CANARY} was asked twice.",
        letter=f"Dear {CANARY}, no.",
        facts=Facts(reason=Reason.COMPLIANCE_NOT_CLEARED),
    )
    world.end_hold(id)
    world.do(triage.renew_link, id, by=coordinator)
    return id


def test_nothing_of_the_person_is_left_anywhere(
    world: World, worker: Callable[[], Any], settings: Any
) -> None:
    id = full(world)
    places = everywhere(CANARY)
    for place in ("inquiry.full_name", "note.body", "opinion.because", "outbox_mail.to_address",
                  "stored_file.filename", "message.body", "condition.text", "decision.letter", "decision.deviation",
                  "decision_record.content", "decision_record.reviews",
                  "assignment.answer_period", "inquiry_event.note", "search_entry.words"):  # fmt: skip
        assert place in places, "the canary must sit there, else this test proves nothing"
    figures = {
        name: getattr(world.get(id), name)
        for name in ("reference", "track", "area", "country", "status", "reason", "submitted_at", "closed_at")
    }
    counts = world.counts()
    world.do(inquiries.ask_for_erasure, id, by=world.visitor)
    world.do(privacy.erase, id, by=world.actor("coordinator"))

    # The farewell keeps the address, and the address alone, until it has left.
    assert everywhere(CANARY) == ["outbox_mail.to_address", "stored_file.filename"]
    assert world.topics(id) == ["M14"]
    with unit_of_work():
        from collab.mail import MailState

        farewell = world.mails(id)[0]
        farewell.state, farewell.sent_at = MailState.SENT, clock.now()
    worker()
    with unit_of_work():
        privacy.actions.forget_farewells()
    for name in files.discarded():
        with unit_of_work():
            files.remove_for_good(name)
    assert everywhere(CANARY) == []
    assert search.find("inquiry", CANARY, department_ids=[world.department_id]) == []
    on_disk = [path for path in Path(settings.instance).rglob("*") if path.is_file()]
    assert not [path for path in on_disk if path.read_bytes().startswith(b"%PDF")]

    # What stays are figures and the fact of it.
    inquiry = world.get(id)
    assert {name: getattr(inquiry, name) for name in figures} == figures
    assert set(inquiry.answers) <= {"organisation_type", "cooperation_type"}
    assert world.counts() == counts == world.real_counts()
    assert world.kinds(id)[-1] == "erased"
    from collab import audit

    assert audit.verify() is None
    duplicate = db.session.scalar(sa.select(Inquiry).filter_by(merged_into_id=id))
    assert duplicate is not None
    assert duplicate.anonymised_at is not None


def test_the_farewell_is_forgotten_when_it_left(world: World) -> None:
    from collab.mail import MailState

    id, other = world.at("withdrawn"), world.at("withdrawn")
    world.do(privacy.erase, id, by=world.actor("coordinator"))
    with unit_of_work():
        assert privacy.actions.forget_farewells() == 0
    with unit_of_work():
        mail = world.mails(id)[0]
        mail.state, mail.sent_at = MailState.SENT, clock.now()
    with unit_of_work():
        assert privacy.actions.forget_farewells() == 1
    assert world.mails(id) == []
    assert world.topics(other)[-1] == "M13"


def test_the_others_stay_as_they_are(world: World) -> None:
    id, other = world.at("declined"), world.at("declined")
    topics = world.topics(other)
    world.do(privacy.erase, id, by=world.actor("head"))
    kept = world.get(other)
    assert kept.full_name == "Erika Mustermann"
    assert kept.answers["summary"]
    assert world.topics(other) == topics
    later = clock.now() + timedelta(hours=1)
    assert len(partner.conversation(kept, now=later).letters) == 1
    assert kept.anonymised_at is None


def test_who_and_when(world: World) -> None:
    open_one, id = world.at("received"), world.at("declined")
    coordinator = world.actor("coordinator")
    with pytest.raises(Conflict, match="still open"):
        world.do(privacy.erase, open_one, by=coordinator)
    with pytest.raises(Conflict, match="still open"):
        world.do(privacy.erase, world.submit(), by=coordinator)
    for role in ("host", "reviewer", "viewer", "admin"):
        with pytest.raises(Forbidden, match="Coordinator"):
            world.do(privacy.erase, id, by=world.actor(role))
    held = world.at("decision_ready")
    world.decide(held, "decline")
    with pytest.raises(Conflict, match="still held"):
        world.do(privacy.erase, held, by=coordinator)
    world.do(privacy.erase, id, by=coordinator)
    before = world.stored()
    world.do(privacy.erase, id, by=coordinator)  # twice: harmless
    assert world.stored() == before


def test_an_erased_inquiry_is_not_brought_back(world: World) -> None:
    """Nobody could be written to any more."""
    coordinator = world.actor("coordinator")
    for status, verb in (
        ("declined", lambda one: triage.reopen(one, because="New.", by=coordinator)),
        ("void", lambda one: triage.restore(one, by=coordinator)),
        ("withdrawn", lambda one: inquiries.resume(one, by=world.visitor)),
        ("declined", lambda one: inquiries.write(one, "Dear you", by=coordinator)),
        ("declined", lambda one: inquiries.note(one, "Dear me", by=coordinator)),
        ("declined", lambda one: triage.renew_link(one, by=coordinator)),
    ):
        id = world.at(status)
        world.do(privacy.erase, id, by=coordinator)
        with pytest.raises(Conflict, match="erased"):
            world.do(verb, id)
    with unit_of_work():
        inquiries.request_link(world.get(id).reference, "erased@invalid", by=world.visitor)
    assert world.topics(id) == ["M14"]


def test_asking_for_erasure_withdraws_what_is_open_and_tells_the_coordinators(world: World) -> None:
    world.actor("coordinator")
    for status in ("received", "needs_info", "in_review", "decision_ready", "waitlisted", "conditional"):
        id = world.at(status)
        world.do(inquiries.ask_for_erasure, id, by=world.visitor)
        inquiry = world.get(id)
        assert (inquiry.status, inquiry.unread) == (Status.WITHDRAWN, True)
        assert inquiry.erasure_requested_at is not None
        assert world.kinds(id)[-2:] == ["withdraw", "erasure_requested"]
        before = world.stored()
        world.do(inquiries.ask_for_erasure, id, by=world.visitor)
        assert world.stored() == before
    accepted = world.at("accepted")
    world.do(inquiries.ask_for_erasure, accepted, by=world.visitor)
    assert world.get(accepted).status is Status.ACCEPTED


def test_the_copy_of_ones_data_holds_all_that_was_typed_and_nothing_of_the_inside(world: World) -> None:
    secret = "Obsidian"
    with time_machine.travel(MONDAY, tick=False):
        reviewer, host = (
            world.actor("reviewer", name=f"{secret} One"),
            world.actor("host", name=f"{secret} Two"),
        )
        id = world.received(full_name="Zoë", summary="What I want. " * 8)
        world.do(inquiries.note, id, f"{secret} note", by=world.actor("coordinator"))
        world.route(id, host, note=f"{secret} to the host")
        world.route(id, reviewer, kind="reviewer")
        world.do(
            reviews.give_opinion,
            id,
            reviews.Recommendation.DECLINE,
            because=f"{secret} text",
            scores=marks(),
            by=reviewer,
        )
        world.host_says(id, "no", host)
        world.ask(id)
        world.answer(id, "My answer.")
        world.ready(id)
        world.decide(id, "accept", because=f"{secret} reason", letter=f"{secret} taken back")
        world.do(reviews.take_back, id, by=world.actor("head"))
        condition = (f"{secret} condition", world.today, ConditionOwner.DEPARTMENT)
        world.decide(
            id, "conditional", because=f"{secret} reason", letter=f"{secret} held",
            facts=Facts(conditions=(condition,)),
        )  # fmt: skip

        def data() -> str:
            return json.dumps(privacy.everything_of(world.get(id)), ensure_ascii=False)

        text = data()
        assert secret not in text
        for typed in ("Zoë", "What I want.", "My answer.", "Which ligands?", world.get(id).reference):
            assert typed in text
    with time_machine.travel(MONDAY + timedelta(minutes=16), tick=False):
        text = data()
        assert f"{secret} held" in text
        for inside in ("note", "text", "reason", "taken back", "to the host", "One", "Two"):
            assert f"{secret} {inside}" not in text
        assert f"{secret} condition" in text


def test_the_rounds_leave_erased_ones_alone(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.at("withdrawn")
        world.do(privacy.erase, id, by=world.actor("coordinator"))
    with time_machine.travel(MONDAY + timedelta(days=100), tick=False):
        assert [due() for _name, due, _verb in clockwork.ROUNDS] == [[]] * len(clockwork.ROUNDS)
    assert settings().instance is not None
