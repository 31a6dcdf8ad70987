"""The public pages in Chromium: the strict policy, phones, no scripts, sharing, print."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from collab.departments import Department

PAGES = (
    "",
    "research",
    "clinical",
    "facilities",
    "team",
    "teaching",
    "cooperate",
    "visit",
    "train",
    "privacy",
)
MORE = ("answers", "about-data", "accessibility", "search?q=thyroid")


def test_no_page_breaks_the_policy_or_overflows_and_axe_finds_nothing(
    department: Department, open_context: Callable[..., BrowserContext], axe: Callable[[Page], None]
) -> None:
    for width in (390, 1280):
        page = open_context(viewport={"width": width, "height": 900}).new_page()
        page.add_init_script(
            "window.violations = [];"
            "document.addEventListener('securitypolicyviolation', e => window.violations.push(e.violatedDirective))"
        )
        for lang in ("en", "zh"):
            for name in (*PAGES, *MORE):
                page.goto(f"/{lang}/{department.slug}/{name}")
                assert page.evaluate("window.violations") == [], name
                assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (
                    lang,
                    name,
                    width,
                )
                if width == 390 and (lang == "en" or name in ("", "clinical", "visit")):
                    axe(page)


@pytest.mark.phone
def test_a_visitor_on_a_phone_finds_a_fact_in_two_clicks_and_switches_the_language(
    department: Department, page: Page
) -> None:
    page.goto(f"/en/{department.slug}/")
    page.get_by_text("Menu", exact=True).click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Clinical work").click()
    assert page.get_by_role("row", name="Bone imaging").get_by_text("250").first.is_visible()
    page.get_by_role("link", name="中文").click()
    assert page.url.endswith(f"/zh/{department.slug}/clinical")
    assert page.get_by_role("row", name="骨显像").first.is_visible()


@pytest.mark.no_javascript
def test_everything_can_be_read_and_searched_without_scripts(department: Department, page: Page) -> None:
    page.goto(f"/en/{department.slug}/search")
    page.get_by_label("Words to look for").fill("回旋加速器")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Cyclotron", exact=True).click()
    assert page.url.endswith("/facilities#equip.cyclotron")
    assert page.get_by_text("Share this page").is_visible()


def test_sharing_copies_the_address_and_asks_nobody_else(
    department: Department, open_context: Callable[..., BrowserContext]
) -> None:
    context = open_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"/en/{department.slug}/research")
    page.get_by_text("Share this page").click()
    page.get_by_role("button", name="Copy the link").click()
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"/en/{department.slug}/research")
    target = page.get_by_role("link", name="Send by e-mail").get_attribute("href") or ""
    assert target.startswith("mailto:?subject=Research")


def test_printed_pages_keep_the_source_and_drop_the_menus(department: Department, page: Page) -> None:
    page.goto(f"/en/{department.slug}/clinical")
    page.emulate_media(media="print")
    assert page.locator("#source").is_visible()
    assert page.get_by_text("Period not stated in the source").first.is_visible()
    assert not page.get_by_role("navigation", name="Main").is_visible()
    assert not page.get_by_role("search").is_visible()
