"""Handing reviews in, and what follows: the head's turn, a third reader, the light path; drafts; many at once."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from collab import reviews
from collab.accounts import Actor, MailKind, Wish, mail_choices
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid
from collab.departments import Track
from collab.inquiries import HostAnswer, Status
from collab.inquiries.models import LightPath
from collab.reviews import Content, Mark, Opinion, OpinionDraft, Recommendation, Rubric, rubrics
from tests.support.crowd import at_once
from tests.support.reviewing import marks
from tests.support.world import World, other_department


def readers(world: World, number: int = 2) -> list[Actor]:
    return [world.actor("reviewer", name=f"Reader {n}") for n in range(1, number + 1)]


def asked(world: World, reviewers: Sequence[Actor], track: str = "cooperation") -> int:
    """In review, with these reviewers asked."""
    id = world.received(track)
    world.route(id)
    for one in reviewers:
        ask(world, id, one)
    return id


def ask(world: World, id: int, one: Actor) -> None:
    world.route(id, one, kind="reviewer")
    world.declare(id, one)


def give(world: World, id: int, by: Actor, *values: int | None, **given: Any) -> None:
    world.do(
        reviews.give_opinion,
        id,
        Recommendation.ACCEPT,
        **{"because": "Sound.", "scores": marks(*values), "by": by, **given},
    )


def status(world: World, id: int) -> Status:
    return world.get(id).status


# -- to the head by itself -------------------------------------------------------------------------------------------


def test_with_the_last_answer_it_goes_to_the_head(world: World) -> None:
    one, other = readers(world)
    world.actor("head")
    for last in range(4):
        id = asked(world, [one, other])
        steps = [
            lambda id=id: give(world, id, one, 4),
            lambda id=id: give(world, id, other, 4),
            lambda id=id: world.clear(id),
            lambda id=id: world.host_says(id),
        ]
        for step in steps[last + 1 :] + steps[:last]:
            step()
            assert status(world, id) is Status.IN_REVIEW
        steps[last]()
        if status(world, id) is not Status.DECISION_READY:  # the last answer was given by a lower room's verb
            with unit_of_work():
                inquiry = world.get(id)
                reviews.go_on(inquiry, by=one)
        assert status(world, id) is Status.DECISION_READY, last
        assert world.kinds(id)[-1] == "ready"
        assert world.topics(id, "staff")[-1] == "S4"


def test_what_is_missing_is_said(world: World) -> None:
    one, other = readers(world)
    id = asked(world, [one])
    said = reviews.waits_for(world.get(id))
    assert said[:3] == [
        "The host has not answered yet.",
        "A reviewer has not answered yet: Reader 1.",
        "2 more reviews are needed.",
    ]
    give(world, id, one, 4)
    world.host_says(id)
    world.clear(id)
    assert reviews.waits_for(world.get(id)) == ["One more review is needed."]
    ask(world, id, other)
    give(world, id, other, 1)
    assert reviews.waits_for(world.get(id)) == ["The reviews are far apart: a third reader is needed."]


def test_a_host_who_says_no_keeps_it_with_the_coordinator(world: World) -> None:
    one, other = readers(world)
    id = asked(world, [one, other])
    world.clear(id)
    give(world, id, one, 4)
    give(world, id, other, 4)
    world.host_says(id, "no")
    assert status(world, id) is Status.IN_REVIEW
    assert "The host said no." in reviews.waits_for(world.get(id))


def test_whoever_was_taken_off_does_not_count(world: World) -> None:
    one, other = readers(world)
    id = asked(world, [one, other])
    give(world, id, one, 5)
    give(world, id, other, 5)
    world.do(
        lambda inquiry, **given: reviews.release(
            inquiry, next(a for a in inquiry.assignments if a.user_id == other.user_id), **given
        ),
        id,
        by=world.actor("coordinator"),
    )
    panel = reviews.panel_of(world.get(id))
    assert [(sheet.reviewer, sheet.counts) for sheet in panel.sheets] == [
        ("Reader 1", True),
        ("Reader 2", False),
    ]
    assert panel.missing == 1


def test_releasing_the_one_who_never_answered_may_be_the_last_step(world: World) -> None:
    one, other, third = readers(world, 3)
    id = asked(world, [one, other, third])
    give(world, id, one, 4)
    give(world, id, other, 4)
    world.host_says(id)
    world.clear(id)
    assert status(world, id) is Status.IN_REVIEW
    world.do(
        lambda inquiry, **given: reviews.release(
            inquiry, next(a for a in inquiry.assignments if a.user_id == third.user_id), **given
        ),
        id,
        by=world.actor("coordinator"),
    )
    assert status(world, id) is Status.DECISION_READY


# -- a third reader --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"), [((4, 4, 4, 4, 4), (3, 3, 3, 3, 3)), ((5, 4, 3, 4, 2), (5, 4, 3, 4, 5))]
)
def test_reviews_that_are_apart_want_a_third_reader(
    world: World, first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    one, other, third = readers(world, 3)
    coordinator = world.actor("coordinator")
    with unit_of_work():
        mail_choices.set_wishes(
            world.user(coordinator),
            {MailKind.ANSWERS: Wish.AT_ONCE, MailKind.NEW: Wish.AT_ONCE},
            by=coordinator,
        )
    id = asked(world, [one, other])
    world.clear(id)
    world.host_says(id)
    give(world, id, one, *first)
    give(world, id, other, *second)
    assert status(world, id) is Status.IN_REVIEW
    assert world.kinds(id)[-1] == "third_reader"
    mail = world.mails(id, "staff")[-1]
    assert "far apart" in mail.body_text
    assert "Reader" not in mail.body_text
    give(world, id, other, *second[:-1], second[-1], because="The same, in other words.")
    assert world.kinds(id).count("third_reader") == 1  # said once
    ask(world, id, third)
    give(world, id, third, 3)
    assert status(world, id) is Status.DECISION_READY


def test_near_reviews_want_nobody_else(world: World) -> None:
    one, other = readers(world)
    id = asked(world, [one, other])
    world.clear(id)
    world.host_says(id)
    give(world, id, one, 4)
    give(world, id, other, 4, 4, 4, 4, 2)
    assert status(world, id) is Status.DECISION_READY
    assert "third_reader" not in world.kinds(id)


# -- the light path --------------------------------------------------------------------------------------------------


def test_the_light_path_needs_the_host_alone(world: World) -> None:
    id = world.received("visit")
    world.route(id)
    world.do(reviews.take_path, id, LightPath.DAY_VISIT, by=world.actor("coordinator"))
    world.clear(id)
    assert reviews.waits_for(world.get(id)) == ["The host has not answered yet."]
    world.declare(id, world.actor("host"))
    world.do(reviews.host_answers, id, HostAnswer.YES, by=world.actor("host"))
    assert status(world, id) is Status.DECISION_READY
    assert "light" in world.kinds(id)


def test_only_a_coordinator_chooses_the_path_and_only_before_the_decision(world: World) -> None:
    id = world.at("in_review")
    for role in ("head", "host", "reviewer", "viewer"):
        with pytest.raises(Forbidden):
            world.do(reviews.take_path, id, LightPath.MEETING, by=world.actor(role))
    ready = world.at("decision_ready")
    with pytest.raises(Conflict):
        world.do(reviews.take_path, ready, LightPath.MEETING, by=world.actor("coordinator"))
    world.do(reviews.take_path, id, LightPath.MEETING, by=world.actor("coordinator"))
    before = world.kinds(id)
    world.do(reviews.take_path, id, LightPath.MEETING, by=world.actor("coordinator"))
    assert world.kinds(id) == before
    world.do(reviews.take_path, id, None, by=world.actor("coordinator"))
    assert world.get(id).light is None


def test_a_review_on_the_light_path_has_no_scores(world: World) -> None:
    (one,) = readers(world, 1)
    id = asked(world, [one])
    world.do(reviews.take_path, id, LightPath.QUESTION, by=world.actor("coordinator"))
    world.do(reviews.give_opinion, id, Recommendation.ACCEPT, because="Yes.", by=one)
    (sheet,) = reviews.panel_of(world.get(id)).sheets
    assert (sheet.lines, sheet.mean, sheet.rubric) == ((), None, None)


# -- what a review must have -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scores",
    [None, {}, {"value": Mark(4)}, {**marks(4), "value": Mark(0)}, {**marks(4), "value": Mark(6)}],
)
def test_every_criterion_is_answered_with_a_number_of_the_scale(world: World, scores: Any) -> None:
    (one,) = readers(world, 1)
    id = asked(world, [one])
    with pytest.raises(Invalid) as refused:
        give(world, id, one, scores=scores)
    assert refused.value.field.startswith("mark_")
    assert db.session.query(Opinion).count() == 0


def test_scores_for_what_the_rubric_does_not_have_are_not_kept(world: World) -> None:
    (one,) = readers(world, 1)
    id = asked(world, [one])
    give(world, id, one, scores={**marks(4), "goals": Mark(5)})
    opinion = db.session.query(Opinion).one()
    assert opinion.scores is not None
    assert "goals" not in opinion.scores


def test_a10_nobody_writes_for_another_and_nobody_after_the_decision(world: World) -> None:
    one, other = readers(world)
    id = asked(world, [one])
    for stranger in (other, world.actor("coordinator"), world.actor("head"), world.actor("host")):
        with pytest.raises(Forbidden):
            give(world, id, stranger, 4)
        with pytest.raises(Forbidden):
            world.do(reviews.save_draft, id, Content(because="x"), by=stranger, revision=0)
    give(world, id, one, 4)
    world.host_says(id)
    world.clear(id)
    world.ready(id)
    for _again in range(2):
        before = world.stored()
        with pytest.raises(Conflict):
            give(world, id, one, 1)
        with pytest.raises(Conflict):
            world.do(reviews.save_draft, id, Content(because="x"), by=one, revision=1)
        assert world.stored() == before
        if status(world, id) is Status.DECISION_READY:
            world.decide(id, "accept")


def test_the_same_again_is_no_change(world: World) -> None:
    (one,) = readers(world, 1)
    id = asked(world, [one])
    give(world, id, one, 4)
    give(world, id, one, 4)
    assert world.kinds(id).count("opinion") == 1
    assert "opinion_changed" not in world.kinds(id)
    give(world, id, one, 3)
    assert world.kinds(id).count("opinion_changed") == 1
    opinion = db.session.query(Opinion).one()
    assert [kept["scores"]["fit"]["value"] for kept in opinion.earlier or []] == [4]


def test_the_history_says_nothing_of_what_a_review_says(world: World) -> None:
    """Other reviewers read the history."""
    from collab.inquiries.models import InquiryEvent

    one, other = readers(world)
    id = asked(world, [one, other])
    give(world, id, one, 2, because="A secret reason.")
    give(world, id, one, 1, because="Another secret reason.")
    events = db.session.query(InquiryEvent).filter_by(inquiry_id=id).all()
    told = [(event.note, event.data) for event in events if event.kind.startswith("opinion")]
    assert told == [(None, None), (None, None)]


# -- drafts ----------------------------------------------------------------------------------------------------------


def test_a_draft_counts_each_saving_and_refuses_an_older_page(world: World) -> None:
    (one,) = readers(world, 1)
    id = asked(world, [one])
    world.do(reviews.save_draft, id, Content(because="First"), by=one, revision=0)
    world.do(reviews.save_draft, id, Content(because="First"), by=one, revision=0)  # sent twice
    world.do(reviews.save_draft, id, Content(because="Second"), by=one, revision=1)
    with pytest.raises(Conflict, match="from another page"):
        world.do(reviews.save_draft, id, Content(because="Old page"), by=one, revision=1)
    with pytest.raises(Conflict, match="from another page"):
        give(world, id, one, 4, revision=1)
    give(world, id, one, 4, revision=2)
    with pytest.raises(Conflict, match="from another page"):  # a page that was open when it was handed in
        world.do(reviews.save_draft, id, Content(because="Late"), by=one, revision=2)
    draft = reviews.draft_of(world.get(id), one)
    assert draft is not None
    assert (draft.is_open, draft.content, draft.revision) == (False, {}, 3)


def test_a_rubric_that_changed_under_an_open_page_is_noticed(world: World) -> None:
    (one,) = readers(world, 1)
    id = asked(world, [one])
    content = rubrics.general()[Track.COOPERATION]
    head = world.actor("head")
    with unit_of_work():
        rubrics.activate(world.department, Track.COOPERATION, content, seen=0, by=head)
    with pytest.raises(Conflict, match="criteria changed"):
        give(world, id, one, 4, rubric=1)
    give(world, id, one, 4, rubric=2)


def test_a_department_brings_its_own_first_rubrics(world: World, tmp_path: Path) -> None:
    import yaml

    from collab import departments
    from collab.accounts import COMMAND

    own = rubrics.general()[Track.VISIT].model_dump(mode="json")
    own["criteria"][0]["name"]["en"] = "What one comes to learn here"
    elsewhere = other_department(tmp_path / "another")
    path = tmp_path / "another" / "department.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["review"] = {"rubrics": {"visit": own}, "reviewers": 1, "accept_from": 80}
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    with unit_of_work():
        departments.import_department(path.parent, by=COMMAND)
    changed = departments.by_id(elsewhere.id)
    assert rubrics.criteria_of(changed, Track.VISIT, None)[0].name.en == "What one comes to learn here"
    assert rubrics.criteria_of(changed, Track.TRAINING, None) == rubrics.general()[Track.TRAINING].criteria
    assert (changed.settings.review.reviewers, changed.settings.review.accept_from) == (1, 80)


# -- many at once ----------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a57_twenty_hand_in_the_same_review(app: Flask, world: World) -> None:
    one, other = readers(world)
    world.actor("head")
    id = asked(world, [one, other])
    world.host_says(id)
    world.clear(id)
    give(world, id, other, 4)
    db.session.rollback()

    def hand_in() -> int:
        return reviews.give_opinion(
            world.get(id), Recommendation.ACCEPT, because="Sound.", scores=marks(4), by=one
        ).id

    results = at_once(app, [hand_in] * 20)
    done = [one for one in results if isinstance(one, int)]
    assert len(set(done)) == 1, Counter(repr(one) for one in results)
    assert all(isinstance(one, int | Conflict) for one in results), results
    assert db.session.query(Opinion).filter_by(user_id=one.user_id).count() == 1
    assert Counter(world.kinds(id))["opinion"] == 2
    assert Counter(world.kinds(id))["ready"] == 1
    assert world.topics(id, "staff").count("S4") == 1


@pytest.mark.both_databases
def test_a57_twenty_pages_save_the_same_draft(app: Flask, world: World) -> None:
    (one,) = readers(world, 1)
    id = asked(world, [one])
    db.session.rollback()

    def save(text: str) -> int:
        return reviews.save_draft(world.get(id), Content(because=text), by=one, revision=0).revision

    assert set(at_once(app, [lambda: save("Same")] * 20)) == {1}
    assert db.session.query(OpinionDraft).one().revision == 1
    results = at_once(app, [lambda n=n: reviews.save_draft(
        world.get(id), Content(because=f"Page {n}"), by=one, revision=1
    ).revision for n in range(20)])  # fmt: skip
    assert results.count(2) == 1
    assert sum(isinstance(one, Conflict) for one in results) == 19


@pytest.mark.both_databases
def test_a57_twenty_heads_change_a_rubric(app: Flask, world: World) -> None:
    heads = [world.actor("head", name=f"Head {n}") for n in range(20)]
    content = rubrics.general()[Track.VISIT]
    department_id = world.department_id
    db.session.rollback()

    def change(n: int) -> int:
        from collab.departments import Department

        department = db.session.get_one(Department, department_id)
        return rubrics.activate(department, Track.VISIT, content, seen=0, by=heads[n]).number

    results = at_once(app, [lambda n=n: change(n) for n in range(20)])
    assert sum(isinstance(one, int) for one in results) == 1, Counter(repr(one) for one in results)
    assert sum(isinstance(one, Conflict) for one in results) == 19
    assert [one.number for one in db.session.query(Rubric).order_by(Rubric.number)] == [1, 2]


@pytest.mark.both_databases
def test_the_first_reviews_of_twenty_inquiries_write_the_rubric_down_once(app: Flask, world: World) -> None:
    people = readers(world, 4)
    pairs = [(asked(world, [one]), one) for one in people for _n in range(2)]
    db.session.rollback()

    def hand_in(id: int, by: Actor) -> int:
        return reviews.give_opinion(
            world.get(id), Recommendation.ACCEPT, because="So.", scores=marks(4), by=by
        ).id

    results = at_once(app, [lambda id=id, by=by: hand_in(id, by) for id, by in pairs])
    assert all(isinstance(one, int) for one in results), results
    assert db.session.query(Rubric).count() == 1
