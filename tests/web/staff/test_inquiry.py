"""The page of one inquiry: what it says in each state and language, to whom, and that hostile texts are inert."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from collab import inquiries
from collab.core.db import db
from collab.inquiries import Inquiry
from tests.support import html
from tests.support.browser import fits
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.world import World

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)><svg/onload=alert(3)>{{7*7}}'
STATUSES = [
    "unconfirmed", "received", "needs_info", "in_review", "decision_ready", "waitlisted", "conditional", "accepted",
    "referred", "declined", "withdrawn", "lapsed", "void",
]  # fmt: skip


def stored(address: str) -> Inquiry:
    return db.session.query(Inquiry).filter_by(reference=address.rpartition("/")[2]).one()


@pytest.mark.parametrize("status", STATUSES)
def test_the_page_in_every_state_and_language(
    at: Callable[..., str], staff: Callable[..., Staff], status: str
) -> None:
    address = at(status)
    for locale in ("en", "zh"):
        for roles in (("coordinator",), ("head",), ("coordinator", "head")):
            page = staff(*roles, locale=locale).page(address)
            primary = [one for one in page.iter() if "btn-primary" in (one.get("class") or "")]
            assert len(primary) <= 1


@pytest.mark.parametrize("track", ["cooperation", "visit", "training"])
def test_all_answers_are_read_in_words(at: Callable[..., str], coordinator: Staff, track: str) -> None:
    address = at("received", track=track)
    text = html.text_of(coordinator.page(address))
    expected = {
        "cooperation": ["Joint project", "University", "We label two ligands"],
        "visit": [
            "Visiting scholar",
            "12",
            "International Atomic Energy Agency",
            "September 2027",
            "I would like to learn",
        ],
        "training": ["Master's degree, completed", "China Scholarship Council", "硕士已毕业"],
    }[track]
    for words in expected:
        assert words in text
    for code in ("joint_project", "visiting_scholar", "master_completed", "2027-09", "iaea"):
        assert code not in text


def test_letters_and_notes_look_different(world: World, at: Callable[..., str], coordinator: Staff) -> None:
    address = at("received")
    id = stored(address).id
    world.do(inquiries.note, id, "Only among us.", by=world.actor("coordinator"))
    world.do(inquiries.write, id, "To the partner.", by=world.actor("coordinator"))
    world.answer(id, "From the partner.")
    entries = {
        (one.get("class") or "").removeprefix("msg "): html.text_of(one)
        for one in coordinator.page(address).iter("article")
    }
    assert "Only among us." in entries["memo"]
    assert "Staff only" in entries["memo"]
    assert "To the partner." in entries["out"]
    assert "From the partner." in entries["in"]


def test_hostile_texts_are_inert_on_the_page_and_its_steps(
    world: World, at: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    address = at(
        "received", title=HOSTILE[:140], full_name=HOSTILE, institution_name=HOSTILE, summary=HOSTILE * 2
    )
    id = stored(address).id
    world.do(inquiries.note, id, HOSTILE, by=world.actor("coordinator"))
    world.answer(id, HOSTILE)
    member = staff("coordinator", "head")
    for page in ("", "/ask", "/route", "/refer", "/decline", "/join", "/conflict", "/note"):
        text = member.get(f"{address}{page}").text
        for tag in ("<script>alert", "<img", "<svg/onload"):
            assert tag not in text, page
    assert "{{7*7}}" in member.get(address).text
    shown = member.fill(
        f"{address}/decline", _form="facts", _button="preview", reason="out_of_scope", note=HOSTILE
    )
    assert "<script>alert" not in shown.text


def test_hostile_texts_run_nothing_in_a_browser(
    world: World, at: Callable[..., str], coordinator: Staff, page: Page, server: Server
) -> None:
    address = at(
        "received", title=HOSTILE[:140], full_name=HOSTILE, institution_name=HOSTILE, summary=HOSTILE * 2
    )
    world.answer(stored(address).id, HOSTILE)
    opened: list[str] = []
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    enter(page, coordinator, server)
    for path in (address, "/staff/", "/staff/inquiries", f"{address}/decline", "/staff/outbox"):
        page.goto(path)
        handlers = "[...document.querySelectorAll('main *')]"
        handlers += ".filter(e => [...e.attributes].some(a => a.name.startsWith('on')))"
        assert page.evaluate(f"{handlers}.length") == 0
        assert (
            page.evaluate("document.querySelectorAll('main script, main svg[onload], main img').length") == 0
        )
    assert opened == []


def enter(page: Page, member: Staff, server: Server) -> None:
    """Let the browser be signed in as a member of staff."""
    page.context.add_cookies(
        [
            {"name": cookie.key, "value": cookie.value, "url": server.url}
            for cookie in member._cookies.values()  # type: ignore[attr-defined]
        ]
    )


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_fit_and_read_well(
    world: World,
    at: Callable[..., str],
    staff: Callable[..., Staff],
    page: Page,
    server: Server,
    axe: Callable[[Page], None],
    locale: str,
    width: int,
) -> None:
    member = staff("coordinator", "head", locale=locale)
    received, ready, conditional = at("received"), at("decision_ready"), at("conditional")
    page.set_viewport_size({"width": width, "height": 900})
    enter(page, member, server)
    paths = [
        "/staff/", "/staff/inquiries", "/staff/inquiries?q=ligands&country=DE", "/staff/outbox", "/staff/outbox/1",
        received, ready, conditional, f"{received}/route", f"{received}/ask", f"{received}/refer", f"{ready}/decide",
        f"{ready}/ask",
    ]  # fmt: skip
    for path in paths:
        page.goto(path)
        axe(page)
        fits(page)


def test_the_decision_form_shows_what_the_choice_needs(
    at: Callable[..., str], head: Staff, page: Page, server: Server
) -> None:
    address = at("decision_ready")
    enter(page, head, server)
    page.goto(f"{address}/decide")
    parts = page.locator("[data-for]")
    assert [parts.nth(i).is_visible() for i in range(parts.count())] == [False] * 4
    page.check("input[value=waitlist]")
    assert page.locator("[name=period]").is_visible()
    assert not page.locator("[name=office]").is_visible()


@pytest.mark.no_javascript
def test_the_decision_form_is_whole_without_script(
    at: Callable[..., str], head: Staff, page: Page, server: Server
) -> None:
    address = at("decision_ready")
    enter(page, head, server)
    page.goto(f"{address}/decide")
    for name in ("period", "office", "decline_reason", "conditions-0-text"):
        assert page.locator(f"[name={name}]").is_visible()
