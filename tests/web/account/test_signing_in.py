"""Signing in and out as people do it, through the pages."""

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from collab import accounts
from collab.accounts import Role, StaffSession
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.settings import Settings
from tests.support.client import Client
from tests.support.html import text_of
from tests.support.people import PASSWORD, Staff

Make = Callable[..., Staff]
NEW = "quiet-Lantern-over-the-mill"


def secret_on(answer_text: str) -> str:
    """The key as the page writes it out."""
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', answer_text)
    assert found
    return found.group(1).replace(" ", "")


def codes_on(answer_text: str) -> list[str]:
    return re.findall(r'<li><code class="text-nowrap">([a-z0-9-]+)</code></li>', answer_text)


def cookie(client: Client, name: str = "collab") -> str | None:
    found = client.get_cookie(name, domain="127.0.0.1")
    return found.value if found else None


def sign_out(client: Client) -> TestResponse:
    form = client.form("/staff/account", form="myself")
    return client.post("/staff/sign-out", data={"csrf_token": form.value("csrf_token")})


def test_the_first_administrator_gets_in_step_by_step(client: Client, department: Department) -> None:
    with unit_of_work():
        one_time = accounts.create_first_admin("first@example.org", department_id=department.id)
    answer = client.fill("/staff/sign-in?next=/staff/account", email="First@Example.org", password=one_time)
    assert answer.status_code == 303
    # A password of one's own first; the one-time password does not do.
    page = client.get(answer.location, follow_redirects=True)
    assert page.request.path == "/staff/sign-in/password"
    refused = client.fill("/staff/sign-in/password?next=/staff/account", new_password=one_time)
    assert refused.status_code == 422
    answer = client.fill("/staff/sign-in/password?next=/staff/account", new_password=NEW)
    page = client.get(answer.location, follow_redirects=True)
    # Then the app: picture and key say the same secret; reading the page again shows the same.
    assert page.request.path == "/staff/sign-in/second-factor"
    assert 'src="data:image/svg+xml' in page.text
    secret = secret_on(page.text)
    assert secret_on(client.get(page.request.path).text) == secret
    wrong = client.fill("/staff/sign-in/second-factor", code="000000")
    assert wrong.status_code == 422
    code = pyotp.TOTP(secret).at(clock.now())
    done = client.fill("/staff/sign-in/second-factor?next=/staff/account", code=f"{code[:3]} {code[3:]}")
    assert done.status_code == 200
    assert len(set(codes_on(done.text))) == 10
    assert done.headers["Cache-Control"] == "private, no-store"
    # The codes are shown once: the page is gone, and the account opens.
    assert client.get("/staff/sign-in/second-factor").status_code == 303
    assert client.get("/staff/account").status_code == 200
    user = accounts.by_email("first@example.org")
    assert user is not None
    assert not user.must_change_password
    assert user.has_second_factor


def test_password_then_code_opens_the_page_asked_for(client: Client, staff: Make) -> None:
    host = staff("host", signed_in=False)
    asked = client.get("/staff/account")
    assert asked.status_code == 303
    assert asked.location == "/staff/sign-in?next=/staff/account"
    answer = client.fill(asked.location, email=host.email, password=PASSWORD)
    answer = client.fill(answer.location, code=host.code(), _follow=True)
    assert answer.request.path == "/staff/account"


def test_a_recovery_code_works_once(client: Client, staff: Make) -> None:
    host = staff("host")
    with time_machine.travel(clock.now() + timedelta(seconds=60), tick=True):
        shown = host.fill("/staff/account/recovery-codes", password=PASSWORD, code=host.code())
    (first, second, *_) = codes_on(shown.text)
    answer = client.fill("/staff/sign-in", email=host.email, password=PASSWORD)
    answer = client.fill(answer.location, code=first.upper().replace("-", " "))
    assert answer.status_code == 303
    assert client.get("/staff/account").status_code == 200
    sign_out(client)
    answer = client.fill("/staff/sign-in", email=host.email, password=PASSWORD)
    refused = client.fill(answer.location, code=first)
    assert refused.status_code == 422
    answer = client.answer(refused, code=second)
    assert answer.status_code == 303
    assert accounts.recovery_codes_left(host.user_id) == 8


def test_codes_are_kept_hashed(staff: Make) -> None:
    host = staff("host")
    with time_machine.travel(clock.now() + timedelta(seconds=60), tick=True):
        shown = host.fill("/staff/account/recovery-codes", password=PASSWORD, code=host.code())
    rows = db.session.scalars(sa.select(accounts.RecoveryCode)).all()
    assert len(rows) == 10
    secrets = {code.partition("-")[2].replace("-", "") for code in codes_on(shown.text)}
    for row in rows:
        assert row.code_hash.startswith("$argon2id$")
        assert not any(secret in row.code_hash for secret in secrets)


