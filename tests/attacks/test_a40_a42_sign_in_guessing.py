"""A40 who has an account cannot be found out · A41 guessing is slowed down · A42 headers make no new bucket."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab import accounts, audit
from collab.accounts import passwords
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import TooMany
from collab.departments import Department
from collab.mail import OutboxMail
from tests.support.client import Client
from tests.support.people import PASSWORD, Staff

Make = Callable[..., Staff]
WRONG = "not-the-Password-17"


def told(text: str) -> str:
    """A page without what differs in any case: form keys, request ids and what was typed in."""
    text = re.sub(r'name="csrf_token"[^>]*value="[^"]*"', "", text)
    text = re.sub(r'value="[^"]*@[^"]*"', "", text)
    return re.sub(r"<code[^>]*>[0-9a-f]{16}</code>", "", text)


@pytest.fixture
def addresses(staff: Make) -> dict[str, str]:
    """One address of each kind that must look alike."""
    admin, host, gone = (
        staff("admin", signed_in=False),
        staff("host", signed_in=False),
        staff("host", signed_in=False),
    )
    with unit_of_work():
        accounts.disable_user(gone.user, by=admin.actor)
    return {
        "privileged": admin.email,
        "known": host.email,
        "disabled": gone.email,
        "unknown": "nobody@example.org",
    }


def work_of(deed: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How many statements went to the database and how many passwords were compared."""
    statements, compared = 0, 0
    verify = passwords._hasher().__class__.verify

    def one_statement(*_: object) -> None:
        nonlocal statements
        statements += 1

    def one_comparison(*given: object) -> bool:
        nonlocal compared
        compared += 1
        return verify(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("argon2.PasswordHasher.verify", one_comparison)
    sa.event.listen(db.engine, "before_cursor_execute", one_statement)
    try:
        deed()
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", one_statement)
        monkeypatch.undo()
    return statements, compared


def test_a40_sign_in_says_and_does_the_same_for_every_address(
    client: Client, addresses: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.fill("/staff/sign-in", email="warm@example.org", password=WRONG)
    answers, work = {}, {}
    for kind, email in addresses.items():
        password = PASSWORD if kind == "disabled" else WRONG

        def attempt(email: str = email, password: str = password, kind: str = kind) -> None:
            answers[kind] = client.fill("/staff/sign-in", email=email, password=password)

        work[kind] = work_of(attempt, monkeypatch)
    assert {answer.status_code for answer in answers.values()} == {422}
    assert len({told(answer.text) for answer in answers.values()}) == 1
    assert "is not right" in answers["known"].text
    assert len(set(work.values())) == 1, work
    assert all(compared == 1 for _statements, compared in work.values())
    assert {answer.headers.get("Set-Cookie", "").partition("=")[0] for answer in answers.values()} <= {
        "",
        "collab-form",
    }


def test_a40_forgotten_password_says_the_same_and_mails_only_who_is_there(
    client: Client, addresses: dict[str, str]
) -> None:
    answers = {}
    for kind, email in addresses.items():
        posted = client.fill("/staff/forgotten", email=email)
        assert posted.status_code == 303
        answers[kind] = client.get(posted.location).text
    assert len({told(text) for text in answers.values()}) == 1
    mailed = db.session.scalars(sa.select(OutboxMail.to_address)).all()
    assert sorted(mailed) == sorted([addresses["privileged"], addresses["known"]])
    assert db.session.scalar(sa.select(sa.func.count()).select_from(accounts.User)) == 3
    assert audit.verify() is None


def test_a40_an_invitation_does_not_tell_who_has_an_account(
    client: Client, department: Department, staff: Make
) -> None:
    """The page of a bad link is the same whatever is wrong with it (A14 and A16 look at each)."""
    staff("host", signed_in=False)
    texts = {told(client.get(f"/staff/{kind}/{'x' * 43}").text) for kind in ("invitation", "reset")}
    assert len(texts) == 1


def attempts(
    client: Client, email: str, number: int, *, password: str = WRONG, **headers: object
) -> list[int]:
    """Status codes of sign-ins one after the other."""
    statuses = []
    for _ in range(number):
        form = client.form("/staff/sign-in")
        data = {"csrf_token": form.value("csrf_token"), "email": email, "password": password}
        statuses.append(client.post("/staff/sign-in", data=data, **headers).status_code)
    return statuses


def from_network(last: int) -> dict[str, object]:
    return {"environ_overrides": {"REMOTE_ADDR": f"198.51.{last}.7"}}


def test_a41_one_account_from_one_place(client: Client, staff: Make) -> None:
    host, other = staff("host", signed_in=False), staff("host", signed_in=False)
    assert attempts(client, host.email, 12) == [422] * 10 + [429] * 2
    # The right password does not help within the window, and says nothing either.
    form = client.fill("/staff/sign-in", email=host.email, password=PASSWORD)
    assert form.status_code == 429
    assert 0 < int(form.headers["Retry-After"]) <= 15 * 60
    assert PASSWORD not in form.text
    # Others are not touched, and an account that does not exist is slowed down alike.
    assert attempts(client, other.email, 1, password=PASSWORD) == [303]
    assert attempts(client, "nobody@example.org", 12) == [422] * 10 + [429] * 2
    with time_machine.travel(clock.now() + timedelta(minutes=15), tick=True):
        assert attempts(client, host.email, 1, password=PASSWORD) == [303]


def test_a41_case_and_spaces_make_no_other_account(client: Client, staff: Make) -> None:
    host = staff("host", signed_in=False)
    spelled = [host.email, host.email.upper(), f" {host.email} ", host.email.title()]
    statuses = [attempts(client, spelled[number % 4], 1)[0] for number in range(12)]
    assert statuses == [422] * 10 + [429] * 2


def test_a41_many_accounts_from_one_place(client: Client, staff: Make) -> None:
    statuses = [attempts(client, f"nobody-{number}@example.org", 1)[0] for number in range(104)]
    assert statuses == [422] * 100 + [429] * 4
    assert attempts(client, "nobody-0@example.org", 1, **from_network(9)) == [422]


def test_a41_the_victim_gets_in_although_the_whole_world_guesses(client: Client, staff: Make) -> None:
    victim = staff("host")  # has signed in from 127.0.0.0/24 before
    refused = 0
    for network in range(1, 13):
        refused += attempts(client, victim.email, 10, **from_network(network)).count(429)
    assert refused == 20, "after 100 in the hour strangers' attempts are not even looked at"
    assert attempts(client, victim.email, 1, password=PASSWORD, **from_network(99)) == [429]
    # From where the person signs in it works, with no wait at all.
    assert attempts(client, victim.email, 1, password=PASSWORD) == [303]


def test_a41_right_ones_are_not_counted(client: Client, staff: Make) -> None:
    host = staff("host", signed_in=False)
    assert attempts(client, host.email, 25, password=PASSWORD) == [303] * 25


def test_a41_the_count_survives_a_restart(app: Flask, client: Client, staff: Make) -> None:
    from collab import create_app

    host = staff("host", signed_in=False)
    assert attempts(client, host.email, 10)[-1] == 422
    again = create_app(app.extensions["collab.settings"])
    with again.test_request_context(), pytest.raises(TooMany):
        accounts.sign_in_password(
            host.email, PASSWORD, by=accounts.Actor(kind="visitor", network="127.0.0.0/24")
        )


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP"]
)
def test_a42_a_header_makes_no_new_bucket(client: Client, staff: Make, header: str) -> None:
    host = staff("host", signed_in=False)
    statuses = []
    for number in range(12):
        value = f"for=203.0.113.{number}" if header == "Forwarded" else f"203.0.{number}.1"
        statuses += attempts(client, host.email, 1, headers={header: value})
    assert statuses == [422] * 10 + [429] * 2


def test_a41_codes_are_not_guessed_either(client: Client, staff: Make) -> None:
    host = staff("host", signed_in=False)
    answer = client.fill("/staff/sign-in", email=host.email, password=PASSWORD)
    page = client.get(answer.location)
    statuses = [client.answer(page, code=f"{number:06}").status_code for number in range(7)]
    assert statuses == [422] * 5 + [429] * 2
    assert client.answer(page, code=host.code()).status_code == 429
    # Beginning again with the password gives no new tries.
    answer = client.fill("/staff/sign-in", email=host.email, password=PASSWORD)
    assert client.fill(answer.location, code=host.code()).status_code == 429
    with time_machine.travel(clock.now() + timedelta(minutes=15), tick=True):
        answer = client.fill("/staff/sign-in", email=host.email, password=PASSWORD)
        assert client.fill(answer.location, code=host.code()).status_code == 303


def test_a60_refused_attempts_are_in_the_log_although_nothing_else_is(client: Client, staff: Make) -> None:
    host = staff("host", signed_in=False)
    client.fill("/staff/sign-in", email=host.email, password=WRONG)
    client.fill("/staff/sign-in", email="nobody@example.org", password=WRONG)
    events = db.session.scalars(
        sa.select(audit.AuditEvent).where(audit.AuditEvent.action == "account.sign_in_refused")
    ).all()
    assert [(event.object_id, event.refused, event.network) for event in events] == [
        (host.user_id, True, "127.0.0.0/24"),
        (None, True, "127.0.0.0/24"),
    ]
    assert WRONG not in str([event.detail for event in events])
    assert audit.verify() is None
