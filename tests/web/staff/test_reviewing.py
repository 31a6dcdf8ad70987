"""The reviewer's page: scores, comments, drafts that only their author reads, and who reads what when."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from collab import reviews
from collab.core.db import db, unit_of_work
from collab.departments import Department, Track
from collab.inquiries import Inquiry, Status
from collab.reviews import Opinion, OpinionDraft, rubrics
from tests.support import html
from tests.support.forms import choose, forms_of
from tests.support.people import Staff
from tests.support.reviewing import marks
from tests.support.world import World

CODES = [one.code for one in rubrics.general()[Track.COOPERATION].criteria]
FULL: dict[str, str] = {f"mark_{code}": "4" for code in CODES}
#: A page opened earlier stays open: no time passes backwards in between.
AT_ONCE = timedelta()
WORDS = {"recommendation": "accept", "because": "Sound, and new to us."}


@pytest.fixture
def asked(world: World, at: Callable[..., str], staff: Callable[..., Staff]) -> tuple[str, Staff, Staff]:
    """An inquiry in review, and its two reviewers."""
    address = at("in_review")
    both = staff("reviewer", name="First"), staff("reviewer", name="Second")
    for one in both:
        world.route(found(world, address).id, one.actor, kind="reviewer")
    return address, *both


def found(_world: World, address: str) -> Inquiry:
    return db.session.query(Inquiry).filter_by(reference=address.rpartition("/")[2]).one()


def test_a_review_is_handed_in_with_scores_comments_and_a_sentence(
    world: World, asked: tuple[str, Staff, Staff]
) -> None:
    address, first, _second = asked
    page = html.text_of(first.page(f"{address}/review"))
    for words in (
        "Scientific or clinical value", "weight 30 of 100", "The question matters to both sides and is new",
        "Sound, a small step forward", "Unclear, or already done", "Cannot judge", "What the partner asks",
    ):  # fmt: skip
        assert words in page
    answer = first.fill(
        f"{address}/review",
        **FULL | {"mark_value": "5", "mark_record": "unknown"},
        **WORDS,
        comment_value="A question nobody has asked.",
    )
    assert answer.status_code == 303
    opinion = db.session.query(Opinion).one()
    assert opinion.scores is not None
    assert opinion.scores["value"] == {"value": 5, "comment": "A question nobody has asked."}
    assert opinion.scores["record"] == {"value": None, "comment": ""}
    assert opinion.rubric is not None
    assert (opinion.rubric.number, opinion.rubric.track) == (1, Track.COOPERATION)
    assert [one.answered_at is not None for one in found(world, address).assignments][1:] == [True, False]
    shown = html.text_of(first.page(address))
    assert "A question nobody has asked." in shown
    assert "4.33" in shown  # (5*30 + 4*25 + 4*20 + 4*15) / 90


def test_what_is_missing_stands_at_every_field_and_nothing_typed_is_lost(
    world: World, asked: tuple[str, Staff, Staff]
) -> None:
    address, first, _second = asked
    answer = first.fill(f"{address}/review", mark_fit="2", comment_fit="Why us?")
    assert answer.status_code == 422
    page = answer.text
    for field in (
        "mark_value",
        "mark_feasibility",
        "mark_fairness",
        "mark_record",
        "recommendation",
        "because",
    ):
        assert f'id="{field}-error"' in page, field
    assert 'id="mark_fit-error"' not in page
    assert "Why us?" in page
    assert re.search(r'<input checked id="mark_fit-1"', page)
    assert db.session.query(Opinion).count() == 0
    assert (
        first.answer(answer, **{k: v for k, v in FULL.items() if k != "mark_fit"}, **WORDS).status_code == 303
    )
    scores = db.session.query(Opinion).one().scores
    assert scores is not None
    assert scores["fit"] == {"value": 2, "comment": "Why us?"}


def test_without_script_a_button_keeps_it_for_later(world: World, asked: tuple[str, Staff, Staff]) -> None:
    address, first, second = asked
    version = found(world, address).version
    answer = first.fill(
        f"{address}/review",
        mark_value="3",
        comment_value="To read again.",
        because="Hm",
        _button="Save for later",
    )
    assert (answer.status_code, answer.location) == (303, f"{address}/review")
    assert found(world, address).version == version  # nobody else is disturbed
    form = first.form(f"{address}/review", form="review")
    assert (form.value("mark_value"), form.value("comment_value"), form.value("because")) == (
        "3", "To read again.", "Hm",
    )  # fmt: skip
    assert form.value("revision") == "1"
    assert "To read again." not in second.get(f"{address}/review").text
    assert db.session.query(Opinion).count() == 0


def test_the_page_keeps_it_by_itself(world: World, asked: tuple[str, Staff, Staff]) -> None:
    address, first, _second = asked
    held = first.form(f"{address}/review", form="review")
    data = {
        "csrf_token": held.value("csrf_token"), "version": held.value("version"), "revision": "0", "rubric": "1",
        "mark_value": "2", "because": "Begun",
    }  # fmt: skip
    answer = first.post(f"{address}/review/draft", data=data)
    assert answer.status_code == 200
    assert answer.json["revision"] == 1
    assert re.fullmatch(r"Saved \d\d:\d\d\. Only you can read it\.", answer.json["said"])
    again = first.post(f"{address}/review/draft", data=data)  # the first answer was lost on the way
    assert (again.status_code, again.json["revision"]) == (200, 1)
    other = first.post(f"{address}/review/draft", data={**data, "because": "From the other page"})
    assert other.status_code == 409
    assert "from another page" in other.json["said"]
    too_long = first.post(f"{address}/review/draft", data={**data, "revision": "1", "because": "x" * 4001})
    assert too_long.status_code == 422
    (draft,) = db.session.query(OpinionDraft).all()
    assert (draft.revision, draft.content["because"], draft.content["marks"]) == (1, "Begun", {"value": "2"})
    unsigned = first.post(f"{address}/review/draft", data={**data, "csrf_token": "x", "revision": "1"})
    assert unsigned.status_code == 400


def test_two_pages_of_one_person_both_keep_their_text(world: World, asked: tuple[str, Staff, Staff]) -> None:
    address, first, _second = asked
    telephone = first.get(f"{address}/review")
    first.fill(
        f"{address}/review", mark_value="5", because="At the desk.", _button="Save for later", _typing=AT_ONCE
    )
    answer = first.answer(
        telephone, mark_value="2", because="On the telephone.", comment_value="Mine.", _button="Save for later",
        _form="review",
    )  # fmt: skip
    assert answer.status_code == 409
    shown = html.text_of(html.parse(answer.text))
    assert "Saved from the other page: 5" in shown
    assert "Saved from the other page: At the desk." in shown
    assert "Saved from the other page: nothing" in shown
    form = choose(forms_of(html.parse(answer.text)), wanted="review", fields={}, button=None)
    assert (form.value("because"), form.value("mark_value")) == ("On the telephone.", "2")
    assert first.answer(answer, _button="Save for later", _form="review").status_code == 303
    assert db.session.query(OpinionDraft).one().content["because"] == "On the telephone."


def test_others_scores_are_read_after_ones_own(
    world: World, asked: tuple[str, Staff, Staff], staff: Callable[..., Staff]
) -> None:
    address, first, second = asked
    host = db.session.get_one(Inquiry, found(world, address).id).assignments[0].user
    secret = "Only for those who have judged."
    first.fill(f"{address}/review", **FULL, recommendation="decline", because=secret)
    for page in (address, f"{address}/review", "/staff/", "/staff/inquiries"):
        text = second.get(page).text
        assert secret not in text, page
        assert "Weighted mean" not in text, page
    assert secret in staff("head").get(address).text
    assert secret in staff("coordinator").get(address).text
    # Whoever is a reviewer reads none before the own one is in, whatever else this person is.
    both = staff("reviewer", "coordinator", name="Third")
    world.route(found(world, address).id, both.actor, kind="reviewer")
    assert secret not in both.get(address).text
    second.fill(f"{address}/review", **FULL, **WORDS)
    assert secret in second.get(address).text
    assert host.id != first.user_id


def test_the_host_neither_scores_nor_reads_scores(
    world: World, at: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    host, reviewer = staff("host", "reviewer", name="Both"), staff("reviewer")
    id = world.received()
    world.route(id, host.actor)
    world.route(id, reviewer.actor, kind="reviewer")
    address = f"/staff/inquiries/{world.get(id).reference}"
    reviewer.fill(f"{address}/review", **FULL, recommendation="decline", because="Not for the host.")
    assert "Not for the host." not in host.get(address).text
    assert host.get(f"{address}/review").status_code == 403
    token = host.form(f"{address}/answer-as-host", form="step").value("csrf_token")
    data = {**FULL, **WORDS, "csrf_token": token, "version": "1", "revision": "0", "rubric": "1"}
    assert host.post(f"{address}/review", data=data).status_code == 403
    assert host.post(f"{address}/review/draft", data=data).status_code == 403
    assert db.session.query(Opinion).count() == 1


def test_a_review_is_changed_while_in_review_and_not_after(
    world: World, asked: tuple[str, Staff, Staff]
) -> None:
    address, first, _second = asked
    id = found(world, address).id
    first.fill(f"{address}/review", **FULL, **WORDS)
    late = first.get(f"{address}/review")
    again = first.fill(f"{address}/review", mark_value="1", because="On second thoughts.", _typing=AT_ONCE)
    assert again.status_code == 303
    opinion = db.session.query(Opinion).one()
    assert opinion.earlier is not None
    assert (opinion.because, opinion.earlier[0]["because"]) == ("On second thoughts.", WORDS["because"])
    assert opinion.earlier[0]["scores"]["value"]["value"] == 4
    kinds = world.kinds(id)
    assert (kinds.count("opinion"), kinds.count("opinion_changed")) == (1, 1)
    assert "Reviewer changed the review" in html.text_of(first.page(address))
    world.host_says(id)
    world.ready(id)
    before = world.stored()
    assert first.get(f"{address}/review").status_code == 409
    answer = first.answer(late, because="Too late.", _form="review")
    assert answer.status_code == 409
    assert "Too late." in answer.text
    assert world.stored() == before


@pytest.mark.parametrize(
    "forged", [{"user_id": "1"}, {"status": "accepted"}, {"mark_fit": "6"}, {"mark_fit": "4.5"}]
)
def test_a07_what_the_form_does_not_offer_is_ignored_or_refused(
    world: World, asked: tuple[str, Staff, Staff], forged: dict[str, str]
) -> None:
    address, first, second = asked
    given = {name: value for name, value in FULL.items() if name not in forged}
    answer = first.fill(f"{address}/review", **given, **WORDS, _forged=forged)
    assert answer.status_code == (422 if "mark_fit" in forged else 303)
    assert found(world, address).status is Status.IN_REVIEW
    assert db.session.query(Opinion).filter_by(user_id=second.user_id).count() == 0


def test_the_light_path_asks_for_no_scores(
    world: World, asked: tuple[str, Staff, Staff], staff: Callable[..., Staff]
) -> None:
    address, first, _second = asked
    assert staff("head").get(f"{address}/light").status_code == 403
    assert staff("coordinator").fill(f"{address}/light", light="question").status_code == 303
    assert found(world, address).light == "question"
    page = html.text_of(first.page(f"{address}/review"))
    assert "Light path: no scores are asked for." in page
    assert "weight 30 of 100" not in page
    world.host_says(found(world, address).id)
    db.session.rollback()
    with unit_of_work():
        reviews.go_on(found(world, address), by=world.actor("coordinator"))
    assert found(world, address).status is Status.DECISION_READY


def test_marking_ready_by_hand_says_what_is_missing_and_asks_why(
    world: World, asked: tuple[str, Staff, Staff], staff: Callable[..., Staff]
) -> None:
    address, _first, _second = asked
    id = found(world, address).id
    world.host_says(id)
    coordinator = staff("coordinator")
    page = html.text_of(coordinator.page(f"{address}/ready"))
    assert "A reviewer has not answered yet: First." in page
    assert "2 more reviews are needed." in page
    assert coordinator.fill(f"{address}/ready", note="").status_code == 422
    assert coordinator.fill(f"{address}/ready", note="Both are away until May.").status_code == 303
    assert found(world, address).status is Status.DECISION_READY
    assert "Both are away until May." in coordinator.get(address).text


def test_others_pages_cost_the_same_with_three_reviews(
    world: World, asked: tuple[str, Staff, Staff], department: Department, staff: Callable[..., Staff]
) -> None:
    from tests.support.statements import queries, statements

    address, first, second = asked
    head = staff("head")

    def cost() -> int:
        head.get(address)
        with statements(db.engine) as seen:
            assert head.get(address).status_code == 200
        return len(queries(seen))

    reviewers: list[Any] = [first.actor, second.actor]
    costs = []
    for one in reviewers:
        world.do(
            reviews.give_opinion, found(world, address).id, reviews.Recommendation.ACCEPT, because="So.",
            scores=marks(), by=one,
        )  # fmt: skip
        costs.append(cost())
    assert costs[0] == costs[1]
    assert costs[0] <= 15
