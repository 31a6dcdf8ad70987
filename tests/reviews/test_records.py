"""The record of a decision: everything it rested on, frozen; what stays of it, and who may change nothing of it."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab import audit, privacy, reviews
from collab.audit import AuditEvent
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Invalid, NotFound
from collab.inquiries import Inquiry, Status
from collab.jobs.inquiries import retain
from collab.mail import MailState
from collab.reviews import Decision, DecisionRecord, Guide, Opinion, Verdict, panel, record
from tests.support.crowd import at_once
from tests.support.deciding import reviewed
from tests.support.world import LETTER, MONDAY, World

pytestmark = pytest.mark.both_databases


@pytest.fixture
def world(department: Any) -> World:
    return World(department)


def kept_of(id: int) -> DecisionRecord:
    """The newest record of an inquiry, as it is stored."""
    db.session.expire_all()
    return db.session.scalars(
        sa.select(DecisionRecord)
        .join(Decision, Decision.id == DecisionRecord.decision_id)
        .where(Decision.inquiry_id == id)
        .order_by(Decision.id.desc())
        .limit(1)
    ).one()


# -- what is in it -------------------------------------------------------------------------------------------------


def test_everything_the_decision_rested_on(world: World) -> None:
    excluded = world.actor("coordinator", name="Excluded Person")
    id = reviewed(world, 5, 4, comment="Has data.", title="One assay in two places")
    from collab.inquiries import triage

    world.do(triage.declare_conflict, id, by=excluded)
    world.decide(id, "conditional", because="Once the agreement is signed.")
    kept = kept_of(id)
    content, scores = kept.content, kept.reviews
    inquiry = world.get(id)
    assert (content["reference"], content["title"]) == (inquiry.reference, "One assay in two places")
    assert (content["verdict"], content["because"], content["deviates"]) == (
        "conditional", "Once the agreement is signed.", False,
    )  # fmt: skip
    assert content["area"] == {
        "code": inquiry.area,
        "en": world.department.settings.areas[0].name.en,
        "zh": world.department.settings.areas[0].name.zh,
    }
    assert [(one["as"], one["answer"]) for one in content["people"]] == [
        ("host", "yes"), ("reviewer", None), ("reviewer", None),
    ]  # fmt: skip
    assert [one["to"] for one in content["path"] if one["to"]] == [
        "unconfirmed", "received", "in_review", "decision_ready",
    ]  # fmt: skip
    assert {one["name"] for one in content["declared"]} >= {
        "Reviewer 1",
        "Reviewer 2",
        world.actor("head").name,
    }
    assert content["excluded"] == 1
    assert "Excluded Person" not in str(content["declared"])
    (condition,) = content["conditions"]
    assert (condition["text"], condition["owner"]) == ("Transfer agreement signed", "partner")
    assert content["letter"]["text"] == LETTER
    assert content["letter"]["subject"].startswith(inquiry.reference)
    assert content["letter"]["held_until"] == inquiry.held_until.isoformat()  # type: ignore[union-attr]
    cleared = {one["kind"]: (one["state"], one["note"], one["who"] != "") for one in content["gates"]}
    assert ("cleared", "Looked up.", True) in cleared.values()
    assert content["guide"] == "accept"
    assert content["guide_lines"] == {"accept_from": 70, "discuss_from": 50}
    assert scores is not None
    assert (scores["mean"], scores["lowest"], scores["highest"]) == ("87.5", "75.0", "100.0")
    assert [one["reviewer"] for one in scores["sheets"]] == ["Reviewer 1", "Reviewer 2"]
    assert scores["sheets"][0]["rubric"] == 1
    line = scores["sheets"][0]["lines"][0]
    assert (line["value"], line["comment"], set(line["name"])) == (5, "Has data.", {"en", "zh"})
    assert kept.points == 87.5
    assert record.is_whole(kept)
    # The secret of the partner's link stands in the mail below the letter, and nowhere here.
    secret = world.secret(id, "M6")
    assert secret not in str(content)


def test_nothing_that_changes_later_changes_it(world: World) -> None:
    id = reviewed(world)
    world.decide(id, "accept")
    before = kept_of(id)
    content, scores, seal = before.content, before.reviews, record.seal_of(before)
    with unit_of_work():  # names, the rubric, the settings, a gate, the inquiry itself, the sentence
        world.user(world.actor("reviewer", name="Reviewer 1")).name = "Married Since"
        world.user(world.actor("head")).name = "Another Name"
        department = world.department
        changed = department.settings.as_json()
        changed["areas"][0]["name"] = {"en": "Renamed", "zh": "改名"}
        changed["review"]["accept_from"] = 95
        department.content, department.content_digest = changed, "f" * 64
        world.get(id).title = "Another title"
        for opinion in db.session.scalars(sa.select(Opinion).filter_by(inquiry_id=id)):
            opinion.because = "Rewritten."
        db.session.execute(sa.update(Decision).where(Decision.inquiry_id == id).values(because="Rewritten."))
        db.session.execute(sa.text("UPDATE gate SET note = 'Rewritten.' WHERE inquiry_id = :id"), {"id": id})
    after = kept_of(id)
    assert (after.content, after.reviews, record.seal_of(after)) == (content, scores, seal)
    assert record.is_whole(after)
    shown = reviews.record_of(world.get(id), seen_by=world.actor("head"))
    assert "Rewritten." not in str([shown.content, shown.reviews])
    assert "Married Since" not in str([shown.content, shown.reviews])


def test_a10_the_database_refuses_to_change_a_record(world: World) -> None:
    id = reviewed(world)
    world.decide(id, "accept")
    for change in (
        {"content": {"verdict": "decline"}},
        {"reviews": {"mean": "1.0"}},
        {"content_digest": "0" * 64},
        {"reviews_digest": None},
    ):
        with pytest.raises(sa.exc.DBAPIError, match="is not changed"), unit_of_work():
            db.session.execute(sa.update(DecisionRecord).values(**change))
        db.session.rollback()
    assert kept_of(id).content["verdict"] == "accept"
    # Written past that, it does not fit its seal any more.
    found = kept_of(id)
    found.content = {**found.content, "because": "Rewritten."}
    assert not record.is_whole(found)
    db.session.rollback()


def test_the_seal_stands_in_the_audit_chain(world: World) -> None:
    id = reviewed(world)
    world.decide(id, "accept")
    event = db.session.scalars(sa.select(AuditEvent).filter_by(action="decision.recorded")).one()
    assert event.detail is not None
    assert event.detail["seal"] == record.seal_of(kept_of(id))
    assert audit.verify() is None


# -- the guide line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "guide", "follow", "deviate"),
    [
        ((4, 4), Guide.ACCEPT, {"accept", "conditional"}, {"waitlist", "refer", "decline"}),
        ((3, 3), Guide.DISCUSS, {"conditional", "waitlist"}, {"accept", "refer", "decline"}),
        ((2, 2), Guide.DECLINE, {"decline", "refer"}, {"accept", "conditional", "waitlist"}),
    ],
)
def test_another_verdict_than_the_guide_lines_says_why(
    world: World, scores: tuple[int, int], guide: Guide, follow: set[str], deviate: set[str]
) -> None:
    assert {one.value for one in Verdict if not panel.deviates(guide, one)} == follow
    assert {one.value for one in Verdict if panel.deviates(guide, one)} == deviate
    id = reviewed(world, *scores)
    assert reviews.panel_of(world.get(id)).guide is guide
    against, along = min(deviate), min(follow)
    with pytest.raises(Invalid) as refused:
        world.decide(id, against)
    assert refused.value.field == "deviation"
    assert str(guide.label) in refused.value.message
    assert world.get(id).status is Status.DECISION_READY
    world.decide(id, against, deviation="The place was promised in March.")
    assert kept_of(id).content["deviation"] == "The place was promised in March."
    assert kept_of(id).content["guide"] == guide.value
    other = reviewed(world, *scores)
    world.decide(other, along, deviation="Not asked for.")
    assert kept_of(other).content["deviation"] is None


def test_without_scores_there_is_nothing_to_deviate_from(world: World) -> None:
    for verdict in ("decline", "waitlist"):
        id = world.at("decision_ready")
        world.decide(id, verdict)
        assert (kept_of(id).content["guide"], kept_of(id).reviews) == (None, None)


def test_no_verdict_is_ever_taken_by_itself(world: World) -> None:
    """C: guide lines, never automatic; however clear the points are, it waits for a person."""
    from collab.inquiries import clockwork

    ids = [reviewed(world, 5, 5), reviewed(world, 1, 1)]
    with time_machine.travel(clock.now() + timedelta(days=200), tick=False):
        for id in ids:
            with unit_of_work():
                clockwork.look(id)
    assert [world.get(id).status for id in ids] == [Status.DECISION_READY] * 2


# -- taken back, replaced ------------------------------------------------------------------------------------------


def state_of(id: int) -> dict[str, Any]:
    """Everything of an inquiry but the counter of its changes."""
    db.session.expire_all()
    inquiry = db.session.get_one(Inquiry, id)
    return {
        column.key: getattr(inquiry, column.key)
        for column in sa.inspect(Inquiry).column_attrs
        if column.key not in {"version", "wake_at"}
    }


@pytest.mark.parametrize("verdict", ["accept", "conditional", "waitlist", "refer", "decline"])
def test_taking_back_restores_exactly(world: World, verdict: str) -> None:
    id = reviewed(world)
    world.declare(id, world.actor("head"))
    before, counts = state_of(id), world.counts()
    world.decide(id, verdict, deviation="For once.")
    assert state_of(id) != before
    world.do(reviews.take_back, id, by=world.actor("head"))
    after = state_of(id)
    assert {name: (before[name], after[name]) for name in before if before[name] != after[name]} == {}
    assert world.counts() == counts == world.real_counts()
    assert reviews.standing_decision(world.get(id)) is None
    shown = reviews.record_of(world.get(id), seen_by=world.actor("head"))
    assert shown.decision.taken_back_at is not None
    assert shown.letter_state is MailState.CANCELLED
    assert record.is_whole(shown.kept)


def test_a_later_decision_replaces_the_record_and_keeps_it(world: World) -> None:
    id = reviewed(world)
    world.decide(id, "waitlist", deviation="No place this spring.", because="First.")
    world.end_hold(id)
    world.decide(id, "accept", because="Second.")
    head = world.actor("head")
    first, second = (reviews.record_of(world.get(id), number, seen_by=head) for number in (1, 2))
    assert (first.content["because"], second.content["because"]) == ("First.", "Second.")
    assert first.decision.superseded_at is not None
    assert second.decision.superseded_at is None
    assert reviews.record_of(world.get(id), seen_by=head).number == 2
    for number in (0, 3):
        with pytest.raises(NotFound):
            reviews.record_of(world.get(id), number, seen_by=head)
    world.do(reviews.take_back, id, by=head)
    again = reviews.record_of(world.get(id), 1, seen_by=head)
    assert again.decision.superseded_at is None


# -- retention and erasure -----------------------------------------------------------------------------------------


def test_b9_scores_go_after_twelve_months_and_the_rest_stays(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = reviewed(world)
        world.decide(id, "accept")
    seal = record.seal_of(kept_of(id))
    with time_machine.travel(MONDAY + timedelta(days=300), tick=False):
        retain()
        assert kept_of(id).reviews is not None
    with time_machine.travel(MONDAY + timedelta(days=366), tick=False):
        retain()
    kept = kept_of(id)
    assert (kept.reviews, kept.points, kept.cut_at is not None) == (None, None, True)
    assert kept.content["because"] == "Fits the group's plan."
    assert record.seal_of(kept) == seal
    assert record.is_whole(kept)
    assert db.session.query(Opinion).filter_by(inquiry_id=id).count() == 0


def test_erasing_the_person_leaves_what_was_decided_and_when(world: World) -> None:
    id = reviewed(world, full_name="Ingrid Beispiel", title="A title of hers", comment="Ingrid is known.")
    world.decide(id, "decline", because="Ingrid has no lab.", deviation="Ingrid said so.")
    world.end_hold(id)
    world.do(privacy.erase, id, by=world.actor("coordinator"))
    kept = kept_of(id)
    everything = str([kept.content, kept.reviews, kept.points])
    for gone in ("Ingrid", "A title of hers", "Looked up.", LETTER[:12], "known"):
        assert gone not in everything
    assert (kept.content["verdict"], kept.content["reference"]) == ("decline", world.get(id).reference)
    assert kept.content["at"]
    assert db.session.get_one(Decision, kept.decision_id).deviation == "–"
    shown = reviews.record_of(world.get(id), seen_by=world.actor("head"))
    assert shown.kept.erased_at is not None


# -- two at once ---------------------------------------------------------------------------------------------------


def test_a57_f11_twenty_heads_decide_and_one_record_is_kept(app: Flask, world: World) -> None:
    heads = [world.actor("head", name=f"Head {n}") for n in range(20)]
    id = reviewed(world)
    for head in heads:
        world.declare(id, head)
    version = world.get(id).version
    db.session.rollback()

    def decide(n: int) -> None:
        reviews.decide(
            world.get(id),
            Verdict.ACCEPT,
            because=f"Said by {n}.",
            letter=LETTER,
            by=heads[n],
            version=version,
        )

    results = at_once(app, [lambda n=n: decide(n) for n in range(20)])
    refused = [one for one in results if isinstance(one, Exception)]
    assert len(refused) == 19
    assert all(isinstance(one, Conflict) and "Accepted, by Head" in one.message for one in refused), refused
    assert db.session.query(Decision).filter_by(inquiry_id=id).count() == 1
    assert db.session.query(DecisionRecord).count() == 1
    assert [one for one in world.topics(id) if one == "M5"] == ["M5"]
    winner = kept_of(id).content
    assert winner["because"] == f"Said by {winner['by'].removeprefix('Head ')}."