def test_a_one_time_password_runs_out_after_a_week(client: Client, department: Department) -> None:
    with unit_of_work():
        one_time = accounts.create_first_admin("first@example.org", department_id=department.id)
    with time_machine.travel(clock.now() + timedelta(days=7, minutes=1), tick=True):
        answer = client.fill("/staff/sign-in", email="first@example.org", password=one_time)
        assert answer.status_code == 422
        assert "has run out" in answer.text


def test_the_browser_that_did_not_confirm_knows_nothing(
    browser_like: Callable[[], Client], department: Department
) -> None:
    """Who saw a secret but did not confirm it must not hold the second factor that somebody else confirms."""
    with unit_of_work():
        one_time = accounts.create_first_admin("first@example.org", department_id=department.id)
    thief, owner = browser_like(), browser_like()
    owner.fill("/staff/sign-in", email="first@example.org", password=one_time)
    owner.fill("/staff/sign-in/password", new_password=NEW)
    secrets = []
    for browser in (thief, owner):
        browser.fill("/staff/sign-in", email="first@example.org", password=NEW)
        secrets.append(secret_on(browser.get("/staff/sign-in/second-factor").text))
    assert secrets[0] != secrets[1]
    owner.fill("/staff/sign-in/second-factor", code=pyotp.TOTP(secrets[1]).at(clock.now()))
    assert owner.get("/staff/account").status_code == 200
    late = thief.get("/staff/sign-in/second-factor")
    assert late.status_code == 303
    assert late.location.endswith("/staff/sign-in")


def test_signing_out_ends_the_session_and_empties_the_cache(staff: Make) -> None:
    host = staff("host")
    answer = sign_out(host)
    assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert cookie(host) is None
    assert host.get("/staff/account").status_code == 303
    assert accounts.open_sessions(host.user_id) == []
    # Again, without a session: harmless.
    form = host.form("/staff/sign-in")
    answer = host.post("/staff/sign-out", data={"csrf_token": form.value("csrf_token")})
    assert answer.status_code == 303


def test_sessions_end_when_idle_and_reading_keeps_them_awake(staff: Make, settings: Settings) -> None:
    host = staff("host")
    begin = clock.now()
    minutes = settings.session_idle_minutes
    mine = sa.select(StaffSession.last_seen_at).where(StaffSession.second_factor_at.is_not(None))
    before = db.session.scalars(mine).one()
    for passed in (minutes - 5, 2 * minutes - 10, 3 * minutes - 15):
        with time_machine.travel(begin + timedelta(minutes=passed), tick=True):
            assert host.get("/staff/account").status_code == 200
    # Only reading: nothing was written.
    assert db.session.scalars(mine).one() == before
    with time_machine.travel(begin + timedelta(minutes=4 * minutes - 14), tick=True):
        assert host.get("/staff/account").status_code == 303


def test_sessions_end_after_a_working_day_in_any_case(staff: Make, settings: Settings) -> None:
    host = staff("host")
    begin = clock.now()
    step = timedelta(minutes=settings.session_idle_minutes - 1)
    passed = timedelta()
    while passed < timedelta(hours=settings.session_hours) - step:
        passed += step
        with time_machine.travel(begin + passed, tick=True):
            assert host.get("/staff/account").status_code == 200
    with time_machine.travel(begin + timedelta(hours=settings.session_hours, seconds=1), tick=True):
        assert host.get("/staff/account").status_code == 303


def test_a_clock_that_jumps_back_locks_nobody_out_and_lengthens_nothing(
    staff: Make, settings: Settings
) -> None:
    host = staff("host")
    begin = clock.now()
    with time_machine.travel(begin - timedelta(hours=1), tick=True):
        assert host.get("/staff/account").status_code == 200
    with time_machine.travel(begin + timedelta(hours=settings.session_hours, seconds=1), tick=True):
        assert host.get("/staff/account").status_code == 303


def test_half_a_session_is_over_after_ten_minutes(client: Client, staff: Make) -> None:
    host = staff("host", signed_in=False)
    client.fill("/staff/sign-in", email=host.email, password=PASSWORD)
    with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=1), tick=True):
        assert client.get("/staff/sign-in/code").status_code == 303


def test_the_cookie_is_for_us_alone(client: Client, staff: Make) -> None:
    host = staff("host", signed_in=False)
    answer = client.fill("/staff/sign-in", email=host.email, password=PASSWORD)
    (header,) = [value for value in answer.headers.getlist("Set-Cookie") if value.startswith("collab=")]
    parts = {part.strip().lower() for part in header.split(";")[1:]}
    assert parts == {"httponly", "path=/", "samesite=lax"}


