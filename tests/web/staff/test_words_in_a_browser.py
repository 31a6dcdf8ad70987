"""Naming a colleague on a phone, text modules with and without JavaScript, tags; the pages read well."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from collab import inquiries
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.inquiries import tags
from collab.inquiries.models import Mention
from tests.support.browser import axe, fits
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.world import World
from tests.web.staff.test_inquiry import enter

At = Callable[..., str]
Make = Callable[..., Staff]


@pytest.mark.phone
def test_a_colleague_is_named_on_a_phone(
    world: World, at: At, staff: Make, page: Page, server: Server
) -> None:
    li = staff("head", name="Li Na", signed_in=False)
    staff("head", name="Li Qiang", signed_in=False)
    staff("viewer", name="Vera Viewer", signed_in=False)
    address, writer = at("received"), staff("coordinator", name="Chen Wei")
    enter(page, writer, server)
    page.goto(address)
    note = page.get_by_label("Note", exact=False).locator("visible=true").first
    note = page.locator("textarea[name=note]")
    note.press_sequentially("Please look, @li")
    names = page.get_by_role("listbox")
    expect(names.get_by_role("option")).to_have_text(["Li Na", "Li Qiang"])
    axe(page)
    note.press("ArrowDown")
    expect(names.locator("[aria-selected=true]")).to_have_text("Li Qiang")
    note.press("ArrowUp")
    note.press("Enter")
    expect(names).to_be_hidden()
    expect(note).to_have_value("Please look, @Li Na ")
    expect(page.get_by_role("checkbox", name="Li Na")).to_be_checked()
    note.press_sequentially("today. Not @vera")
    expect(names).to_be_hidden()
    fits(page)
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".msg.memo")).to_contain_text("Told: Li Na")
    fits(page)
    axe(page)
    db.session.rollback()
    assert [one.user_id for one in db.session.query(Mention)] == [li.user_id]
    page.context.clear_cookies()
    li.sign_in()
    enter(page, li, server)
    page.goto("/staff/")
    expect(page.get_by_role("heading", name="Notes that name you")).to_be_visible()
    fits(page)
    axe(page)
    page.get_by_role("button", name="Read").click()
    expect(page.get_by_role("heading", name="Notes that name you")).to_have_count(0)


def test_a_text_module_is_put_in_place_and_asks_first(
    at: At, staff: Make, page: Page, server: Server
) -> None:
    address, member = at("received", locale="zh"), staff("coordinator")
    enter(page, member, server)
    page.goto(f"{address}/ask")
    question = page.locator("textarea[name=question]")
    page.get_by_label("Text module").select_option("ask_funding")
    expect(question).to_have_value("请告知差旅及生活费用由谁承担，是否已经确认。请勿发送银行资料。")
    question.press("End")
    question.press_sequentially(" And my own words.")
    answers = iter([False, True])
    asked: list[str] = []

    def decide(dialog: object) -> None:
        asked.append(dialog.message)  # type: ignore[attr-defined]
        (dialog.accept if next(answers) else dialog.dismiss)()  # type: ignore[attr-defined]

    page.on("dialog", decide)
    page.get_by_label("Text module").select_option("ask_dates")
    expect(question).to_have_value(
        "请告知差旅及生活费用由谁承担，是否已经确认。请勿发送银行资料。 And my own words."
    )
    expect(page.get_by_label("Text module")).to_have_value("ask_funding")
    page.get_by_label("Text module").select_option("ask_dates")
    expect(question).to_have_value("请告知您最早和最晚可以开始的时间，以及对您仍有意义的最短时长。")
    assert len(asked) == 2
    axe(page)
    page.get_by_role("button", name="Put back what I had written").click()
    expect(question).to_have_value(
        "请告知差旅及生活费用由谁承担，是否已经确认。请勿发送银行资料。 And my own words."
    )
    page.get_by_role("button", name="Send the question").click()
    expect(page.locator(".flash.success")).to_contain_text("The question is on its way")


def test_the_letter_of_a_step_changes_in_place(at: At, staff: Make, page: Page, server: Server) -> None:
    address, member = at("received"), staff("coordinator", "head")
    enter(page, member, server)
    page.goto(f"{address}/decline")
    page.get_by_label("Reason").select_option("no_capacity_in_period")
    page.get_by_role("button", name="Go on to the letter").click()
    letter = page.locator("textarea[name=letter]")
    expect(letter).to_have_value(_holds("If another period suits you"))
    page.get_by_label("Text module").select_option("standard")
    expect(letter).to_have_value(_holds("for instance when this has changed"))
    axe(page)
    fits(page)
    letter.press("Control+Enter")
    expect(page.locator(".flash.success")).to_contain_text("Declined")


def _holds(text: str) -> object:
    import re

    return re.compile(re.escape(text))


@pytest.mark.no_javascript
@pytest.mark.phone
def test_without_javascript_a_button_does_it(at: At, staff: Make, page: Page, server: Server) -> None:
    address, member = at("received"), staff("coordinator")
    enter(page, member, server)
    page.goto(f"{address}/ask")
    page.locator("textarea[name=question]").fill("What I typed.")
    page.get_by_label("Text module").select_option("ask_dates")
    page.get_by_role("button", name="Use this text").click()
    expect(page.locator("textarea[name=question]")).to_have_value(_holds("the earliest and the latest start"))
    page.get_by_text("What you had written before").click()
    expect(page.locator("details.note .said")).to_have_text("What I typed.")
    fits(page)
    page.goto(f"{address}/ask?wording=ask_aims")
    expect(page.locator("textarea[name=question]")).to_have_value(_holds("what you bring yourselves"))
    page.goto(address)
    page.get_by_text("Tell also").count()
    page.locator("input[name=tag]").fill("Autumn")
    page.get_by_role("button", name="Put on").click()
    page.get_by_role("button", name="Make the tag “Autumn” and put it on").click()
    expect(page.get_by_role("list", name="Tags")).to_contain_text("Autumn")
    page.get_by_role("button", name="Take off the tag Autumn").click()
    expect(page.get_by_role("list", name="Tags")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("locale", ["en", "zh"])
def test_the_pages_of_words_fit_and_read_well(
    world: World,
    department: Department,
    at: At,
    staff: Make,
    page: Page,
    server: Server,
    width: int,
    locale: str,
) -> None:
    member, address = staff("coordinator", "head", locale=locale), at("received")
    by = world.actor("coordinator")
    for name in ("Follow up", "随访", "A tag of nearly forty characters, long"):
        with unit_of_work():
            tag_id = tags.put(
                inquiries.by_reference(address.rpartition("/")[2], seen_by=by), name, by=by, new=True
            ).id
    page.set_viewport_size({"width": width, "height": 900})
    enter(page, member, server)
    for path in (
        address, "/staff/inquiries", "/staff/settings", "/staff/settings/tags", f"/staff/settings/tags/{tag_id}",
        "/staff/settings/wordings", f"/staff/settings/wordings/{department.slug}/refer_patient_request",
        f"/staff/settings/wordings/{department.slug}/new/letter", f"{address}/tags", f"{address}/ask",
        f"{address}/letter", f"{address}/decline",
    ):  # fmt: skip
        page.goto(path)
        axe(page)
        fits(page)
