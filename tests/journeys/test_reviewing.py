"""A review written on a telephone: kept by itself, found again after the page died, handed in; then two who differ."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, Route, expect

from collab import reviews
from collab.core.db import db
from collab.departments import Department
from collab.inquiries import Inquiry, Status
from collab.reviews import Opinion, OpinionDraft
from tests.support.browser import axe, fits
from tests.support.client import Client
from tests.support.people import Staff
from tests.support.reviewing import marks
from tests.support.server import Server
from tests.support.world import World

Make = Callable[..., Staff]
Opener = Callable[..., BrowserContext]
#: A loaded machine may take its time.
PATIENT = 60_000
TELEPHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def opened(open_context: Opener, server: Server, client: Client, **options: object) -> Page:
    """A browser with a member of staff signed in."""
    context = open_context(**options)
    context.add_cookies(
        [{"name": one.key, "value": one.value, "url": server.url} for one in client._cookies.values()]
    )
    page = context.new_page()
    page.set_default_timeout(PATIENT)
    return page


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def under_review(world: World, *reviewers: Staff) -> tuple[int, str]:
    id = world.received()
    world.route(id)
    for one in reviewers:
        world.route(id, one.actor, kind="reviewer")
        world.declare(id, one.actor)
    return id, f"/staff/inquiries/{world.get(id).reference}"


def test_on_a_telephone_the_page_dies_and_the_text_is_there(
    app: Flask, world: World, staff: Make, server: Server, open_context: Opener
) -> None:
    reviewer = staff("reviewer", name="Rana")
    id, address = under_review(world, reviewer)
    page = opened(open_context, server, reviewer, **TELEPHONE)
    page.goto(f"{address}/review")
    fits(page)
    axe(page)
    status = page.get_by_role("status")
    expect(status).to_have_text("Nothing is saved yet.")
    value = page.get_by_role("radiogroup", name=re.compile("Scientific or clinical value"))
    value.get_by_role("radio", name="5", exact=True).check()
    page.get_by_label("Comment on Scientific or clinical value").fill("Nobody has asked this before.")
    expect(status).to_have_text(re.compile(r"^Saved \d\d:\d\d\. Only you can read it\.$"), timeout=PATIENT)
    page.get_by_label("Why, in a sentence or two").fill("New, and ours to do.")
    kept_until(lambda draft: draft.content.get("because") == "New, and ours to do.", page)
    page.context.close()  # the telephone's battery is empty

    page = opened(open_context, server, reviewer, **TELEPHONE)
    page.goto(f"{address}/review")
    value = page.get_by_role("radiogroup", name=re.compile("Scientific or clinical value"))
    expect(value.get_by_role("radio", name="5", exact=True)).to_be_checked()
    expect(page.get_by_label("Comment on Scientific or clinical value")).to_have_value(
        "Nobody has asked this before."
    )
    expect(page.get_by_label("Why, in a sentence or two")).to_have_value("New, and ours to do.")
    expect(page.get_by_text("Draft, not handed in")).to_be_visible()
    page.get_by_role("button", name="Hand in the review").click()
    expect(page.get_by_role("heading", name="Please look at these points again")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text(re.compile("^Saved"), timeout=PATIENT)
    axe(page)
    for group in page.get_by_role("radiogroup").all():
        if (
            group.get_by_role("radio", checked=True).count() == 0
            and group.get_by_role("radio", name="4").count()
        ):
            group.get_by_role("radio", name="4", exact=True).check()
    page.get_by_label("Accept", exact=True).check()
    page.get_by_role("button", name="Hand in the review").click()
    expect(page.get_by_text("Thank you. Your review is in")).to_be_visible()
    fits(page)
    db.session.rollback()
    opinion = db.session.query(Opinion).filter_by(inquiry_id=id).one()
    assert opinion.scores is not None
    assert opinion.scores["value"] == {"value": 5, "comment": "Nobody has asked this before."}


def kept_until(is_there: Callable[[OpinionDraft], bool], page: Page) -> None:
    """Wait until the draft that is stored holds what was typed."""
    for _ in range(300):
        db.session.rollback()
        draft = db.session.query(OpinionDraft).one_or_none()
        if draft is not None and is_there(draft):
            return
        page.wait_for_timeout(200)
    raise AssertionError("The page did not keep what was typed.")


def test_two_windows_of_one_person_lose_nothing(
    app: Flask, world: World, staff: Make, server: Server, open_context: Opener
) -> None:
    reviewer = staff("reviewer", name="Rana")
    _id, address = under_review(world, reviewer)
    desk, telephone = (
        opened(open_context, server, reviewer),
        opened(open_context, server, reviewer, **TELEPHONE),
    )
    for page in (desk, telephone):
        page.goto(f"{address}/review")
    desk.get_by_label("Why, in a sentence or two").fill("Written at the desk.")
    expect(desk.get_by_role("status")).to_have_text(re.compile("Saved"), timeout=PATIENT)
    with telephone.expect_response(lambda answer: answer.url.endswith("/review/draft")) as told:
        telephone.get_by_label("Why, in a sentence or two").fill("Written on the way.")
    assert told.value.status == 409
    expect(telephone.get_by_role("status")).to_contain_text("from another page")
    telephone.get_by_role("button", name="Save for later").click()
    expect(telephone.get_by_text("Saved from the other page:").first).to_be_visible()
    expect(telephone.get_by_text("Written at the desk.")).to_be_visible()
    expect(telephone.get_by_label("Why, in a sentence or two")).to_have_value("Written on the way.")
    fits(telephone)
    axe(telephone)


def test_a_page_hidden_while_it_saves_goes_on_saving(
    app: Flask, world: World, staff: Make, server: Server, open_context: Opener
) -> None:
    """Somebody looks at another window while the text is on its way: the answer still brings the next revision."""
    reviewer = staff("reviewer", name="Rana")
    _id, address = under_review(world, reviewer)
    page = opened(open_context, server, reviewer)
    held: list[Route] = []
    page.route("**/review/draft", lambda one: one.continue_() if held else held.append(one))
    page.goto(f"{address}/review")
    words = page.get_by_label("Why, in a sentence or two")
    with page.expect_request("**/review/draft"):
        words.fill("Begun")
    words.fill("Begun, and gone on with")
    page.evaluate(
        """() => {
            Object.defineProperty(document, "visibilityState", {value: "hidden", configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    held[0].continue_()
    kept_until(lambda draft: draft.content.get("because") == "Begun, and gone on with", page)
    words.fill("Begun, gone on with, and ended")
    kept_until(lambda draft: draft.content.get("because") == "Begun, gone on with, and ended", page)


@pytest.mark.no_javascript
def test_without_script_the_button_keeps_it(
    app: Flask, world: World, staff: Make, server: Server, page: Page
) -> None:
    reviewer = staff("reviewer", name="Rana")
    _id, address = under_review(world, reviewer)
    page.context.add_cookies(
        [{"name": one.key, "value": one.value, "url": server.url} for one in reviewer._cookies.values()]
    )
    page.goto(f"{address}/review")
    page.get_by_label("Why, in a sentence or two").fill("Slowly, by hand.")
    page.get_by_role("button", name="Save for later").click()
    expect(page.get_by_text("Kept. Only you can read it")).to_be_visible()
    expect(page.get_by_label("Why, in a sentence or two")).to_have_value("Slowly, by hand.")


def test_two_reviewers_differ_and_a_third_decides_nothing_but_completes(
    app: Flask, world: World, staff: Make, server: Server, open_context: Opener
) -> None:
    people = [staff("reviewer", name=name) for name in ("Ada", "Bo", "Cai")]
    id, address = under_review(world, *people[:2])
    world.clear(id)
    world.host_says(id)
    for one, value in zip(people[:2], (5, 2), strict=True):
        world.do(
            reviews.give_opinion,
            id,
            reviews.Recommendation.ACCEPT,
            because="So.",
            scores=marks(value),
            by=one.actor,
        )
    assert world.get(id).status is Status.IN_REVIEW
    coordinator = staff("coordinator")
    page = opened(open_context, server, coordinator)
    page.goto(address)
    expect(page.get_by_text("The reviews are far apart: a third reader is needed.")).to_be_visible()
    expect(page.get_by_role("table", name="Scores by criterion and reviewer")).to_contain_text("5.00")
    fits(page)
    axe(page)
    world.route(id, people[2].actor, kind="reviewer")
    world.declare(id, people[2].actor)
    third = opened(open_context, server, people[2], **TELEPHONE)
    third.goto(f"{address}/review")
    expect(third.get_by_text("So.", exact=True)).to_have_count(0)
    for group in third.get_by_role("radiogroup").all():
        if group.get_by_role("radio", name="Cannot judge").count():
            group.get_by_role("radio", name="3", exact=True).check()
    third.get_by_label("Discuss", exact=True).check()
    third.get_by_label("Why, in a sentence or two").fill("In between.")
    third.get_by_role("button", name="Hand in the review").click()
    expect(third.get_by_text("Thank you. Your review is in")).to_be_visible()
    expect(third.get_by_text("So.", exact=True).first).to_be_visible()
    fits(third)
    db.session.rollback()
    assert db.session.get_one(Inquiry, id).status is Status.DECISION_READY
