"""What the people of the journeys do with a browser, in their words."""

import re
import time
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Locator, Page

from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.inquiries import Inquiry, Message, interests
from collab.mail import MailState, OutboxMail
from tests.support.people import Staff
from tests.support.smtp import Mail, Smtp

#: A form filled in under two seconds counts as a machine's.
HUMAN = 2.2


def fill(page: Page, **fields: Any) -> None:
    """Fill fields by their HTML names: text, choices, ticks, files."""
    for name, value in fields.items():
        field = page.locator(f"main [name={name}]")
        kind = field.first.get_attribute("type")
        if kind == "radio":
            page.locator(f"main [name={name}][value={value}]").check()
        elif kind == "checkbox":
            field.set_checked(bool(value))
        elif kind == "file":
            field.set_input_files(value)
        elif field.first.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(str(value))


def press(page: Page, *, form: str = "main form", name: str | None = None) -> None:
    """Press a form's main button, or the one with a name."""
    selector = f"button.btn[type=submit][name={name}]" if name else "button.btn[type=submit]:not([name])"
    page.locator(form).locator(selector).first.click()


def send_inquiry(page: Page, track: str, *, lang: str, **fields: Any) -> None:
    """Fill the public form as a person would, and send it."""
    page.goto(f"/{lang}/nuclear-medicine/inquire/{track}")
    opened = time.monotonic()
    fill(page, **fields)
    time.sleep(max(0.0, HUMAN - (time.monotonic() - opened)))
    press(page, form="form#inquiry")
    page.wait_for_url("**/sent/**")


def confirm(page: Page, smtp: Smtp, address: str) -> None:
    """Open the link of the mail and press its button."""
    page.goto(newest(smtp, address).link("/confirm/"))
    press(page)


def own_page(page: Page, smtp: Smtp, address: str) -> None:
    """Open the private page by the newest mail's link."""
    page.goto(newest(smtp, address).link("/i/"))
    press(page)
    page.wait_for_url("**/my/**")


def newest(smtp: Smtp, address: str) -> Mail:
    """The last mail to an address."""
    return smtp.to(address)[-1]


def mail_about(smtp: Smtp, address: str, subject: str, *, seconds: float = 120) -> Mail:
    """Wait for a mail to an address whose subject contains a text."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for mail in reversed(smtp.to(address)):
            if subject in mail.subject:
                return mail
        time.sleep(0.05)
    got = [mail.subject for mail in smtp.to(address)]
    raise AssertionError(f"No mail “{subject}” to {address} within {seconds} s; there are {got}")


def sign_in(page: Page, person: Staff) -> None:
    """Password, then the code of the telephone."""
    page.goto("/staff/")
    fill(page, email=person.email, password=person.password)
    press(page)
    fill(page, code=person.code())
    press(page)
    page.wait_for_url(re.compile(r"/staff/(gates)?$"))  # the offices come straight to their gates


def inquiry_page(page: Page, reference: str) -> None:
    """The page of one inquiry."""
    page.goto(f"/staff/inquiries/{reference}")


def declare(page: Page, reference: str, path: str = "") -> None:
    """Open an inquiry, or one of its steps, for the first time: answer each question with no, and be led on there."""
    inquiry_page(page, reference)
    if path:
        go_to_step(page, reference, path)
    page.wait_for_url(f"**/{reference}/interest*")
    fill(page, **dict.fromkeys(interests.QUESTIONS, "no"))
    press(page, form="form#interest")
    page.wait_for_url(f"**/{reference}/{path}" if path else f"**/staff/inquiries/{reference}")


def go_to_step(page: Page, reference: str, path: str) -> None:
    """Follow the link of a step on the page of an inquiry."""
    page.locator(
        f"main aside a[href*='/{reference}/{path}?'], main a[href$='/{reference}/{path}']"
    ).first.click()


def step(page: Page, reference: str, path: str, **fields: Any) -> None:
    """Go to a step of an inquiry, fill its form and send it."""
    inquiry_page(page, reference)
    go_to_step(page, reference, path)
    fill(page, **fields)
    press(page, form="form#step")
    page.wait_for_url(f"**/staff/inquiries/{reference}")


def step_with_letter(page: Page, reference: str, path: str, **fields: Any) -> str:
    """The same for a step that ends with a letter; returns the letter as it was shown before it went out."""
    inquiry_page(page, reference)
    go_to_step(page, reference, path)
    fill(page, **fields)
    press(page, form="form#facts", name="preview")
    letter = page.locator("main textarea[name=letter]").input_value()
    press(page, form="form#send", name="send")
    page.wait_for_url(f"**/staff/inquiries/{reference}")
    return letter


def status(page: Page) -> Locator:
    """The status shown on the page."""
    return page.locator("main .st").first


def hold_is_over(reference: str) -> None:
    """Let the hold of a letter end: the 15 minutes have passed for this inquiry."""
    past = clock.now() - timedelta(seconds=1)
    with unit_of_work():
        inquiry = db.session.scalars(sa.select(Inquiry).filter_by(reference=reference)).one()
        inquiry.held_until = past
        held = sa.select(OutboxMail).where(
            OutboxMail.about_kind == "inquiry",
            OutboxMail.about_id == inquiry.id,
            OutboxMail.state == MailState.HELD,
        )
        for mail in db.session.scalars(held):
            mail.hold_until = mail.due_at = past
        for message in db.session.scalars(sa.select(Message).where(Message.visible_from.is_not(None))):
            message.visible_from = past
