"""A35: after signing in one stays on our origin, whatever the address asks for."""

from collections.abc import Callable
from urllib.parse import quote, urljoin, urlsplit

import pytest

from tests.support.client import Client
from tests.support.people import PASSWORD, Staff

Make = Callable[..., Staff]
EVIL = [
    "//evil.example",
    "///evil.example",
    "////evil.example/%2f..",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https://evil.example/staff/",
    "http://evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "%09//evil.example",
    "\t//evil.example",
    "\n//evil.example",
    "\r\nLocation: https://evil.example",
    "/staff\r\nSet-Cookie: x=y",
    "/%09/evil.example",
    "/.evil.example",
    "@evil.example",
    "staff@evil.example",
    "/staff/..//evil.example",
    "/staff//evil.example",
    "/staff/\\evil.example",
    "/staff@evil.example",
    "/staff:80@evil.example",
    "/staffevil.example",
    "/staff/sign-out",
    "/staff/sign-in?next=//evil.example",
    "//127.0.0.1:8000@evil.example/staff/",
    "/staff/?x=\x00",
    "/staff/？x=1",
    "/staff/" + "a" * 5000,
    "／／evil.example",
    "",
]


@pytest.mark.parametrize("wanted", EVIL[::6])
def test_a35_the_whole_way_through_leads_home(client: Client, staff: Make, wanted: str) -> None:
    host = staff("host", signed_in=False)
    answer = client.fill(start(wanted), email=host.email, password=PASSWORD)
    assert answer.status_code == 303
    answer = client.fill(answer.location, code=host.code())
    seen = []
    while 300 <= answer.status_code < 400:
        here = urlsplit(urljoin(answer.request.url, answer.location))
        assert here.netloc == "127.0.0.1:8000"
        assert "evil" not in here.geturl()
        seen.append(here.path)
        answer = client.get(answer.location)
    assert seen[-1] == "/staff/"


def test_a35_no_address_leads_away(client: Client, staff: Make) -> None:
    host = staff("host")
    for wanted in EVIL:
        # Signed in already: sent on at once. Not signed in: no step of the way carries the address on.
        assert host.get(start(wanted)).location == "/staff/", wanted
        page = client.get(start(wanted))
        assert "evil" not in page.text, wanted
        assert "evil" not in client.get(start(wanted).replace("sign-in?", "sign-in/next?")).location, wanted


def start(wanted: str) -> str:
    return f"/staff/sign-in?next={quote(wanted, safe='')}"


@pytest.mark.parametrize(
    "wanted",
    [
        "/staff/",
        "/staff/account",
        "/staff/inquiries/XX-2026-0001",
        "/staff/inquiries?status=received&q=%E9%92%BC",
    ],
)
def test_a35_our_own_pages_are_reached(client: Client, staff: Make, wanted: str) -> None:
    host = staff("host", signed_in=False)
    answer = client.fill(f"/staff/sign-in?next={quote(wanted, safe='')}", email=host.email, password=PASSWORD)
    answer = client.fill(answer.location, code=host.code())
    answer = client.get(answer.location)
    assert answer.location == wanted


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example"])
def test_a35_signing_out_leads_nowhere_else(staff: Make, wanted: str) -> None:
    host = staff("host")
    data = {"csrf_token": host.form("/staff/account", form="myself").value("csrf_token"), "next": wanted}
    answer = host.post(f"/staff/sign-out?next={quote(wanted, safe='')}", data=data)
    assert answer.location == "/staff/signed-out"
