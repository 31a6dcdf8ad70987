"""A14 empty and odd tokens · A16 old links · A17 links of another kind · A18 guessing · A20 forged hosts."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from collab import accounts
from collab.accounts import COMMAND, Actor, Invitation, PasswordReset, Role, StaffSession
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import NotFound
from collab.departments import Department
from collab.mail import OutboxMail
from tests.support.client import Client
from tests.support.people import PASSWORD, Staff

Make = Callable[..., Staff]
NEW = "quiet-Lantern-over-the-mill"
VISITOR = Actor(kind="visitor", network="192.0.2.0/24")
KINDS = ("invitation", "reset")


def told(text: str) -> str:
    return re.sub(r"<code[^>]*>[0-9a-f]{16}</code>", "", text)


def invite(department: Department) -> str:
    with unit_of_work():
        return accounts.invite("new@example.org", roles=[Role.HOST], department=department, by=COMMAND)[1]


def ask_for_reset(email: str) -> str:
    with unit_of_work():
        accounts.request_password_reset(email, by=VISITOR)
    body = db.session.scalars(
        sa.select(OutboxMail.body_text)
        .where(OutboxMail.topic == "password_reset")
        .order_by(OutboxMail.id.desc())
    ).first()
    found = re.search(r"/staff/reset/([\w-]{43})", body or "")
    assert found
    return found.group(1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "token",
    [
        "%20",
        "null",
        "None",
        "0",
        "undefined",
        "x" * 43,
        "x" * 5000,
        "%00",
        "..%2f",
        "é",
        "' OR 1=1 --",
        "a" * 64,
    ],
)
def test_a14_odd_tokens_get_one_and_the_same_refusal(
    client: Client, department: Department, staff: Make, kind: str, token: str
) -> None:
    host = staff("host", signed_in=False)
    invite(department)
    ask_for_reset(host.email)
    answer = client.get(f"/staff/{kind}/{token}")
    assert answer.status_code == 404
    if "2f" not in token:
        assert told(answer.text) == told(client.get(f"/staff/{kind}/{'y' * 43}").text)
        assert "This link is not good" in answer.text


@pytest.mark.parametrize("kind", KINDS)
def test_a14_no_token_is_no_page(client: Client, department: Department, kind: str) -> None:
    assert client.get(f"/staff/{kind}/").status_code == 404
    assert client.get(f"/staff/{kind}").status_code == 404


@pytest.mark.parametrize("model", [Invitation, PasswordReset, StaffSession])
def test_a14_no_row_can_have_an_empty_token(department: Department, staff: Make, model: type) -> None:
    host = staff("host")
    invite(department)
    ask_for_reset(host.email)
    with pytest.raises(sa.exc.IntegrityError), db.engine.begin() as connection:
        connection.execute(sa.update(model).values(token=""))


@pytest.mark.parametrize("look_up", [accounts.invitation_by_token, accounts.reset_by_token])
@pytest.mark.parametrize("token", ["", " ", "0" * 64, "\x00", "x" * 100_000])
def test_a14_the_lookups_find_nothing_odd(
    department: Department, look_up: Callable[[str], object], token: str
) -> None:
    with pytest.raises(NotFound):
        look_up(token)


@pytest.mark.parametrize("end", ["older", "expired", "used", "password", "disabled", "one-time"])
def test_a16_old_reset_links_are_dead(client: Client, department: Department, staff: Make, end: str) -> None:
    host = staff("host")
    token = ask_for_reset(host.email)
    assert client.get(f"/staff/reset/{token}").status_code == 200
    moment = clock.now()
    match end:
        case "older":
            newer = ask_for_reset(host.email)
            assert client.get(f"/staff/reset/{newer}").status_code == 200
        case "expired":
            moment += timedelta(minutes=30, seconds=1)
        case "used":
            accounts.reset_password(token, new=NEW, by=VISITOR)
        case "password":
            assert (
                host.fill("/staff/account/password", old_password=PASSWORD, new_password=NEW).status_code
                == 303
            )
        case "disabled":
            with unit_of_work():
                accounts.disable_user(host.user, by=COMMAND)
        case "one-time":
            with unit_of_work():
                accounts.issue_one_time_password(host.user, by=COMMAND)
    kept = host.user.password_hash
    with time_machine.travel(moment, tick=True):
        assert client.get(f"/staff/reset/{token}").status_code == 404
        form = client.form("/staff/forgotten")
        data = {"csrf_token": form.value("csrf_token"), "new_password": "another-Lantern-at-the-sea"}
        assert client.post(f"/staff/reset/{token}", data=data).status_code == 404
    assert host.user.password_hash == kept


@pytest.mark.parametrize("end", ["older", "expired", "used", "withdrawn"])
def test_a16_old_invitations_are_dead(client: Client, department: Department, end: str) -> None:
    token = invite(department)
    moment = clock.now()
    match end:
        case "older":
            invite(department)
        case "expired":
            moment += timedelta(days=7, seconds=1)
        case "used":
            accounts.accept_invitation(token, name="New", password=NEW, locale="en", by=VISITOR)
        case "withdrawn":
            invitation = accounts.invitation_by_token(token)
            with unit_of_work():
                accounts.withdraw_invitation(invitation.id, department_id=department.id, by=COMMAND)
    before = len(accounts.all_users())
    with time_machine.travel(moment, tick=True):
        assert client.get(f"/staff/invitation/{token}").status_code == 404
        form = client.form("/staff/forgotten")
        data = {"csrf_token": form.value("csrf_token"), "name": "X", "password": NEW, "locale": "en"}
        assert client.post(f"/staff/invitation/{token}", data=data).status_code == 404
    assert len(accounts.all_users()) == before


def test_a17_a_link_of_one_kind_opens_no_other(client: Client, department: Department, staff: Make) -> None:
    host = staff("host")
    session = host.get_cookie("collab", domain="127.0.0.1")
    assert session
    invitation, reset = invite(department), ask_for_reset(host.email)
    raw = session.value.split(".")[0]
    for token, kind in ((invitation, "reset"), (reset, "invitation"), (raw, "reset"), (raw, "invitation")):
        assert client.get(f"/staff/{kind}/{token}").status_code == 404
    for token in (invitation, reset):
        assert accounts.session_by_token(token) is None
        client.set_cookie("collab", token, domain="127.0.0.1")
        assert client.get("/staff/account").status_code == 303


@pytest.mark.parametrize("position", [0, 21, 42])
def test_a17_one_character_flipped_or_in_another_case(
    client: Client, department: Department, staff: Make, position: int
) -> None:
    host = staff("host", signed_in=False)
    for kind, token in (("invitation", invite(department)), ("reset", ask_for_reset(host.email))):
        flipped = "A" if token[position] != "A" else "B"
        other = token[:position] + flipped + token[position + 1 :]
        assert client.get(f"/staff/{kind}/{other}").status_code == 404
        assert client.get(f"/staff/{kind}/{token.swapcase()}").status_code == 404
        assert client.get(f"/staff/{kind}/{token}x").status_code == 404
        assert client.get(f"/staff/{kind}/{token}").status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a18_hammering_is_stopped_and_good_links_are_refused_alike(
    client: Client, staff: Make, method: str
) -> None:
    host = staff("host", signed_in=False)
    token = ask_for_reset(host.email)
    data = {"csrf_token": client.form("/staff/forgotten").value("csrf_token"), "new_password": NEW}

    def hammer(token: str, **more: object) -> int:
        return client.open(f"/staff/reset/{token}", method=method, data=data, **more).status_code

    statuses = [hammer(f"{number:043}") for number in range(33)]
    assert statuses == [404] * 30 + [429] * 3
    assert hammer(token) == 429
    assert hammer(f"{7:043}", headers={"X-Forwarded-For": "203.0.113.9"}) == 429
    assert client.get(f"/staff/invitation/{'z' * 43}").status_code == 429
    # Elsewhere, and here after a while, it works.
    elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
    assert client.get(f"/staff/reset/{token}", environ_overrides=elsewhere).status_code == 200
    with time_machine.travel(clock.now() + timedelta(minutes=15), tick=True):
        assert client.get(f"/staff/reset/{'z' * 43}").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example;proto=https"},
        {"X-Original-URL": "http://evil.example/"},
        {"X-Forwarded-Prefix": "/evil"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:8000.evil.example"},
    ],
)
def test_a20_the_link_in_the_mail_is_the_configured_one(
    client: Client, staff: Make, headers: dict[str, str]
) -> None:
    host = staff("host", signed_in=False)
    data = {"csrf_token": client.form("/staff/forgotten").value("csrf_token"), "email": host.email}
    answer = client.post("/staff/forgotten", data=data, headers=headers)
    bodies = db.session.scalars(sa.select(OutboxMail.body_text)).all()
    if "Host" in headers:
        assert answer.status_code == 400
        assert not bodies
    else:
        assert answer.status_code == 303
        (body,) = bodies
        assert "evil" not in body
        assert "http://127.0.0.1:8000/staff/reset/" in body


def test_a22_a_mailbox_is_not_filled_by_strangers(client: Client, staff: Make) -> None:
    host = staff("host", signed_in=False)
    for email in [host.email, host.email.upper(), f" {host.email}"] * 4:
        assert client.fill("/staff/forgotten", email=email).status_code == 303
    assert len(db.session.scalars(sa.select(OutboxMail.id)).all()) == 3
