"""The partner's pages in a real browser: with and without scripts, on a desk and on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from collab.departments import Department
from collab.inquiries import Status
from tests.support.browser import fits
from tests.web.partner.sample import FORMS, address, again, links, pdf


def fill(page: Page, fields: dict[str, Any]) -> None:
    """Fill in a form as a person does."""
    for name, value in fields.items():
        field = page.locator(f"[name={name}]").first
        kind = field.evaluate("one => one.type")
        if value is True:
            field.check()
        elif kind == "radio":
            page.check(f"[name={name}][value={value}]")
        elif kind == "select-one":
            field.select_option(value)
        else:
            field.fill(value)


def walk(page: Page, lang: str, track: str, axe: Callable[[Page], None] | None) -> None:
    """From the form, refused once, to the private page."""

    def look() -> None:
        fits(page)
        if axe is not None:
            axe(page)

    page.goto(address(track, lang))
    look()
    fields = FORMS[track]
    fill(page, {name: value for name, value in fields.items() if name != "full_name"})
    page.set_input_files(
        "[name=attachment]", {"name": "note.pdf", "mimeType": "application/pdf", "buffer": pdf()}
    )
    page.wait_for_timeout(2100)
    page.locator(".send .btn-primary").click()
    expect(page.locator("#full_name-error")).to_be_visible()
    look()
    page.locator("[name=switch_lang]").click()
    expect(page.locator("[name=email]")).to_have_value(fields["email"])
    page.locator("[name=switch_lang]").click()
    expect(page.get_by_text("note.pdf").first).to_be_visible()
    page.fill("[name=full_name]", fields["full_name"])
    page.press("[name=full_name]", "Enter")
    page.wait_for_url("**/sent/*")
    look()
    page.goto(links(1, "confirm")[0])
    look()
    page.locator("main .btn-primary").click()
    page.wait_for_url("**/received/*")
    look()
    page.goto(links(1, "i")[-1])
    page.locator("main .btn-primary").click()
    page.wait_for_url(f"**/{lang}/my/NM-*")
    look()
    page.locator("#answer summary").click()
    page.fill("[name=body]", "One more thing.")
    page.locator("#answer .actions button").click()
    expect(page.locator(".msg .said")).to_have_text("One more thing.")
    look()
    for rest in ("withdraw", "erase"):
        page.goto(f"/{lang}/my/{again(1).reference}/{rest}")
        look()
    inquiry = again(1)
    assert (inquiry.status, inquiry.locale, inquiry.file_count) == (Status.RECEIVED, lang, 1)


def test_with_scripts(page: Page, department: Department, axe: Callable[[Page], None]) -> None:
    walk(page, "en", "cooperation", axe)


@pytest.mark.no_javascript
def test_without_scripts(page: Page, department: Department) -> None:
    walk(page, "zh", "training", None)


@pytest.mark.phone
def test_on_a_phone(page: Page, department: Department, axe: Callable[[Page], None]) -> None:
    walk(page, "zh", "visit", axe)
    page.goto(address("visit"))
    fill(page, {**FORMS["visit"], "adult_declaration": False} | {"adult_declaration": True})
    page.uncheck("[name=adult_declaration]")
    page.wait_for_timeout(2100)
    page.locator(".send .btn-primary").click()
    expect(page.locator("[name=back]")).to_be_visible()
    fits(page)
    axe(page)
    page.locator("[name=back]").click()
    expect(page.locator("[name=adult_declaration]")).to_be_checked()
    for path in ("/en/link", "/en/my/NM-2026-9999", "/zh/closed"):
        page.goto(path)
        fits(page)
        axe(page)
