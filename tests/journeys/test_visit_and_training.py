"""A visit that ends on the waiting list, and a training that is declined with a pointer; without JavaScript too."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from collab.core import clock
from tests.journeys.people import (
    confirm,
    declare,
    hold_is_over,
    mail_about,
    own_page,
    send_inquiry,
    sign_in,
    status,
    step,
    step_with_letter,
)
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.smtp import Smtp


def months_ahead(number: int) -> str:
    """A month from now on, as a month field takes it."""
    today = clock.today("Asia/Shanghai")
    month = today.year * 12 + today.month - 1 + number
    return f"{month // 12}-{month % 12 + 1:02d}"


@pytest.mark.no_javascript
def test_a_visit_goes_on_the_waiting_list(
    page: Page,
    smtp: Smtp,
    server: Server,
    staff: Callable[..., Staff],
    open_context: Callable[..., BrowserContext],
) -> None:
    server.start_worker()
    coordinator = staff("coordinator", signed_in=False)
    host = staff("host", signed_in=False)
    head = staff("head", signed_in=False)
    address = "neema.test@example.org"
    send_inquiry(
        page,
        "visit",
        lang="en",
        full_name="Neema Test",
        email=address,
        institution_name="Example Referral Hospital",
        country="TZ",
        visitor_type="clinical_trainee",
        area="thyroid_i131",
        preferred_start=months_ahead(5),
        duration_weeks="8",
        purpose="I would like to learn patient selection and ward routine, and write our own protocol afterwards.",
        funding_source="iaea",
        adult_declaration=True,
        privacy_ack=True,
    )
    number = re.findall(r"NM-\d{4}-\d{4}", page.inner_text("main"))[0]
    mail_about(smtp, address, f"Please confirm your e-mail ({number})")
    confirm(page, smtp, address)
    mail_about(smtp, address, f"We have received your inquiry {number}")

    desk = open_context().new_page()
    sign_in(desk, coordinator)
    step(desk, number, "route", person=str(host.user_id), kind="host")
    bench = open_context().new_page()
    sign_in(bench, host)
    declare(bench, number)
    step(bench, number, "answer-as-host", answer="later", period="autumn 2027")
    step(desk, number, "ready", note="The group knows them well; no reviewers were asked.")

    office = open_context().new_page()
    sign_in(office, head)
    declare(office, number, "decide")
    step_with_letter(
        office,
        number,
        "decide",
        verdict="waitlist",
        because="Good plan, no place before autumn.",
        period="spring 2027",
    )
    hold_is_over(number)
    mail_about(smtp, address, f"{number}: on the waiting list for spring 2027")
    own_page(page, smtp, address)
    expect(status(page)).to_have_text("Waiting list")
    expect(page.locator("main")).to_contain_text("Suitable, but no place in spring 2027.")


@pytest.mark.phone
def test_a_training_is_declined_with_a_pointer(
    page: Page,
    smtp: Smtp,
    server: Server,
    staff: Callable[..., Staff],
    open_context: Callable[..., BrowserContext],
) -> None:
    server.start_worker()
    coordinator = staff("coordinator", signed_in=False)
    address = "john.test@example.com"
    send_inquiry(
        page,
        "training",
        lang="en",
        full_name="John Test",
        email=address,
        institution_name="none at present",
        country="US",
        degree_status="bachelor_completed",
        training_model="full_degree",
        area="unsure",
        preferred_start=months_ahead(10),
        interest_statement="I am interested in your laboratory and want a master's degree with a full scholarship. "
        "My field is civil engineering.",
        funding_source="host_requested",
        adult_declaration=True,
        privacy_ack=True,
    )
    mail_about(smtp, address, "Please confirm your e-mail")
    confirm(page, smtp, address)
    number = re.findall(r"NM-\d{4}-\d{4}", mail_about(smtp, address, "We have received").subject)[0]

    desk = open_context().new_page()
    sign_in(desk, coordinator)
    letter = step_with_letter(desk, number, "decline", reason="out_of_scope")
    assert "The topic lies outside what the department works on." in letter
    assert "you are welcome to write again about one of them" in letter  # the pointer of the text module
    expect(status(desk)).to_have_text("Declined")
    hold_is_over(number)
    told = mail_about(smtp, address, f"{number}: our decision")
    assert "out_of_scope" not in told.text
    own_page(page, smtp, address)
    expect(status(page)).to_have_text("Not possible")
    expect(page.locator("main")).to_contain_text("The topic lies outside what the department works on.")
