"""A head decides ready cases one after the other in a browser; takes one back within the hold; reads the record."""

import io
import re
from collections.abc import Callable

import pypdf
import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from collab import reviews
from collab.core.db import db
from collab.departments import Department
from collab.inquiries import Inquiry, Message, Status
from collab.mail import MailState
from collab.web import pdf
from tests.support.browser import axe, fits
from tests.support.client import Client
from tests.support.deciding import reviewed
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.world import World

Make = Callable[..., Staff]
Opener = Callable[..., BrowserContext]
#: A loaded machine may take its time.
PATIENT = 90_000
TELEPHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def opened(open_context: Opener, server: Server, client: Client, **options: object) -> Page:
    """A browser with a member of staff signed in."""
    context = open_context(**options)
    context.add_cookies(
        [{"name": one.key, "value": one.value, "url": server.url} for one in client._cookies.values()]
    )
    page = context.new_page()
    page.set_default_timeout(PATIENT)
    expect.set_options(timeout=PATIENT)
    return page


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def ready(world: World, head: Staff, *scores: int, title: str) -> int:
    id = reviewed(world, *scores, title=title, comment="Has data.")
    world.declare(id, head.actor)
    return id


def test_one_after_the_other_and_one_taken_back_within_the_hold(
    app: Flask, world: World, staff: Make, server: Server, open_context: Opener
) -> None:
    head = staff("head", name="Hao")
    ids = [ready(world, head, *scores, title=title) for scores, title in (((5, 4), "One"), ((2, 2), "Two"))]
    page = opened(open_context, server, head)
    page.goto("/staff/decide")
    axe(page)
    page.get_by_role("link", name="Decide one after the other").click()
    expect(page.get_by_text("1 of 2")).to_be_visible()
    axe(page)
    page.get_by_role("radio", name="Accept", exact=True).check()
    expect(page.get_by_label("Why you decide otherwise")).to_be_hidden()
    page.get_by_label("Why, in one sentence").fill("The question matters to both sides.")
    page.get_by_role("button", name="Go on to the letter").click()
    expect(page.get_by_role("heading", name="Decide: the letter")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Confirm and send the letter").click()
    expect(page.get_by_text("2 of 2")).to_be_visible()

    # The second deviates from the guide line, and is asked why.
    page.get_by_role("radio", name="Accept", exact=True).check()
    page.get_by_label("Why, in one sentence").fill("We promised it last year.")
    expect(page.get_by_label("Why you decide otherwise")).to_be_visible()
    page.get_by_role("button", name="Go on to the letter").click()
    expect(page.get_by_role("heading", name="Please look at these points again")).to_be_visible()
    axe(page)
    page.get_by_label("Why you decide otherwise").fill("The letter of March 2026 says so.")
    page.get_by_role("button", name="Go on to the letter").click()
    page.get_by_role("button", name="Confirm and send the letter").click()
    expect(page.get_by_role("heading", name="Ready to decide: 0")).to_be_visible()
    db.session.rollback()
    assert [world.get(id).status for id in ids] == [Status.ACCEPTED] * 2

    # Taken back: it stands where it stood, no mail went out, the record is marked.
    before = {"due_at": world.get(ids[1]).due_at, "reference": world.get(ids[1]).reference}
    page.goto(f"/staff/inquiries/{before['reference']}")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Taken back. No mail went out.")).to_be_visible()
    page.get_by_role("link", name="Record of a decision").first.click()
    expect(page.get_by_text("The letter was never sent, and nobody outside saw it.")).to_be_visible()
    expect(page.get_by_text("The letter of March 2026 says so.")).to_be_visible()
    axe(page)
    db.session.rollback()
    inquiry = db.session.get_one(Inquiry, ids[1])
    assert (inquiry.status, inquiry.held_until) == (Status.DECISION_READY, None)
    assert reviews.standing_decision(inquiry) is None
    assert [one.state for one in world.mails(ids[1], "partner") if one.topic == "M5"] == [MailState.CANCELLED]
    (letter,) = [
        one for one in db.session.query(Message).filter_by(inquiry_id=ids[1]) if not one.from_partner
    ]
    assert letter.taken_back_at is not None
    page.goto("/staff/decide")
    expect(page.get_by_role("heading", name="Ready to decide: 1")).to_be_visible()
    # On paper it is two pages, and not the cards of a telephone.
    page.goto(f"/staff/inquiries/{before['reference']}/record")
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert len(printed.pages) == 2
    assert round(float(printed.pages[0].mediabox.height) / 72 * 25.4) == 297
    if pdf.available():
        page.goto(f"/staff/inquiries/{before['reference']}/record")
        with page.expect_download() as download:
            page.get_by_role("link", name="Save as PDF").click()
        content = download.value.path().read_bytes()
        text = "".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(content)).pages)
        assert "We promised it last year." in text


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_on_a_telephone_in_both_languages(
    world: World, staff: Make, server: Server, open_context: Opener, locale: str
) -> None:
    head = staff("head", name="Hao", locale=locale)
    id = ready(world, head, 5, 3, title="Comparing two receptor binding assays on shared reference samples")
    done = ready(world, head, 4, 4, title="另一项来函")
    world.decide(done, "conditional", by=head.actor)
    page = opened(open_context, server, head, **TELEPHONE)
    for path in (
        "/staff/decide",
        f"/staff/inquiries/{world.get(id).reference}/decide",
        f"/staff/inquiries/{world.get(done).reference}/record",
    ):
        page.goto(path)
        fits(page)
        axe(page)


@pytest.mark.no_javascript
def test_without_script_every_field_is_there(
    world: World, staff: Make, server: Server, open_context: Opener
) -> None:
    head = staff("head", name="Hao")
    id = ready(world, head, 2, 2, title="One")
    page = opened(open_context, server, head, java_script_enabled=False)
    page.goto(f"/staff/inquiries/{world.get(id).reference}/decide")
    for label in ("Condition 1", "Period without a place", "Office", "Reason for declining"):
        expect(page.get_by_label(label, exact=True)).to_be_visible()
    expect(page.get_by_label("Why you decide otherwise")).to_be_visible()
    page.get_by_role("radio", name="Accept with conditions").check()
    page.get_by_role("button", name="One more condition").click()
    expect(page.get_by_label("Condition 4", exact=True)).to_be_visible()
    expect(page.get_by_role("radio", name="Accept with conditions")).to_be_checked()
    assert re.search(r"/decide#conditions$", page.url)
