"""The search box in a browser: completion by keyboard, the form and the box on a phone, and nothing inaccessible."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import sign_in
from tests.support.browser import fits
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.world import World

WAIT = 60_000


def shot(page: Page, name: str) -> None:
    """A picture to look at, where somebody asks for pictures."""
    folder = os.environ.get("SHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_a_line_is_completed_by_keyboard(
    world: World, server: Server, page: Page, staff: Callable[..., Staff], axe: Callable[[Page], None]
) -> None:
    world.received("visit", title="A visit from afar", country="TZ")
    world.received(title="Another")
    sign_in(page, staff("coordinator", signed_in=False))
    page.goto("/staff/inquiries")
    box = page.get_by_role("combobox", name="Search inquiries")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    expect(box).to_have_attribute("aria-expanded", "false")
    page.keyboard.type("tra")
    options = page.locator(".offers [role=option]")
    expect(options.first).to_contain_text("track:", timeout=WAIT)
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".find-box [role=status]")).to_contain_text("to choose from")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(box).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    shot(page, "completion-1280")
    axe(page)
    page.keyboard.press("Enter")
    expect(box).to_have_value("track:")
    expect(options.first).to_contain_text(
        "cooperation", timeout=WAIT
    )  # what can stand behind it comes at once
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(box).to_have_value("track:visit ")
    page.keyboard.type("coun")
    expect(options.first).to_contain_text("country:", timeout=WAIT)
    page.keyboard.press("Escape")
    expect(options.first).to_be_hidden()
    expect(box).to_have_value("track:visit coun")
    for _letter in "coun":
        page.keyboard.press("Backspace")
    page.keyboard.type("afar")
    with page.expect_navigation():
        page.keyboard.press("Enter")  # nothing is chosen: the line is asked for
    expect(page.locator("a.t")).to_have_count(1)
    expect(box).to_have_value("track:visit afar")
    axe(page)


def test_what_is_not_understood_and_how_a_view_is_kept(
    world: World, server: Server, page: Page, staff: Callable[..., Staff], axe: Callable[[Page], None]
) -> None:
    world.received(title="Here")
    sign_in(page, staff("coordinator", signed_in=False))
    page.goto("/staff/inquiries?q=statsu:open country:Germny Here")
    expect(page.locator("#q-problems")).to_contain_text("at character 1")
    shot(page, "problems-1280")
    axe(page)
    page.get_by_role("link", name="status:open", exact=True).first.click()
    page.get_by_role("link", name="DE", exact=True).click()
    expect(page.locator("#q")).to_have_value("status:open country:DE Here")
    page.get_by_text("What can I write here?").click()
    shot(page, "how-1280")
    axe(page)
    page.get_by_text("Save this view").click()
    page.get_by_label("Name of the view", exact=True).fill("German ones")
    page.get_by_label("Who sees it").select_option(index=1)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("nav.side a[aria-current=page]")).to_have_text("German ones")
    for path, name in (("/staff/", "home"), ("/staff/views", "views")):
        page.goto(path)
        shot(page, f"{name}-1280")
        axe(page)


@pytest.mark.phone
@pytest.mark.parametrize("locale", ["en", "zh"])
def test_on_a_phone(
    world: World,
    server: Server,
    page: Page,
    staff: Callable[..., Staff],
    axe: Callable[[Page], None],
    locale: str,
) -> None:
    world.received(title="Here")
    member = staff("coordinator", signed_in=False, locale=locale)
    sign_in(page, member)
    for name, path in (
        ("queue", "/staff/inquiries"),
        ("problems", "/staff/inquiries?q=状态：已收倒 未读：是 statsu:open"),
        ("form", "/staff/inquiries?q=-country:DE,CN,TZ due:<=7d status:received,in_review ligand"),
        ("home", "/staff/"),
        ("views", "/staff/views"),
    ):
        page.goto(path)
        fits(page)
        shot(page, f"{name}-390-{locale}")
        axe(page)
    page.goto("/staff/inquiries")
    page.locator("#q").fill("status:")
    expect(page.locator(".offers [role=option]").first).to_be_visible(timeout=WAIT)
    fits(page)
    shot(page, f"completion-390-{locale}")
    page.locator(".offers [role=option]").first.click()
    expect(page.locator("#q")).to_have_value("status:open ")


@pytest.mark.no_javascript
def test_without_script_the_box_says_what_can_be_written(
    world: World, server: Server, page: Page, staff: Callable[..., Staff]
) -> None:
    world.received(title="Here")
    sign_in(page, staff("coordinator", signed_in=False))
    page.goto("/staff/inquiries")
    page.get_by_text("What can I write here?").click()
    page.get_by_role("link", name="unread:yes").click()
    expect(page.locator("a.t")).to_have_count(1)
    page.locator("#q").fill("status:open here")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("#q")).to_have_value("status:open here")


def test_chinese_at_1280(
    world: World, server: Server, page: Page, staff: Callable[..., Staff], axe: Callable[[Page], None]
) -> None:
    world.received(title="Here")
    sign_in(page, staff("coordinator", signed_in=False, locale="zh"))
    page.goto("/staff/inquiries?q=状态：处理中")
    box = page.locator("#q")
    expect(box).to_have_value("status:open")
    box.press("End")
    box.type(" 国家：德")
    expect(page.locator(".offers [role=option]").first).to_contain_text("德国", timeout=WAIT)
    shot(page, "completion-1280-zh")
    axe(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("status:open 国家：DE ")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("a.t")).to_have_count(1)
    shot(page, "queue-1280-zh")