@pytest.mark.settings(base_url="https://collab.example.org", password_memory_kib=19456)
def test_on_https_the_cookie_is_secure_and_bound_to_the_host(app: Flask, staff: Make) -> None:
    host = staff("host", signed_in=False)
    answer = host.fill("/staff/sign-in", email=host.email, password=PASSWORD)
    (header,) = [
        value for value in answer.headers.getlist("Set-Cookie") if value.startswith("__Host-collab=")
    ]
    parts = {part.strip().lower() for part in header.split(";")[1:]}
    assert parts == {"secure", "httponly", "path=/", "samesite=lax"}
    answer = host.fill(answer.location, code=host.code())
    assert answer.status_code == 303
    assert host.get("/staff/account").status_code == 200


def test_staff_read_their_own_language(staff: Make) -> None:
    host = staff("host", locale="zh")
    page = host.page("/staff/account")
    assert page.get("lang") == "zh-Hans"


def test_a_forgotten_password_is_set_by_the_link_and_nothing_else_changes(
    client: Client, staff: Make
) -> None:
    host = staff("host")
    asked = client.fill("/staff/forgotten", email=host.email.upper(), _follow=True)
    assert asked.status_code == 200
    link = link_in_outbox("password_reset", "/staff/reset/")
    sessions = len(accounts.open_sessions(host.user_id))
    for _ in range(5):
        assert client.get(link).status_code == 200
        assert client.head(link).status_code == 200
    assert len(accounts.open_sessions(host.user_id)) == sessions == 1
    weak = client.fill(link, new_password="password1234")
    assert weak.status_code == 422
    answer = client.fill(link, new_password=NEW)
    assert answer.status_code == 303
    assert answer.location == "/staff/sign-in"
    assert host.get("/staff/account").status_code == 303, "the old session is dead"
    assert client.get(link).status_code == 404, "the link works once"
    assert client.fill("/staff/sign-in", email=host.email, password=PASSWORD).status_code == 422
    answer = client.fill("/staff/sign-in", email=host.email, password=NEW)
    with time_machine.travel(clock.now() + timedelta(seconds=60), tick=True):
        page = client.get(answer.location)
        assert page.request.path == "/staff/sign-in/code", "the second factor is asked for as before"
        assert client.fill(answer.location, code=host.code()).status_code == 303


def test_an_invitation_makes_an_account_with_its_roles(
    client: Client, department: Department, staff: Make
) -> None:
    admin = staff("admin")
    token = invite(admin, department, "li.wei@example.org", Role.COORDINATOR, Role.HOST)
    link = f"/staff/invitation/{token}"
    for _ in range(5):
        assert client.get(link).status_code == 200
    assert accounts.by_email("li.wei@example.org") is None, "opening the link makes nothing"
    weak = client.fill(link, name="Li Wei", password="li.wei-12345678", locale="zh")
    assert weak.status_code == 422
    answer = client.answer(weak, name="Li Wei", password=NEW, locale="zh")
    page = client.get(answer.location, follow_redirects=True)
    assert page.request.path == "/staff/sign-in/second-factor"
    code = pyotp.TOTP(secret_on(page.text)).at(clock.now())
    client.fill(page.request.path, code=code)
    assert client.get("/staff/account").status_code == 200
    user = accounts.by_email("li.wei@example.org")
    assert user is not None
    assert (user.name, user.locale) == ("Li Wei", "zh")
    assert user.roles_in(department.id) == {Role.COORDINATOR, Role.HOST}
    assert client.get(link).status_code == 404


def test_who_has_an_account_takes_the_invitation_up_signed_in(department: Department, staff: Make) -> None:
    admin, member, stranger = staff("admin"), staff("viewer", email="mei@example.org"), staff("host")
    with unit_of_work():
        accounts.revoke_role(member.user, Role.VIEWER, department_id=department.id, by=admin.actor)
    token = invite(admin, department, "Mei@example.org", Role.REVIEWER)
    link = f"/staff/invitation/{token}"
    assert "Sign in" in text_of(stranger.page(link)), "another account cannot take it"
    stranger.post(
        link, data={"csrf_token": stranger.form("/staff/account", form="myself").value("csrf_token")}
    )
    assert stranger.user.roles_in(department.id) == {Role.HOST}
    with time_machine.travel(clock.now() + timedelta(seconds=60), tick=True):
        member.sign_in()
        answer = member.fill(link, _button="Accept the invitation")
    assert answer.status_code == 303
    assert member.user.roles_in(department.id) == {Role.REVIEWER}


def invite(admin: Staff, department: Department, email: str, *roles: Role) -> str:
    with unit_of_work():
        _invitation, token = accounts.invite(email, roles=roles, department=department, by=admin.actor)
    return token


def link_in_outbox(topic: str, start: str) -> str:
    from collab.mail import OutboxMail

    body = db.session.scalars(
        sa.select(OutboxMail.body_text).where(OutboxMail.topic == topic).order_by(OutboxMail.id.desc())
    ).first()
    assert body
    found = re.search(rf"http://127\.0\.0\.1:8000({re.escape(start)}[\w-]{{43}})\n", body)
    assert found, body
    return found.group(1)
