"""Two inquiries of one person: seen on arrival, looked at side by side, joined, written to, and apart again."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from collab.core.db import db
from collab.departments import Department
from collab.inquiries import Inquiry, Status
from tests.support.browser import axe, fits
from tests.support.client import Client
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.world import World

Make = Callable[..., Staff]
Opener = Callable[..., BrowserContext]
#: A loaded machine may take its time.
PATIENT = 60_000
WIDE = {"viewport": {"width": 1280, "height": 900}}
TELEPHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
TEXT = (
    "We label two receptor ligands in our own laboratory and would like to compare their distribution with yours "
    "under one protocol. Our group has a licence until 2028, one postdoc and consumables for eighteen months."
)


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def opened(open_context: Opener, server: Server, client: Client, **options: object) -> Page:
    """A browser in which this person is signed in."""
    context = open_context(**options)
    context.add_cookies(
        [{"name": one.key, "value": one.value, "url": server.url} for one in client._cookies.values()]
    )
    page = context.new_page()
    page.set_default_timeout(PATIENT)
    return page


@pytest.mark.parametrize("screen", [WIDE, TELEPHONE], ids=["1280", "390"])
def test_a_merge_undone(
    app: Flask,
    world: World,
    staff: Make,
    partner: Callable[..., Client],
    server: Server,
    open_context: Opener,
    screen: dict[str, object],
) -> None:
    first = world.received(email="erika@example.org", title="Two ligands compared", summary=TEXT)
    second = world.received(
        email="erika@example.org", title="Two ligands compared (resent)", summary=f"Did it arrive? {TEXT}"
    )
    original, twin = world.get(first).reference, world.get(second).reference
    mine = partner(world.get(second))
    page = opened(open_context, server, staff("coordinator", name="Carla"), **screen)
    page.goto(f"/staff/inquiries/{twin}")
    alike = page.get_by_role("region", name="Likely from the same")
    expect(alike).to_contain_text("same address")
    expect(alike).to_contain_text("alike")
    fits(page)
    axe(page)
    alike.get_by_role("link", name=re.compile(rf"Compare and join ?: {original}")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Join {twin} and {original}")
    fits(page)
    axe(page)
    page.get_by_label(f"{original} goes on").check()
    page.get_by_role("button", name="Join the two").click()
    expect(page.get_by_role("heading", name=f"Merged from {twin}")).to_be_visible()
    fits(page)
    # The partner's page under the other number is the same page, and a letter written there comes to the one thread.
    own = f"/en/my/{twin}"
    assert f"Your inquiry {original}" in mine.get(own).text
    assert mine.fill(own, _form="answer", body="Written to the second number.").status_code == 303
    page.reload()
    expect(page.get_by_text("Written to the second number.")).to_be_visible()
    page.get_by_role("link", name="Take apart again").click()
    page.get_by_role("button", name="Take apart", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("(resent)")
    page.goto(f"/staff/inquiries/{original}")
    expect(page.get_by_text("1 letter that came since stays here")).to_be_visible()
    expect(page.get_by_text("Written to the second number.")).to_be_visible()
    axe(page)
    db.session.rollback()
    rows = {one.reference: one for one in db.session.query(Inquiry)}
    assert (rows[twin].status, rows[twin].merged_into_id) == (Status.RECEIVED, None)
    assert "Written to the second number." not in mine.get(own).text
    assert f"Your inquiry {twin}" in mine.get(own).text
