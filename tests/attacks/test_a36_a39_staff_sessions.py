"""A36 fixation and login CSRF · A37 replay · A38 races · A39 shared caches · A56 forgery."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab import accounts
from collab.accounts import COMMAND, StaffSession
from collab.core import clock, tokens
from collab.core.db import db, unit_of_work
from tests.support.client import Client
from tests.support.people import PASSWORD, Staff

Make = Callable[..., Staff]
NEW = "quiet-Lantern-over-the-mill"


def cookie(client: Client) -> str:
    found = client.get_cookie("collab", domain="127.0.0.1")
    return found.value if found else ""


def carrying(browser_like: Callable[[], Client], value: str) -> Client:
    """Another browser with a copied cookie."""
    client = browser_like()
    client.set_cookie("collab", value, domain="127.0.0.1")
    return client


def form_key(client: Client) -> str:
    return client.form("/staff/account", form="myself").value("csrf_token") or ""


def test_a36_the_session_is_a_new_one_at_every_step(
    client: Client, staff: Make, browser_like: Callable[[], Client]
) -> None:
    host = staff("host", signed_in=False)
    planted = "A" * 43
    client.set_cookie("collab", planted, domain="127.0.0.1")
    answer = client.fill("/staff/sign-in", email=host.email, password=PASSWORD)
    half = cookie(client)
    client.fill(answer.location, code=host.code())
    whole = cookie(client)
    assert len({planted, half, whole, half.split(".")[0], whole.split(".")[0]}) == 5
    for dead in (planted, half):
        copy = carrying(browser_like, dead)
        assert copy.get("/staff/account").status_code == 303
        assert copy.get("/staff/sign-in/code").location == "/staff/sign-in"
    assert client.get("/staff/account").status_code == 200


def test_a36_signing_in_again_ends_nothing_of_others_and_gives_a_new_id(staff: Make) -> None:
    host = staff("host")
    first = cookie(host)
    with time_machine.travel(clock.now() + timedelta(seconds=60), tick=True):
        token = form_key(host)
        host.post("/staff/sign-out", data={"csrf_token": token})
        host.sign_in()
    assert cookie(host).split(".")[0] != first.split(".")[0]


def test_a36_the_form_key_of_before_is_dead_after_signing_in(client: Client, staff: Make) -> None:
    host = staff("host", signed_in=False)
    planted = client.form("/staff/sign-in").value("csrf_token")
    answer = client.fill("/staff/sign-in", email=host.email, password=PASSWORD)
    client.fill(answer.location, code=host.code())
    assert (
        client.post("/staff/account", data={"csrf_token": planted, "name": "X", "locale": "en"}).status_code
        == 400
    )


@pytest.mark.parametrize("key", [None, "", "x", "foreign"])
def test_a36_nobody_is_signed_in_by_a_foreign_page(
    client: Client, staff: Make, browser_like: Callable[[], Client], key: str | None
) -> None:
    attacker = staff("host", signed_in=False)
    if key == "foreign":
        key = browser_like().form("/staff/sign-in").value("csrf_token")
    client.get("/staff/sign-in")
    data = {"email": attacker.email, "password": PASSWORD} | ({} if key is None else {"csrf_token": key})
    answer = client.post("/staff/sign-in", data=data, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 400
    assert cookie(client) == ""
    assert db.session.scalars(sa.select(StaffSession)).all() == []


def test_a36_tokens_are_long_random_and_kept_as_digests(staff: Make) -> None:
    host = staff("host", signed_in=False)
    with unit_of_work():
        made = {accounts.start_session(host.user, by=COMMAND, second_factor=False) for _ in range(2000)}
    assert len(made) == 2000
    assert {len(token) for token in made} == {43}
    kept = set(db.session.scalars(sa.select(StaffSession.token)))
    assert kept == {tokens.digest("staff-session", token) for token in made}


@pytest.mark.parametrize("end", ["sign-out", "disabled", "password", "role", "factor", "administrator"])
def test_a37_a_copied_cookie_is_dead(staff: Make, browser_like: Callable[[], Client], end: str) -> None:
    admin, host = staff("admin", signed_in=False), staff("host")
    copy = carrying(browser_like, cookie(host))
    assert copy.get("/staff/account").status_code == 200
    department_id = host.user.memberships[0].department_id
    match end:
        case "sign-out":
            host.post("/staff/sign-out", data={"csrf_token": form_key(host)})
        case "password":
            with unit_of_work():
                accounts.request_password_reset(host.email, by=COMMAND)
            from tests.attacks.test_a14_a18_staff_links import ask_for_reset

            accounts.reset_password(ask_for_reset(host.email), new=NEW, by=COMMAND)
        case "disabled":
            with unit_of_work():
                accounts.disable_user(host.user, by=admin.actor)
        case "role":
            with unit_of_work():
                accounts.revoke_role(
                    host.user, accounts.Role.HOST, department_id=department_id, by=admin.actor
                )
        case "factor":
            with unit_of_work():
                accounts.reset_second_factor(host.user, by=admin.actor)
        case "administrator":
            with unit_of_work():
                accounts.sign_out_everywhere(host.user, by=admin.actor)
    for _ in range(2):
        assert copy.get("/staff/account").status_code == 303
        assert copy.get("/staff/").status_code == 303
    if end == "disabled":  # and it does not come back to life
        with unit_of_work():
            accounts.enable_user(host.user, by=admin.actor)
        assert copy.get("/staff/account").status_code == 303


def test_a37_a_changed_cookie_is_no_cookie(staff: Make, browser_like: Callable[[], Client]) -> None:
    host = staff("host")
    good = cookie(host)
    token, minute, signature = good.split(".")
    later = str(int(minute) + 3600)
    for bad in (
        f"{token}.{later}.{signature}",
        f"{token}.{minute}.{'A' * len(signature)}",
        f"{token}.{minute}",
        token,
        good[:-1],
        good + "x",
        f"{token[:-1]}.{minute}.{signature}",
        "é" * 20,
        "x" * 4000,
        "..",
    ):
        assert carrying(browser_like, bad).get("/staff/account").status_code == 303, bad
    assert carrying(browser_like, good).get("/staff/account").status_code == 200


def test_a38_a_page_under_way_does_not_bring_an_ended_session_back(
    staff: Make, browser_like: Callable[[], Client]
) -> None:
    host = staff("host")
    old = cookie(host)
    key = form_key(host)
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=True):
        # This tab gets a rolled cookie, the other one has signed out in between: neither copy lives.
        other = carrying(browser_like, old)
        assert other.get("/staff/account").status_code == 200
        rolled = cookie(other)
        assert rolled != old
        host.post("/staff/sign-out", data={"csrf_token": key})
        for value in (old, rolled):
            assert carrying(browser_like, value).get("/staff/account").status_code == 303
        session_id = db.session.scalars(
            sa.select(StaffSession.id).where(StaffSession.second_factor_at.is_not(None))
        ).one()
        with unit_of_work():
            accounts.touch_session(session_id)
        assert carrying(browser_like, rolled).get("/staff/account").status_code == 303


def test_a38_signing_out_and_working_at_once(app: Flask, staff: Make) -> None:
    host = staff("host")
    value, key = cookie(host), form_key(host)
    form_cookie = host.get_cookie("collab-form", domain="127.0.0.1")
    assert form_cookie

    def act(number: int) -> int:
        with app.app_context():
            tab = app.test_client()
            tab.set_cookie("collab", value, domain="127.0.0.1")
            tab.set_cookie("collab-form", form_cookie.value, domain="127.0.0.1")
            if number == 5:
                return int(tab.post("/staff/sign-out", data={"csrf_token": key}).status_code)
            data = {"csrf_token": key, "name": f"Name {number}", "locale": "en"}
            return int(tab.post("/staff/account", data=data).status_code)

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(act, range(12)))
    assert set(statuses) <= {303, 409}, statuses
    assert accounts.open_sessions(host.user_id) == []
    assert host.get("/staff/account").status_code == 303


PRIVATE = ["/staff/account", "/staff/account/password", "/staff/settings/people", "/staff/"]
OPEN = ["/staff/sign-in", "/staff/forgotten", "/staff/forgotten/sent", "/staff/signed-out", "/staff/reset/x"]


@pytest.mark.parametrize("path", PRIVATE + OPEN)
def test_a39_nothing_of_the_staff_is_kept_by_a_cache(client: Client, staff: Make, path: str) -> None:
    admin = staff("admin")
    for browser in (admin, client):
        answer = browser.get(path)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Cookie" in answer.headers["Vary"]
    if path in PRIVATE:
        assert client.get(path).status_code == 303


def test_a39_public_pages_carry_no_cookie_of_the_staff(staff: Make) -> None:
    host = staff("host")
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=True):
        assert "collab=" in " ".join(host.get("/staff/account").headers.getlist("Set-Cookie"))
    with time_machine.travel(clock.now() + timedelta(minutes=10), tick=True):
        for path in ("/en/", "/healthz"):
            assert "collab=" not in " ".join(host.get(path).headers.getlist("Set-Cookie"))


WAYS = ["none", "foreign", "old", "query", "get", "override", "text", "null-origin"]
DEEDS = [
    "/staff/account",
    "/staff/account/password",
    "/staff/account/second-factor",
    "/staff/account/recovery-codes",
    "/staff/account/sessions/end-others",
    "/staff/sign-out",
]


@pytest.mark.parametrize("how", WAYS)
def test_a56_nothing_changes_by_a_forged_request(
    staff: Make, browser_like: Callable[[], Client], how: str
) -> None:
    host = staff("host")
    (session,) = accounts.open_sessions(host.user_id)
    living = sa.select(sa.func.count()).select_from(StaffSession).where(StaffSession.ended_at.is_(None))
    before = (host.user.name, host.user.password_hash, db.session.scalar(living))
    data = {"name": "Forged", "locale": "zh", "old_password": PASSWORD, "new_password": NEW}
    data |= {"password": PASSWORD, "code": host.code()}
    key = form_key(host)
    moment = clock.now()
    more: dict[str, object] = {"data": data}
    method = "POST"
    match how:
        case "foreign":
            data["csrf_token"] = browser_like().form("/staff/sign-in").value("csrf_token") or ""
        case "old":
            data["csrf_token"] = key
            moment += timedelta(hours=12, minutes=1)
        case "query":
            more = {"data": data, "query_string": {"csrf_token": key}}
        case "get":
            method, more = "GET", {"query_string": data | {"csrf_token": key}}
        case "override":
            method, more = "GET", {"headers": {"X-HTTP-Method-Override": "POST"}, "query_string": data}
        case "text":
            more = {"data": '{"name": "Forged"}', "content_type": "text/plain"}
        case "null-origin":
            more = {"data": data, "headers": {"Origin": "null"}}
    with time_machine.travel(moment, tick=True):
        for path in [*DEEDS, f"/staff/account/sessions/{session.id}/end"]:
            answer = host.open(path, method=method, **more)
            assert answer.status_code in ({200, 303, 405} if method == "GET" else {400, 303}), path
            after = (host.user.name, host.user.password_hash, db.session.scalar(living))
            assert after == before, path
