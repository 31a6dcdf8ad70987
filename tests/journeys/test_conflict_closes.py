"""In a browser: somebody asked to host declares first; one yes closes the file, and the coordinator goes on."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from collab.accounts import COMMAND, set_areas
from collab.core.db import unit_of_work
from collab.inquiries import interests
from tests.journeys.people import fill, press, sign_in
from tests.support.browser import axe, fits
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.world import World

TITLE = "Quagga scanning"
NO = dict.fromkeys(interests.QUESTIONS, "no")


def seen(page: Page) -> None:
    """Whole on a phone and on a desk, and readable by everybody."""
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        fits(page)
        axe(page)


def test_a_conflict_closes_the_file(
    server: Server, open_context: Callable[..., BrowserContext], staff: Callable[..., Staff], world: World
) -> None:
    id = world.received(title=TITLE, full_name="Anna Zwickenpflug", institution_name="Zymurgy Institute")
    reference = world.get(id).reference
    address = f"/staff/inquiries/{reference}"
    first, second = (
        staff("host", name="First host", signed_in=False),
        staff("host", name="Second host", signed_in=False),
    )
    coordinator = staff("coordinator", signed_in=False)

    desk = open_context().new_page()
    sign_in(desk, coordinator)
    desk.goto(f"{address}/route")
    fill(desk, kind="host", person=str(first.user_id))
    press(desk, form="form#step")

    page = open_context().new_page()
    sign_in(page, first)
    page.goto("/staff/")
    page.get_by_role("link", name=reference).click()
    expect(page).to_have_url(f"{server.url}{address}/interest")
    expect(page.locator("main")).to_contain_text("Anna Zwickenpflug")
    expect(page.locator("main")).not_to_contain_text(TITLE)
    seen(page)
    fill(page, **{**NO, "work": "yes"})
    press(page, form="form#interest")
    expect(page.locator("main")).to_contain_text("The inquiry is closed to you")
    for path in (address, f"{address}/interest", f"{address}/answer-as-host"):
        page.goto(path)
        expect(page.locator("main")).not_to_contain_text("Zwickenpflug")
    page.goto("/staff/inquiries")
    expect(page.locator("main")).not_to_contain_text(reference)

    # The coordinator reads it in the history, and asks somebody else, who finds nothing in the way.
    desk.goto(address)
    expect(desk.locator("#thread + .thread")).to_contain_text("Conflict of interest declared")
    desk.goto(f"{address}/route")
    expect(desk.locator("main [name=person]")).not_to_contain_text("First host")
    fill(desk, kind="host", person=str(second.user_id))
    press(desk, form="form#step")
    other = open_context().new_page()
    sign_in(other, second)
    other.goto(address)
    fill(other, **NO)
    press(other, form="form#interest")
    expect(other.locator("h1")).to_have_text(TITLE)
    expect(other.locator("main")).not_to_contain_text("Restricted-party lists")


def test_gates_and_reviewers_in_a_browser(
    server: Server, open_context: Callable[..., BrowserContext], staff: Callable[..., Staff], world: World
) -> None:
    office = staff("compliance", locale="zh", signed_in=False)
    coordinator = staff("coordinator", signed_in=False)
    inner, outer = (area.code for area in world.department.settings.areas[:2])
    people = [
        staff("reviewer", name=f"Reviewer {name}", email=f"reviewer@{name}.example", signed_in=False)
        for name in "ABC"
    ]
    host = world.actor("host")
    with unit_of_work():
        set_areas(world.user(host), [inner], department_id=world.department_id, by=COMMAND)
        for person, area in zip(people, (inner, inner, outer), strict=True):
            set_areas(person.user, [area], department_id=world.department_id, by=COMMAND)
    id = world.received(title=TITLE, email="x@c.example")
    world.route(id, host)
    address = f"/staff/inquiries/{world.get(id).reference}"

    page = open_context(locale="zh-CN").new_page()
    sign_in(page, office)
    page.goto("/staff/")
    expect(page).to_have_url(f"{server.url}/staff/gates")
    seen(page)
    page.locator(f"a[href$='{address}/gates/restricted_party']").click()
    seen(page)
    fill(page, state="blocked", note="名单核查：有一项命中。")
    press(page, form="form#gate")
    expect(page).to_have_url(f"{server.url}/staff/gates")

    desk = open_context().new_page()
    sign_in(desk, coordinator)
    desk.goto(address)
    expect(desk.locator("main")).to_contain_text("Blocked: Restricted-party lists.")
    seen(desk)
    desk.goto(f"{address}/reviewers")
    expect(desk.locator("main")).to_contain_text("Blocked: Restricted-party lists.")
    page.goto(f"{address}/gates/restricted_party")
    fill(page, state="cleared", note="同名者，已排除。")
    press(page, form="form#gate")

    desk.goto(f"{address}/reviewers")
    expect(desk.get_by_text("in the host's group")).to_have_count(2)
    seen(desk)
    for person in people[:2]:
        desk.locator(f"[name=people][value='{person.user_id}']").check()
    press(desk, form="form#step")
    expect(desk.locator(".errors")).to_contain_text("Choose one from outside")
    desk.locator(f"[name=people][value='{people[1].user_id}']").uncheck()
    desk.locator(f"[name=people][value='{people[2].user_id}']").check()
    press(desk, form="form#step")
    expect(desk.locator(".errors")).to_contain_text("may have a conflict of interest")
    seen(desk)
    desk.locator(f"[name=judged][value='{people[2].user_id}']").check()
    press(desk, form="form#step")
    expect(desk.locator("main")).to_contain_text("2 reviewers are asked.")
    seen(desk)
