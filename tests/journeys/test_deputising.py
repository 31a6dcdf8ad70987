"""On the phone a host says that she is away; the deputy takes over what waits and answers."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from collab.core import clock
from collab.core.db import db
from collab.departments import Department
from collab.inquiries import AssignmentKind
from tests.support.browser import axe, fits
from tests.support.client import Client
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.world import World

Opener = Callable[..., BrowserContext]
PATIENT = 60_000
TELEPHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def opened(open_context: Opener, server: Server, client: Client, **options: object) -> Page:
    """A browser with a member of staff signed in."""
    context = open_context(**options)
    context.add_cookies(
        [{"name": one.key, "value": one.value, "url": server.url} for one in client._cookies.values()]
    )
    page = context.new_page()
    page.set_default_timeout(PATIENT)
    return page


@pytest.mark.settings(password_memory_kib=19456)
def test_away_by_telephone_and_the_deputy_answers(
    server: Server, open_context: Opener, staff: Callable[..., Staff], world: World, department: Department
) -> None:
    ann, ben = staff("host", name="Ann Marshall"), staff("host", name="Ben Okafor")
    id = world.received()
    world.route(id, ann.actor)
    reference = world.get(id).reference
    today = clock.today(department.timezone)

    phone = opened(open_context, server, ann, **TELEPHONE)
    phone.goto(f"{server.url}/staff/account")
    phone.get_by_role("link", name="Absences and deputy").click()
    fits(phone)
    axe(phone)
    phone.get_by_label("First day away").fill(today.isoformat())
    phone.get_by_label("Last day away").fill((today + timedelta(days=8)).isoformat())
    phone.get_by_label("Who deputises").select_option(label="Ben Okafor")
    phone.get_by_role("button", name="Enter").click()
    expect(phone.get_by_text("Ben Okafor deputises.")).to_be_visible()
    fits(phone)
    axe(phone)

    desk = opened(open_context, server, ben)
    desk.goto(f"{server.url}/staff/")
    axe(desk)
    expect(
        desk.get_by_role("heading", name=re.compile("For Ann Marshall, who is away until"))
    ).to_be_visible()
    desk.get_by_role("button", name="Take it over").click()
    desk.wait_for_url("**/interest")
    for no in desk.get_by_role("radio", name="No", exact=True).all():
        no.check()
    desk.get_by_role("button", name="Declare this").click()
    desk.wait_for_url(f"**/{reference}")
    desk.get_by_role("link", name="Answer as host").first.click()
    desk.get_by_label("Yes, my group can take this").check()
    desk.locator("form#step button.btn-primary").click()
    desk.wait_for_url(f"**/{reference}")

    db.session.rollback()
    hosts = [one for one in world.get(id).assignments if one.kind is AssignmentKind.HOST]
    assert [(one.user_id, one.released_at is None, one.answered_at is None) for one in hosts] == [
        (ann.user_id, False, True),
        (ben.user_id, True, False),
    ]

    # The calendar holds on a phone and on paper, and the feed's address can be made there.
    phone.goto(f"{server.url}/staff/calendar?whose=all")
    fits(phone)
    axe(phone)
    phone.goto(f"{server.url}/staff/account/calendar")
    phone.get_by_role("button", name="Make an address").click()
    expect(phone.get_by_label("Address of your calendar")).to_have_value(
        re.compile(r"/feeds/[\w-]{43}\.ics$")
    )
    fits(phone)
    axe(phone)
