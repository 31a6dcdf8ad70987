"""Refusals as pages: what happened, the way back, and what was being written."""

from collections.abc import Callable
from xml.etree.ElementTree import Element

import pytest
from flask import Flask

from collab.core.errors import Conflict, Refused, Unavailable
from collab.departments import Department
from collab.inquiries import Inquiry
from tests.support.html import parse, text_of
from tests.support.people import Staff

Make = Callable[..., Staff]
LETTER = "Dear colleague,\n\n<b>this</b> took me an hour & more.\n"


def primary(page: Element) -> list[str | None]:
    """Where the main button leads."""
    return [one.get("href") for one in page.iter("a") if "btn-primary" in (one.get("class") or "")]


def test_a_conflict_says_what_stands_in_the_way_and_leads_back(
    app: Flask, department: Department, staff: Make
) -> None:
    """As for one of the last two administrators, whom the other switches off the same moment."""

    def refuse(slug: str, user_id: int) -> str:
        raise Conflict("This is the department's last administrator.")

    admin, other = staff("admin"), staff("admin", signed_in=False)
    path = f"/staff/settings/people/{department.slug}/{other.user_id}"
    opened = admin.get(path)
    app.view_functions["admin.disable"] = refuse
    answer = admin.answer(opened, _form="disable")
    assert answer.status_code == 409
    page = parse(answer.text)
    assert "Not possible as it stands now This is the department's last administrator." in text_of(page)
    assert primary(page) == [path]
    assert list(page.iter("textarea")) == []


@pytest.mark.parametrize("refusal", [Conflict(), Unavailable()], ids=["conflict", "unavailable"])
def test_what_staff_wrote_is_given_back(
    app: Flask, inquiry: Callable[..., Inquiry], staff: Make, refusal: Refused
) -> None:
    """The staff's forms keep it themselves; where a refusal comes from anywhere else its page does."""

    def refuse(reference: str) -> str:
        raise refusal

    coordinator = staff("coordinator")
    path = f"/staff/inquiries/{inquiry('cooperation').reference}/note"
    opened = coordinator.get(path)
    app.view_functions["staff.note"] = refuse
    answer = coordinator.answer(opened, note=LETTER)
    assert answer.status_code == refusal.status
    page = parse(answer.text)
    (given,) = page.iter("textarea")
    assert (given.text or "").replace("\r\n", "\n") == LETTER
    assert given.get("readonly") is not None
    assert "csrf" not in answer.text
    assert primary(page) == ([path] if isinstance(refusal, Conflict) else [])


@pytest.mark.parametrize(
    "referrer",
    ["https://evil.example/staff/x", "http://127.0.0.1:8000//evil.example/", "javascript:alert(1)", ""],
)
def test_the_way_back_never_leads_elsewhere(
    app: Flask, inquiry: Callable[..., Inquiry], staff: Make, referrer: str
) -> None:
    def refuse(reference: str) -> str:
        raise Conflict

    coordinator = staff("coordinator")
    app.view_functions["staff.inquiry"] = refuse
    path = f"/staff/inquiries/{inquiry('cooperation').reference}"
    page = parse(coordinator.get(path, headers={"Referer": referrer}).text)
    assert primary(page) == []
