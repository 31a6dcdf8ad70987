"""The head's pages: the list of what is ready, one inquiry with all that a decision rests on, one after the other."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from collab import reviews
from collab.core.db import db, unit_of_work
from collab.inquiries import Inquiry, Status
from collab.reviews import Decision, DecisionRecord, GateState
from tests.support import html
from tests.support.deciding import reviewed
from tests.support.forms import choose, forms_of
from tests.support.people import Staff
from tests.support.statements import queries, statements
from tests.support.world import World

AT_ONCE = timedelta(0)


@pytest.fixture
def ready(world: World, head: Staff) -> Callable[..., str]:
    """The address of an inquiry with its reviews, on which the head has declared to have no interest."""

    def ready(*scores: int | None, **given: Any) -> str:
        id = reviewed(world, *scores, **given)
        world.declare(id, head.actor)
        return f"/staff/inquiries/{world.get(id).reference}"

    return ready


def stored(address: str) -> Inquiry:
    reference = address.partition("?")[0].removesuffix("/decide").rpartition("/")[2]
    return db.session.query(Inquiry).filter_by(reference=reference).one()


def decided(head: Staff, address: str, **facts: Any) -> Any:
    """Through both pages; the answer to the second."""
    path, _sign, query = address.partition("?")
    given = {"verdict": "accept", "because": "Fits the plan."} | facts
    shown = head.fill(
        f"{path}{'?' if query else ''}{query}", _form="facts", _button="preview", _typing=AT_ONCE, **given
    )
    assert shown.status_code == 200, html.text_of(html.parse(shown.text))
    return head.answer(shown, _form="send", _button="send")


# -- the page ------------------------------------------------------------------------------------------------------


def test_the_page_shows_what_the_decision_rests_on(
    world: World, ready: Callable[..., str], head: Staff
) -> None:
    earlier = reviewed(world, 5, 5, title="Receptor binding assays compared")
    world.decide(earlier, "accept", because="Nobody has asked this before.")
    address = ready(5, 4, None, title="Receptor binding assays, again", comment="Has data.")
    page = html.text_of(head.page(f"{address}/decide"))
    for words in (
        "Receptor binding assays, again", "Reviewer 1", "Reviewer 3", "Has data.", "Weighted mean, 1 to 5",
        "87.5", "from 75.0 to 100.0", "5 times", "Propose accepting", "a guide line, not a decision",
        "70 points and more propose accepting, under 50 declining", "yes", "Cleared",
        "No period is asked for.", "Receptor binding assays compared", "Nobody has asked this before.",
        "100.0 points",
    ):  # fmt: skip
        assert words in page, words


def test_room_is_a_number_only_where_places_are_set(
    world: World, ready: Callable[..., str], head: Staff
) -> None:
    def visit(**given: Any) -> int:
        return reviewed(world, track="visit", preferred_start="2027-03", duration_weeks=8, **given)

    world.decide(visit(), "accept")
    elsewhere = world.department.settings.areas[1].code
    world.decide(visit(area=elsewhere), "conditional")
    world.decide(reviewed(world, track="visit", preferred_start="2027-09", duration_weeks=4), "accept")
    address = ready(track="visit", preferred_start="2027-04", duration_weeks=4)
    page = html.text_of(head.page(f"{address}/decide"))
    assert "Asked for: Thu 1 Apr 2027 to Wed 28 Apr 2027." in page
    assert "1 inquiry of this area is agreed for that time." in page
    assert "How many places there are is not set for this area." in page
    with unit_of_work():
        department = world.department
        content = department.settings.as_json()
        areas = [one["code"] for one in content["areas"][:2]]
        room = {"code": "hall", "name": {"en": "The hall", "zh": "大厅"}, "areas": areas, "places": 2}
        department.content, department.content_digest = {**content, "places": [room]}, "e" * 64
    page = html.text_of(head.page(f"{address}/decide"))
    assert "The hall: 2 agreed for that time, 2 places." in page
    assert "is not set" not in page


def test_a_blocked_gate_takes_accepting_off_the_page_and_says_why(
    world: World, ready: Callable[..., str], head: Staff
) -> None:
    address = ready()
    inquiry = stored(address)
    gate = next(one for one in reviews.gates_of(inquiry) if one.state is not GateState.NOT_NEEDED)
    opened = head.get(f"{address}/decide")  # before it was blocked
    world.clear(inquiry.id, "blocked", only=gate.kind)
    form = head.form(f"{address}/decide", form="facts")
    assert set(form.choices("verdict")) == {"waitlist", "refer", "decline"}
    text = html.text_of(head.page(f"{address}/decide"))
    assert "Blocked: " in text
    assert "Not offered until then: Accept, Accept with conditions." in text
    shown = head.answer(opened, _form="facts", _button="preview", verdict="accept", because="Fits.")
    refused = head.answer(shown, _form="send", _button="send")
    assert refused.status_code == 409
    assert "Blocked: " in html.text_of(html.parse(refused.text))
    assert stored(address).status is Status.DECISION_READY


def test_deviating_from_the_guide_line_asks_for_the_reason_at_its_field(
    ready: Callable[..., str], head: Staff
) -> None:
    address = ready(2, 2)
    form = {"verdict": "accept", "because": "We promised."}
    refused = head.fill(f"{address}/decide", _form="facts", _button="preview", **form)
    assert refused.status_code == 422
    assert "The guide line is “Propose declining”. Say why you decide otherwise." in refused.text
    assert 'href="#deviation"' in refused.text
    shown = head.answer(refused, _form="facts", _button="preview", deviation="Promised in writing in 2025.")
    assert shown.status_code == 200
    assert head.answer(shown, _form="send", _button="send").status_code == 303
    decision = db.session.query(Decision).one()
    assert (decision.verdict, decision.deviation) == ("accept", "Promised in writing in 2025.")
    page = html.text_of(head.page(f"{address}/record"))
    assert "Promised in writing in 2025." in page
    # Along the guide line nothing of the kind is asked.
    other = ready(4, 4)
    assert decided(head, f"{other}/decide").status_code == 303


def test_conditions_are_added_row_by_row_without_script(
    world: World, ready: Callable[..., str], head: Staff
) -> None:
    address = ready()
    day = (world.today + timedelta(days=30)).isoformat()
    first = head.fill(
        f"{address}/decide",
        _form="facts",
        _button="more",
        verdict="conditional",
        because="Once signed.",
        **{"conditions-0-text": "One", "conditions-0-due_on": day},
    )
    assert first.status_code == 200
    form = choose(forms_of(html.parse(first.text)), wanted="facts", fields={}, button=None)
    assert "conditions-3-text" in form.names
    assert form.value("conditions-0-text") == "One"
    for _ in range(10):
        first = head.answer(first, _form="facts", _button="more")
        if 'name="more"' not in first.text:
            break
    form = choose(forms_of(html.parse(first.text)), wanted="facts", fields={}, button=None)
    assert "conditions-11-text" in form.names
    assert "conditions-12-text" not in form.names
    shown = head.answer(
        first,
        _form="facts",
        _button="preview",
        **{"conditions-11-text": "Twelve", "conditions-11-due_on": day, "conditions-11-owner": "department"},
    )
    assert head.answer(shown, _form="send", _button="send").status_code == 303
    conditions = reviews.conditions_of(stored(address))
    assert [(one.text, one.owner.value) for one in conditions] == [
        ("One", "partner"),
        ("Twelve", "department"),
    ]


# -- who -----------------------------------------------------------------------------------------------------------


def test_a04_only_heads_open_the_list_and_only_who_sees_all_the_record(
    world: World, ready: Callable[..., str], head: Staff, staff: Callable[..., Staff], client: Any
) -> None:
    address = ready()
    decided(head, f"{address}/decide")
    host = staff("host")
    assert client.get("/staff/decide").status_code == 303
    assert client.get(f"{address}/record").status_code == 303
    for roles, listed, recorded in (
        (("head",), 200, 200),
        (("coordinator",), 403, 200),
        (("reviewer",), 403, 403),
        (("compliance",), 403, 403),
        (("viewer",), 403, 403),
        (("admin",), 403, 403),
    ):
        member = staff(*roles)
        assert member.get("/staff/decide").status_code == listed, roles
        for page in ("record", "record.pdf"):
            assert member.get(f"{address}/{page}").status_code == recorded, (roles, page)
    assert host.get(f"{address}/record").status_code == 403


def test_a01_a_record_of_another_department_is_like_one_that_is_not_there(
    world: World, ready: Callable[..., str], head: Staff, staff: Callable[..., Staff], tmp_path: Any
) -> None:
    from tests.support.world import other_department

    address = ready()
    decided(head, f"{address}/decide")
    elsewhere = other_department(tmp_path / "another")
    actor = world.actor("head", name="Elsewhere", department_id=elsewhere.id)
    assert reviews.ready(actor) == []
    assert reviews.still_ready(actor, [stored(address).reference]) == set()
    missing = head.get("/staff/inquiries/NM-2026-9999/record")
    assert missing.status_code == 404
    assert head.get(f"{address}/record?number=7").status_code == 404
    assert head.get(f"{address}/record?number=x").status_code == 404


def test_a_conflict_closes_list_page_and_record(
    world: World, ready: Callable[..., str], head: Staff, staff: Callable[..., Staff]
) -> None:
    from collab.inquiries import triage

    other = staff("head", name="Has an interest")
    address, second = ready(title="Closed to one"), ready(title="Another")
    third = ready(title="Decided before")
    decided(head, f"{third}/decide", because="A sentence nobody closed out may read.")
    for one in (address, third):
        world.do(triage.declare_conflict, stored(one).id, by=other.actor)
    page = html.text_of(other.page("/staff/decide"))
    assert "Closed to one" not in page
    assert "Ready to decide: 1" in page
    assert other.get(f"{address}/decide").status_code == 404
    assert other.get(f"{third}/record").status_code == 404
    assert other.get(f"{third}/record.pdf").status_code == 404
    world.declare(stored(second).id, other.actor)
    similar = html.text_of(other.page(f"{second}/decide"))
    assert "Decided before" not in similar
    assert "nobody closed out" not in similar


def test_who_reviews_it_again_reads_no_scores_in_the_record_before_his_own(
    world: World, ready: Callable[..., str], head: Staff, staff: Callable[..., Staff]
) -> None:
    from collab.inquiries import triage

    address = ready(comment="A comment to be kept from him.")
    decided(head, f"{address}/decide", verdict="decline", decline_reason="out_of_scope", deviation="No room.")
    id = stored(address).id
    world.end_hold(id)
    world.do(triage.reopen, id, because="New facts.", by=world.actor("coordinator"))
    both = staff("coordinator", "reviewer", name="Both")
    assert "A comment to be kept from him." in html.text_of(both.page(f"{address}/record"))
    world.route(id, world.actor("host", name="Another host"))
    world.route(id, both.actor, kind="reviewer")
    text = html.text_of(both.page(f"{address}/record"))
    assert "A comment to be kept from him." not in text
    assert "You are asked for a review of this inquiry" in text


# -- the list and the round ----------------------------------------------------------------------------------------


def test_the_list_is_in_the_order_of_due_dates_or_of_points(
    world: World, ready: Callable[..., str], head: Staff
) -> None:
    first, second, third = ready(3, 4, title="First"), ready(5, 4, title="Second"), ready(3, 3, title="Third")
    with unit_of_work():
        for days, address in enumerate((second, third, first)):
            inquiry = stored(address)
            inquiry.due_at = inquiry.submitted_at + timedelta(days=days + 1)
    page = head.page("/staff/decide")
    text = html.text_of(page)
    assert [one.group() for one in re.finditer("First|Second|Third", text)] == ["Second", "Third", "First"]
    for words in (
        "Ready to decide: 3",
        "87.5",
        "75.0 – 100.0",
        "Propose accepting",
        "Discuss, or waiting list",
    ):
        assert words in text
    text = html.text_of(head.page("/staff/decide?sort=points"))
    order = [one.group() for one in re.finditer("First|Second|Third", text.partition("Inquiry")[2])]
    assert order == ["Second", "First", "Third"]


def test_equal_points_go_by_the_earlier_confirmation_then_by_the_area_with_fewer_visits(
    world: World, ready: Callable[..., str], head: Staff
) -> None:
    areas = [one.code for one in world.department.settings.areas[:2]]
    world.decide(reviewed(world, track="visit", area=areas[0]), "accept")
    busy, calm, early = (
        stored(ready(title="Busy", track="visit", area=areas[0])).id,
        stored(ready(title="Calm", track="visit", area=areas[1])).id,
        stored(ready(title="Early", track="visit", area=areas[0])).id,
    )
    with unit_of_work():
        moment = world.get(busy).confirmed_at
        world.get(calm).confirmed_at = moment
        world.get(early).confirmed_at = moment - timedelta(days=1)  # type: ignore[operator]
    found = reviews.ready(head.actor, by="points")
    assert [one.inquiry.id for one in found] == [early, calm, busy]


def test_what_somebody_else_has_to_decide_stands_apart(
    world: World, ready: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    both = staff("head", "reviewer", name="Also reviews")
    ready(title="Reviewed by me", reviewers=(both.actor, world.actor("reviewer", name="Reviewer 2")))
    text = html.text_of(both.page("/staff/decide"))
    assert "Ready to decide: 0" in text
    assert "Ready, but not yours to decide" in text
    assert "You are a reviewer of this inquiry; somebody else has to decide." in text


def test_one_after_the_other_with_skip_and_back(ready: Callable[..., str], head: Staff) -> None:
    addresses = [ready(title=f"Case {n}") for n in range(4)]
    page = head.page("/staff/decide")
    start = next(
        one.get("href") or "" for one in page.iter("a") if html.text_of(one) == "Decide one after the other"
    )
    text = html.text_of(head.page(start))
    assert "1 of 4" in text
    done = decided(head, start)
    assert done.status_code == 303
    second = done.location
    text = html.text_of(head.page(second))
    assert "2 of 4" in text
    assert "is decided. Its letter is held for a while" in text
    skip = _link(head, second, "next")
    assert "3 of 4" in html.text_of(head.page(skip))
    assert _link(head, skip, "prev") == second
    done = decided(head, skip)
    assert "4 of 4" in html.text_of(head.page(done.location))
    done = decided(head, done.location)
    assert done.location == "/staff/decide"
    left = html.text_of(head.page("/staff/decide"))
    assert "Ready to decide: 1" in left
    statuses = [stored(one).status for one in addresses]
    assert sorted(statuses) == ["accepted", "accepted", "accepted", "decision_ready"]


def _link(head: Staff, address: str, rel: str) -> str:
    page = head.page(address)
    return next(one.get("href") or "" for one in page.iter("a") if one.get("rel") == rel)


def test_f11_a_conflict_on_one_loses_neither_the_others_nor_the_text(
    world: World, ready: Callable[..., str], head: Staff
) -> None:
    first, second = ready(title="One"), ready(title="Two")
    whole = ".".join(stored(one).reference for one in (first, second))
    here = f"{first}/decide?round={whole}"
    shown = head.fill(
        here, _form="facts", _button="preview", _typing=AT_ONCE, verdict="accept", because="Fits the plan."
    )
    world.decide(stored(first).id, "accept", because="Somebody was first.")
    refused = head.answer(shown, _form="send", _button="send")
    assert refused.status_code == 409
    text = html.text_of(html.parse(refused.text))
    assert "Nothing of yours was done" in text
    assert "1 of 2" in text
    onward = next(
        one.get("href") or "" for one in html.parse(refused.text).iter("a") if one.get("rel") == "next"
    )
    assert second in onward
    assert decided(head, onward).status_code == 303
    assert db.session.query(Decision).count() == 2
    assert db.session.query(DecisionRecord).count() == 2
    # Coming to one that is decided by now leads on, too.
    gone = head.get(here)
    assert gone.status_code == 409
    assert 'rel="next"' in gone.text


def test_an_interest_is_declared_on_the_way_and_the_round_goes_on(world: World, head: Staff) -> None:
    ids = [reviewed(world), reviewed(world)]
    references = [world.get(id).reference for id in ids]
    start = f"/staff/inquiries/{references[0]}/decide?round={'.'.join(references)}"
    asked = head.get(start)
    assert asked.status_code == 303
    from collab.inquiries import interests

    no = dict.fromkeys(interests.QUESTIONS, "no")
    answer = head.fill(asked.location, _typing=AT_ONCE, **no)
    assert answer.location == start
    assert "1 of 2" in html.text_of(head.page(start))
    # A yes closes it and leads to the next one.
    asked = head.get(f"/staff/inquiries/{references[1]}/decide?round={'.'.join(references)}")
    answer = head.fill(asked.location, _typing=AT_ONCE, **{**no, "money": "yes"})
    assert answer.status_code == 303
    assert head.get(f"/staff/inquiries/{references[1]}/decide").status_code == 404


def test_a_round_that_was_made_up_is_none(ready: Callable[..., str], head: Staff) -> None:
    address = ready()
    for made_up in ("x", "NM-1.NM-2", "<script>", "NM-2026-0777.NM-2026-0778", "." * 500):
        page = head.get(f"{address}/decide", query_string={"round": made_up})
        assert page.status_code == 200
        assert 'class="round"' not in page.text


# -- what it costs -------------------------------------------------------------------------------------------------


@pytest.mark.one_database
def test_the_list_takes_as_many_queries_for_one_as_for_thirty(
    world: World, ready: Callable[..., str], head: Staff
) -> None:
    def count(address: str) -> int:
        with statements(db.engine) as found:
            head.page(address)
        return len(queries(found))

    ready()
    for address in ("/staff/decide", "/staff/decide?sort=points"):
        count(address)
    few = [count("/staff/decide"), count("/staff/decide?sort=points")]
    for _ in range(6):
        ready(4, 5, 3)
    assert [count("/staff/decide"), count("/staff/decide?sort=points")] == few
    assert max(few) <= 8, few


@pytest.mark.one_database
def test_a_page_of_a_round_looks_for_the_next_one_once(
    world: World, ready: Callable[..., str], head: Staff
) -> None:
    first, second = ready(title="One"), ready(title="Two")
    whole = ".".join(stored(one).reference for one in (first, second))
    with statements(db.engine) as alone:
        head.page(f"{first}/decide")
    with statements(db.engine) as found:
        assert _link(head, f"{first}/decide?round={whole}", "next").startswith(f"{second}/decide")
    assert len(queries(found)) == len(queries(alone)) + 1


@pytest.mark.one_database
def test_the_page_costs_the_same_however_much_was_decided_before(
    world: World, ready: Callable[..., str], head: Staff
) -> None:
    def count() -> int:
        with statements(db.engine) as found:
            head.page(f"{address}/decide")
        return len(queries(found))

    address = ready(title="The one")
    world.decide(reviewed(world, title="Before"), "accept")
    count()
    few = count()
    for n in range(5):
        world.decide(reviewed(world, 4, 5, 3, title=f"Before {n}"), "accept")
    assert count() == few
    assert few <= 18


def test_a09_a_head_who_owes_a_review_reads_no_points_before(
    world: World, staff: Callable[..., Staff]
) -> None:
    both = staff("head", "reviewer")
    id = reviewed(world, 5, 4, title="Mine to judge")
    with unit_of_work():
        world.get(id).status = Status.IN_REVIEW
    world.route(id, both.actor, kind="reviewer")
    with unit_of_work():
        world.get(id).status = Status.DECISION_READY
    other = reviewed(world, 3, 3, title="Another one")
    page = html.text_of(both.page("/staff/decide?sort=points"))
    assert "87.5" not in page
    assert "hidden until your review is in" in page
    assert "50.0" in page
    assert "87.5" in html.text_of(staff("head").page("/staff/decide"))
    (mine, theirs) = sorted(reviews.ready(both.actor), key=lambda one: one.inquiry.id)
    assert (mine.hidden, mine.panel.mean, mine.panel.guide) == (True, None, None)
    assert (theirs.inquiry.id, theirs.hidden) == (other, False)
    # Decided by somebody else meanwhile: neither its record nor what is like it tells the points.
    world.decide(id, "decline", deviation="The points are not all.")
    record = html.text_of(both.page(f"/staff/inquiries/{world.get(id).reference}/record"))
    for words in ("Propose accepting", "The points are not all.", "87.5"):
        assert words not in record, words
        assert words in html.text_of(staff("head").page(f"/staff/inquiries/{world.get(id).reference}/record"))
    (like,) = reviews.similar_decisions(world.get(other), None, seen_by=both.actor)
    assert like.points is None
    (like,) = reviews.similar_decisions(world.get(other), None, seen_by=world.actor("head"))
    assert like.points == 87.5
