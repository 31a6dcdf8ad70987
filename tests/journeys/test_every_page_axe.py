"""Every page of the portal, empty and with sample data, on a phone and on a desk: no finding of axe, no overflow.

One server, one browser; the pages of the sample data are found by following the links a person would follow.
"""

import re
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import BrowserContext, Page

from collab import demo, mail
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.desk import views
from collab.inquiries import Inquiry, LinkKind, Status, links
from collab.inquiries.view import QueueView
from tests.journeys.people import fill
from tests.support.browser import axe, fits
from tests.support.client import Client
from tests.support.people import Staff
from tests.support.server import Server
from tests.web.partner.sample import FORMS

WIDTHS = (390, 1280)
PUBLIC = (
    "", "research", "clinical", "facilities", "team", "teaching", "cooperate", "visit", "train", "privacy",
    "answers", "about-data", "accessibility", "search", "search?q=thyroid", "search?q=nothing-of-the-kind",
    "inquire/cooperation", "inquire/visit", "inquire/training", "no-such-page",
)  # fmt: skip
ACCOUNT = ("", "/password", "/recovery-codes", "/second-factor", "/absences", "/calendar", "/mails")
#: The rooms of the staff besides the inquiries: one page of each address that links lead to is looked at.
ROOMS = (
    "/staff/calendar", "/staff/absences", "/staff/keys", "/staff/decide", "/staff/gates", "/staff/reports",
    "/staff/reports/fairness", "/staff/views", "/staff/settings", "/staff/settings/people", "/staff/settings/rubrics",
    "/staff/settings/tags", "/staff/settings/wordings",
)  # fmt: skip
STEPS = (
    "ask", "route", "refer", "decline", "set-aside", "join", "move", "own", "expedite", "conflict", "note", "letter",
    "renew-link", "withdraw", "ready", "decide", "restore", "reopen", "place-free", "fulfil", "confirm", "take-back",
    "answer-as-host", "review", "light", "erase", "interest", "reviewers", "gates/scope", "gates/restricted_party",
    "more-time", "unjoin", "tags", "record",
)  # fmt: skip

Make = Callable[..., Staff]
Opener = Callable[..., BrowserContext]


def look(page: Page, path: str, *, axe_at: tuple[int, ...] = WIDTHS) -> None:
    """Open an address and see it in both widths."""
    page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
    page.goto(path)
    see(page, axe_at=axe_at)


def see(page: Page, *, axe_at: tuple[int, ...] = WIDTHS) -> None:
    """What is open now, in both widths; the structure of a page in Chinese is that of the English one."""
    for width in reversed(WIDTHS):
        page.set_viewport_size({"width": width, "height": 900})
        fits(page)
        if width == min(WIDTHS) or (width in axe_at and page.locator("html[lang^=en]").count()):
            axe(page)


def opened(open_context: Opener, server: Server, client: Client | None = None) -> Page:
    """A browser, with a client's cookies if one is given."""
    context = open_context()
    if client is not None:
        context.add_cookies(
            [{"name": one.key, "value": one.value, "url": server.url} for one in client._cookies.values()]
        )
    return context.new_page()


def one_of_each() -> Iterator[tuple[Status, str, int]]:
    """An inquiry of each status there is."""
    for status in Status:
        found = db.session.scalars(sa.select(Inquiry).filter_by(status=status).limit(1)).first()
        if found is not None:
            yield status, found.reference, found.id


def of_each_room(app: Flask, member: Client) -> Iterator[str]:
    """One page of each address in the rooms of the staff, found by the links from page to page."""
    routes, seen, waiting = app.url_map.bind("localhost"), set(), list(ROOMS)
    while waiting:
        path = waiting.pop(0)
        endpoint, _values = routes.match(path)
        if endpoint in seen or path.startswith(("/staff/inquiries", "/staff/account", "/staff/outbox")):
            continue
        answer = member.get(path)
        if path in ROOMS:
            assert answer.status_code == 200, path
        if answer.status_code == 200 and answer.mimetype == "text/html":
            seen.add(endpoint)
            yield path
            waiting += re.findall(r'href="(/staff/[^"#?]+)["#?]', answer.text)


