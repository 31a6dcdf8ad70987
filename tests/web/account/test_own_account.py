"""One's own account: name, language, password, second factor, sessions."""

from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
import time_machine

from collab import accounts
from collab.core import clock
from collab.departments import Department
from tests.support.people import PASSWORD, Staff
from tests.web.account.test_signing_in import NEW, secret_on

Make = Callable[..., Staff]


def later(seconds: int = 60) -> time_machine.travel:
    """A moment with a fresh code: the one of the sign-in is used up."""
    return time_machine.travel(clock.now() + timedelta(seconds=seconds), tick=True)


def test_name_and_language_are_changed(staff: Make) -> None:
    host = staff("host", name="Zhou Min")
    answer = host.fill("/staff/account", name="  Zhou   Min-Hua ", locale="zh")
    assert answer.status_code == 303
    assert (host.user.name, host.user.locale) == ("Zhou Min-Hua", "zh")
    assert host.page("/staff/account").get("lang") == "zh-Hans"
    assert host.fill("/staff/account", name=" ").status_code == 422
    assert host.fill("/staff/account", name="Zhou\u202eniM").status_code == 422
    assert host.user.name == "Zhou Min-Hua"


def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(staff: Make) -> None:
    host = staff("host")
    other = staff("host", signed_in=False)
    other.email, other.totp_secret, other.user_id = host.email, host.totp_secret, host.user_id
    with later():
        other.sign_in()
        path = "/staff/account/password"
        for fields, wrong in (
            ({"old_password": "not-this-one-at-all", "new_password": NEW}, "old_password-error"),
            ({"old_password": PASSWORD.lower(), "new_password": NEW}, "old_password-error"),
            ({"old_password": PASSWORD, "new_password": PASSWORD}, "new_password-error"),
            ({"old_password": PASSWORD, "new_password": "short"}, "new_password-error"),
            ({"old_password": "", "new_password": NEW}, "old_password-error"),
        ):
            answer = host.fill(path, **fields)
            assert answer.status_code == 422
            assert f'id="{wrong}"' in answer.text
            assert NEW not in answer.text
        assert other.get("/staff/account").status_code == 200
        assert host.fill(path, old_password=PASSWORD, new_password=NEW).status_code == 303
        assert host.get("/staff/account").status_code == 200
        assert other.get("/staff/account").status_code == 303
        assert other.fill("/staff/sign-in", email=host.email, password=PASSWORD).status_code == 422
        assert other.fill("/staff/sign-in", email=host.email, password=NEW).status_code == 303


def test_moving_to_another_phone(staff: Make) -> None:
    host = staff("host")
    # Without a proof there is nothing to confirm.
    assert host.get("/staff/account/second-factor/new").location == "/staff/account/second-factor"
    with later():
        for password, code in (("wrong-password-entirely", host.code()), (PASSWORD, "000000")):
            assert host.fill("/staff/account/second-factor", password=password, code=code).status_code == 422
        answer = host.fill("/staff/account/second-factor", password=PASSWORD, code=host.code())
        assert answer.status_code == 303
        page = host.get(answer.location)
        secret = secret_on(page.text)
        assert secret != host.totp_secret
        assert host.user.totp_secret == host.totp_secret, "the old one works until the new one is confirmed"
        done = host.fill(answer.location, code=pyotp.TOTP(secret).at(clock.now()))
        assert done.status_code == 200
        assert host.user.totp_secret == secret
        assert host.get("/staff/account").status_code == 200
    with later(120):
        old = staff("viewer", signed_in=False)
        answer = old.fill("/staff/sign-in", email=host.email, password=PASSWORD)
        assert old.fill(answer.location, code=host.code()).status_code == 422


def test_a_proof_is_good_for_half_an_hour(staff: Make) -> None:
    host = staff("host")
    with later():
        answer = host.fill("/staff/account/second-factor", password=PASSWORD, code=host.code())
        assert host.get(answer.location).status_code == 200
    with later(60 + 31 * 60):
        assert host.get(answer.location).location == "/staff/account/second-factor"


def test_sessions_are_seen_and_ended(staff: Make) -> None:
    host = staff("host")
    stranger = staff("host")
    other = staff("host", signed_in=False)
    other.email, other.totp_secret, other.user_id = host.email, host.totp_secret, host.user_id
    with later():
        other.sign_in()
        newest, oldest = accounts.open_sessions(host.user_id)
        token = host.form("/staff/account", form="myself").value("csrf_token")
        assert stranger.get("/staff/account").status_code == 200
        theirs = stranger.form("/staff/account", form="myself").value("csrf_token")
        answer = stranger.post(f"/staff/account/sessions/{newest.id}/end", data={"csrf_token": theirs})
        assert answer.status_code == 404
        assert len(accounts.open_sessions(host.user_id)) == 2
        answer = host.post(f"/staff/account/sessions/{newest.id}/end", data={"csrf_token": token})
        assert answer.status_code == 303
        assert other.get("/staff/account").status_code == 303
        assert host.get("/staff/account").status_code == 200
        with later(120):
            other.sign_in()
            host.post("/staff/account/sessions/end-others", data={"csrf_token": token})
            assert other.get("/staff/account").status_code == 303
            answer = host.post(f"/staff/account/sessions/{oldest.id}/end", data={"csrf_token": token})
            assert answer.location == "/staff/signed-out"
            assert host.get("/staff/account").status_code == 303


def test_the_page_costs_the_same_for_one_session_and_for_many(staff: Make, department: Department) -> None:
    import sqlalchemy as sa

    from collab.core.db import db, unit_of_work

    host = staff("host")
    counts = []
    for _ in range(2):
        number = 0

        def one_more(*_: object) -> None:
            nonlocal number
            number += 1

        sa.event.listen(db.engine, "before_cursor_execute", one_more)
        assert host.get("/staff/account").status_code == 200
        sa.event.remove(db.engine, "before_cursor_execute", one_more)
        counts.append(number)
        with unit_of_work():
            for _ in range(30):
                accounts.start_session(host.user, by=host.actor, second_factor=True)
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "path", ["/staff/account", "/staff/account/password", "/staff/account/second-factor"]
)
def test_signing_out_can_be_seen_on_every_page(staff: Make, path: str) -> None:
    assert 'action="/staff/sign-out"' in staff("host").get(path).text
