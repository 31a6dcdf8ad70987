"""A coordinator's morning without a mouse: sixty inquiries routed, asked about and set aside by keys alone."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from collab.core.db import db
from collab.inquiries import Inquiry, Status
from tests.journeys.people import sign_in
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.world import World

ROUTED, ASKED, SPAM = 25, 15, 20


def to_field(page: Page, name: str) -> None:
    """Go on with Tab until a field has the focus."""
    for _ in range(30):
        if page.evaluate("document.activeElement.name") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {name}")


def leave(page: Page, keys: str) -> None:
    """Press keys that lead to another page."""
    with page.expect_navigation():
        page.keyboard.press(keys)


def counts() -> dict[Status, int]:
    db.session.rollback()
    rows = db.session.execute(sa.select(Inquiry.status, sa.func.count()).group_by(Inquiry.status))
    return {row[0]: row[1] for row in rows}


@pytest.mark.settings(submissions_per_network=1000)
def test_sixty_are_triaged_by_keys_alone(
    app: Flask,
    page: Page,
    server: Server,
    staff: Callable[..., Staff],
    department: object,
) -> None:
    world = World(department)  # type: ignore[arg-type]
    coordinator = staff("coordinator", signed_in=False)
    host = staff("host", name="Hanna Host", signed_in=False)
    for number in range(ROUTED + ASKED + SPAM):
        world.received(
            title=f"Inquiry number {number}",
            full_name=f"Partner {number}",
            institution_name=f"University {number}",
        )
    sign_in(page, coordinator)

    page.keyboard.press("g")
    leave(page, "q")
    # The newest twenty are no inquiries at all: ticked row by row, set aside in one go.
    for _ in range(SPAM):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator("#ticked")).to_have_text(f"{SPAM} chosen")
    leave(page, "v")
    to_field(page, "reason")
    page.keyboard.type("Spam")
    leave(page, "Control+Enter")
    expect(page.locator("main [role=status]").first).to_contain_text(f"Done for {SPAM} inquiries")
    leave(page, "u")

    # Back in the queue its first row has the focus.
    leave(page, "Enter")
    for number in range(ROUTED + ASKED):
        if number < ROUTED:
            leave(page, "r")
            to_field(page, "person")
            page.keyboard.type("Hanna")
        else:
            leave(page, "a")
            to_field(page, "question")
            page.keyboard.type("Which ligands?")
        leave(page, "Control+Shift+Enter")
        assert page.locator(".errors").count() == 0, page.locator("main").inner_text()
    expect(page).to_have_url(f"{server.url}/staff/inquiries")

    assert counts() == {Status.IN_REVIEW: ROUTED, Status.NEEDS_INFO: ASKED, Status.VOID: SPAM}
    assert {one.user_id for one in db.session.get_one(Inquiry, 1).assignments} <= {host.user_id}


def test_the_keys_are_listed_and_can_be_switched_off(
    page: Page, staff: Callable[..., Staff], axe: Callable[[Page], None]
) -> None:
    sign_in(page, staff("coordinator", signed_in=False))
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Set aside as spam or test")
    axe(page)
    dialog.get_by_label("Use single keys in this browser").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("?")
    page.keyboard.press("g")
    page.keyboard.press("q")
    expect(dialog).to_be_hidden()
    expect(page).not_to_have_url("**/staff/inquiries")


def test_a_key_never_acts_while_one_types(
    page: Page, staff: Callable[..., Staff], department: object
) -> None:
    world = World(department)  # type: ignore[arg-type]
    id = world.received()
    sign_in(page, staff("coordinator", signed_in=False))
    page.goto(f"/staff/inquiries/{world.get(id).reference}")
    page.keyboard.press("e")
    page.keyboard.type("ask a host and route it?")
    expect(page.locator("#note")).to_have_value("ask a host and route it?")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_two_people_at_one_inquiry_see_each_other(
    page: Page,
    staff: Callable[..., Staff],
    open_context: Callable[..., BrowserContext],
    department: object,
) -> None:
    world = World(department)  # type: ignore[arg-type]
    address = f"/staff/inquiries/{world.get(world.received()).reference}"
    sign_in(page, staff("coordinator", name="Ada First", signed_in=False))
    page.goto(address)
    other = open_context().new_page()
    sign_in(other, staff("coordinator", name="Ben Second", signed_in=False))
    other.goto(address)
    expect(other.locator("[data-presence]")).to_contain_text("Also has it open: Ada First.")
    other.locator("#note").fill("I am at it.")
    page.reload()
    expect(page.locator("[data-presence]")).to_contain_text("Ben Second", timeout=40_000)
    other.close()
    page.reload()
    expect(page.locator("[data-presence]")).to_be_hidden(timeout=60_000)