def test_public_pages(department: Department, server: Server, open_context: Opener) -> None:
    page = opened(open_context, server)
    for lang in ("en", "zh"):
        for name in PUBLIC:
            if lang == "en" or name in {"", "clinical", "search?q=thyroid", "inquire/visit", "no-such-page"}:
                look(page, f"/{lang}/{department.slug}/{name}")
        for path in (
            "link",
            "link/sent",
            "closed",
            "confirm/unknown",
            "i/unknown",
            "draft/unknown",
            "my/NM-2026-0001",
        ):
            look(page, f"/{lang}/{path}")
    for path in (
        "/staff/sign-in", "/staff/forgotten", "/staff/forgotten/sent", "/staff/signed-out", "/staff/invitation/unknown",
        "/staff/reset/unknown", "/staff/inquiries", "/nowhere",
    ):  # fmt: skip
        look(page, path)


def test_staff_and_account_pages_without_data(server: Server, staff: Make, open_context: Opener) -> None:
    page = opened(open_context, server, staff("coordinator", "head", "admin"))
    for path in (
        "/staff/",
        "/staff/inquiries",
        "/staff/outbox",
        *ROOMS,
        "/staff/no-such-page",
    ):
        look(page, path, axe_at=WIDTHS[:1])
    for path in ACCOUNT:
        look(page, f"/staff/account{path}")


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_staff_pages_with_the_sample_data(
    app: Flask, department: Department, server: Server, staff: Make, open_context: Opener, locale: str
) -> None:
    demo.load()
    member = staff("coordinator", "head", "admin", locale=locale)
    page = opened(open_context, server, member)
    paths = [
        "/staff/",
        "/staff/inquiries",
        "/staff/inquiries?q=no-such-word",
        "/staff/outbox",
    ]
    statuses = []
    for status, reference, _id in one_of_each():
        statuses.append(status)
        paths.append(f"/staff/inquiries/{reference}")
    assert len(statuses) > 7
    mails = db.session.scalars(sa.select(mail.OutboxMail.id).group_by(mail.OutboxMail.topic)).all()
    assert mails
    paths += [f"/staff/outbox/{mails[0]}"]
    with unit_of_work():
        views.save("Mine", QueueView(pile="open"), by=member.actor)
    rooms = list(of_each_room(app, member))
    assert len(rooms) > len(ROOMS)
    paths += rooms
    for path in paths:
        look(page, path)
    if locale == "en":
        for step in STEPS:  # each from an inquiry where it can be taken
            for _status, reference, _id in one_of_each():
                path = f"/staff/inquiries/{reference}/{step}"
                if member.get(path).status_code == 200:
                    look(page, path, axe_at=WIDTHS[:1])  # all are one layout
                    break


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_partner_pages_with_the_sample_data(
    app: Flask, department: Department, client: Client, server: Server, open_context: Opener, lang: str
) -> None:
    demo.load()
    shown = 0
    for status, reference, id in list(one_of_each()):
        if status in {Status.UNCONFIRMED, Status.VOID}:
            continue
        with unit_of_work():
            token = links.issue(db.session.get_one(Inquiry, id), LinkKind.PRIVATE)
        answer = client.fill(f"/{lang}/i/{token}")
        assert answer.status_code == 303
        page = opened(open_context, server, client)
        look(page, f"/{lang}/my/{reference}")
        if not shown:
            look(page, f"/{lang}/my/{reference}/withdraw")
            look(page, f"/{lang}/my/{reference}/erase")
            look(page, f"/{lang}/i/{token}")
        shown += 1
    assert shown > 5


def test_refused_and_sent_forms(department: Department, server: Server, open_context: Opener) -> None:
    """The form with its errors, the stop page, and the page after it was sent."""
    page = opened(open_context, server)
    page.goto(f"/en/{department.slug}/inquire/visit")
    page.wait_for_timeout(2300)
    page.locator("input[name=adult_declaration]").check()
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator(".err").first.wait_for()
    see(page)
    fill(page, **FORMS["visit"])
    page.locator("input[name=adult_declaration]").uncheck()
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator("[name=back]").wait_for()
    see(page)
