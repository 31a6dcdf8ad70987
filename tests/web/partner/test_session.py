"""The partner's session: reading keeps the page open, idling closes it, and it never lives for ever."""

from datetime import timedelta

import time_machine

from collab.core import clock
from collab.core.db import db
from collab.departments import Department
from collab.inquiries import Inquiry
from collab.settings import Settings
from tests.support.client import Client
from tests.support.statements import changes, statements
from tests.web.partner.sample import received

HOST = "127.0.0.1"


def status(client: Client, inquiry: Inquiry, after: timedelta) -> int:
    """What the page answers so much later."""
    with time_machine.travel(clock.now() + after, tick=True):
        return client.get(f"/en/my/{inquiry.reference}").status_code


def test_it_closes_when_idle(client: Client, department: Department, settings: Settings) -> None:
    inquiry = received(client)
    idle = timedelta(minutes=settings.partner_session_minutes)
    assert status(client, inquiry, idle - timedelta(minutes=1)) == 200
    assert status(client, inquiry, 2 * idle - timedelta(minutes=2)) == 200  # the page before kept it open
    assert status(client, inquiry, 3 * idle) == 404
    assert status(client, inquiry, 2 * idle - timedelta(minutes=2)) == 200  # nothing was ended, it only idled


def test_it_ends_in_any_case(client: Client, department: Department, settings: Settings) -> None:
    inquiry = received(client)
    step = timedelta(minutes=settings.partner_session_minutes - 1)
    longest = timedelta(hours=settings.partner_session_hours)
    at = step
    while at < longest:
        assert status(client, inquiry, at) == 200, at
        at += step
    assert status(client, inquiry, at) == 404


def test_reading_writes_nothing_and_rolls_once_a_minute(client: Client, department: Department) -> None:
    inquiry = received(client)
    path = f"/en/my/{inquiry.reference}"
    assert "Set-Cookie" not in client.get(path).headers
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=True), statements(db.engine) as found:
        rolled = client.get(path)
        (cookie,) = rolled.headers.getlist("Set-Cookie")
        assert cookie.startswith(f"my-{inquiry.reference}=")
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
        assert "Set-Cookie" not in client.get(path).headers
    assert changes(found) == []


def test_the_second_cannot_be_forged(client: Client, department: Department) -> None:
    inquiry = received(client)
    name = f"my-{inquiry.reference}"
    cookie = client.get_cookie(name, domain=HOST)
    assert cookie is not None
    content, _dot, signature = cookie.value.rpartition(".")
    for forged in (
        content,
        f"{content}.",
        f"{content[:-1]}A.{signature}",
        f"{content}x.{signature}",
        "x" * 3000,
    ):
        client.set_cookie(name, forged, domain=HOST)
        assert client.get(f"/en/my/{inquiry.reference}").status_code == 404
    client.set_cookie(name, cookie.value, domain=HOST)
    assert client.get(f"/en/my/{inquiry.reference}").status_code == 200


def test_leaving_leaves_no_cookie(client: Client, department: Department) -> None:
    inquiry = received(client)
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=True):
        token = client.form(f"/en/my/{inquiry.reference}", form="close").value("csrf_token")
    with time_machine.travel(clock.now() + timedelta(minutes=4), tick=True):
        answer = client.post(f"/en/my/{inquiry.reference}/close", data={"csrf_token": token})
    assert answer.status_code == 303
    assert [one for one in answer.headers.getlist("Set-Cookie") if "Max-Age=0" not in one] == []
    assert client.get_cookie(f"my-{inquiry.reference}", domain=HOST) is None
