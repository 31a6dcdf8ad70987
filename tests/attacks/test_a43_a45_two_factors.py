"""A43 each code once · A44 a password alone opens nothing · A45 odd passwords · A57 one invitation, one account."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from werkzeug.routing import IntegerConverter

from collab import accounts
from collab.accounts import COMMAND, Actor, Membership, RecoveryCode, Role, StaffSession, second_factor
from collab.core import clock
from collab.core.db import TryAgain, db, unit_of_work
from collab.core.errors import Invalid, NotFound, Refused
from collab.departments import Department
from tests.attacks.test_a14_a18_staff_links import ask_for_reset
from tests.support.client import Client
from tests.support.people import PASSWORD, Staff

# What is raced for, or read by the database itself, is tried on both.
pytestmark = pytest.mark.both_databases

Make = Callable[..., Staff]
NEW = "quiet-Lantern-over-the-mill"
VISITOR = Actor(kind="visitor", network="127.0.0.0/24")


def at_the_second_step(browser: Client, host: Staff, password: str = PASSWORD) -> str:
    answer = browser.fill("/staff/sign-in", email=host.email, password=password)
    assert answer.status_code == 303
    return answer.location


def test_a43_a_code_works_once_however_it_is_typed(browser_like: Callable[[], Client], staff: Make) -> None:
    host = staff("host", signed_in=False)
    with time_machine.travel(clock.now().replace(second=5, microsecond=0), tick=False) as moment:
        code = host.code()
        first, second = browser_like(), browser_like()
        assert first.fill(at_the_second_step(first, host), code=code).status_code == 303
        page = second.get(at_the_second_step(second, host))
        for again in (code, f" {code} ", f"{code[:3]} {code[3:]}", f"{code[:3]}-{code[3:]}"):
            assert second.answer(page, code=again).status_code == 422
        # In the next window the code is still within the drift, and still used up.
        moment.shift(timedelta(minutes=15, seconds=0))
        code = host.code()
        third = browser_like()
        assert third.fill(at_the_second_step(third, host), code=code).status_code == 303
        moment.shift(timedelta(seconds=30))
        assert second.fill(at_the_second_step(second, host), code=code).status_code == 422


def test_a43_an_older_code_is_dead_once_a_newer_was_used(
    browser_like: Callable[[], Client], staff: Make
) -> None:
    host = staff("host", signed_in=False)
    with time_machine.travel(clock.now(), tick=False):
        totp = pyotp.TOTP(host.totp_secret)
        newest, oldest = (
            totp.at(clock.now() + timedelta(seconds=30)),
            totp.at(clock.now() - timedelta(seconds=30)),
        )
        first, second = browser_like(), browser_like()
        assert first.fill(at_the_second_step(first, host), code=newest).status_code == 303
        page = second.get(at_the_second_step(second, host))
        for code in (oldest, host.code(), newest):
            assert second.answer(page, code=code).status_code == 422


def test_a43_the_code_of_the_enrolment_is_used_up(staff: Make) -> None:
    host = staff("host")
    with time_machine.travel(clock.now() + timedelta(seconds=60), tick=False):
        answer = host.fill("/staff/account/second-factor", password=PASSWORD, code=host.code())
        assert (
            host.fill("/staff/account/second-factor", password=PASSWORD, code=host.code()).status_code == 422
        )
        session = accounts.open_sessions(host.user_id)[0]
        secret = accounts.offered_secret(session)
        assert secret
        code = pyotp.TOTP(secret).at(clock.now())
        assert host.fill(answer.location, code=code).status_code == 200
        other = staff("viewer", signed_in=False)
        assert other.fill(at_the_second_step(other, host), code=code).status_code == 422


def in_parallel(app: Flask, deed: Callable[[int], object], number: int = 20) -> list[object]:
    """The same deed by many at once, each with a session of its own; what is refused counts as its error's name."""

    def act(index: int) -> object:
        with app.app_context():
            for _attempt in range(5):
                try:
                    return deed(index)
                except TryAgain:  # as the application's dispatcher does
                    continue
                except (Refused, sa.exc.IntegrityError) as refusal:
                    return type(refusal).__name__
                finally:
                    db.session.remove()
            raise AssertionError("the database broke it off five times")

    db.session.rollback()
    with ThreadPoolExecutor(number) as pool:
        done = list(pool.map(act, range(number)))
    db.session.rollback()
    return done


def halves(host: Staff, number: int) -> list[int]:
    """Half sessions of one person."""
    made = []
    for _ in range(number):
        with unit_of_work():
            accounts.start_session(host.user, by=VISITOR, second_factor=False)
        made.append(db.session.scalars(sa.select(sa.func.max(StaffSession.id))).one())
    return made


def test_a43_of_twenty_at_once_one_gets_in(app: Flask, staff: Make) -> None:
    host = staff("host", signed_in=False)
    sessions, code = halves(host, 20), host.code()

    def deed(index: int) -> str:
        session = db.session.get_one(StaffSession, sessions[index])
        # Each from a network of its own, so that no limit does the work of the rule.
        accounts.verify_totp(session, code, by=Actor(kind="visitor", network=f"192.0.{index}.0/24"))
        return "in"

    outcome = in_parallel(app, deed)
    assert outcome.count("in") == 1
    assert set(outcome) == {"in", "Invalid"}
    assert len(accounts.open_sessions(host.user_id)) == 1


def test_a43_of_twenty_at_once_one_uses_the_recovery_code(app: Flask, staff: Make) -> None:
    host = staff("host", signed_in=False)
    (code, *_rest) = second_factor.new_recovery_codes()
    with unit_of_work():
        db.session.add(RecoveryCode(user_id=host.user_id, selector=code.selector, code_hash=code.code_hash))
    sessions = halves(host, 20)

    def deed(index: int) -> str:
        session = db.session.get_one(StaffSession, sessions[index])
        accounts.use_recovery_code(
            session, code.text, by=Actor(kind="visitor", network=f"192.0.{index}.0/24")
        )
        return "in"

    outcome = in_parallel(app, deed)
    assert outcome.count("in") == 1
    assert set(outcome) == {"in", "Invalid"}


def test_a43_a_recovery_code_of_somebody_else_opens_nothing(staff: Make) -> None:
    mine, theirs = staff("host", signed_in=False), staff("host", signed_in=False)
    (code, *_rest) = second_factor.new_recovery_codes()
    with unit_of_work():
        db.session.add(RecoveryCode(user_id=theirs.user_id, selector=code.selector, code_hash=code.code_hash))
    (session_id,) = halves(mine, 1)
    with pytest.raises(Invalid):
        accounts.use_recovery_code(db.session.get_one(StaffSession, session_id), code.text, by=VISITOR)
    assert db.session.scalars(sa.select(RecoveryCode.used_at)).one() is None


def staff_pages(app: Flask) -> list[tuple[str, str]]:
    """Every address under /staff with every method, placeholders filled."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/staff"):
            values = {
                name: 1
                if isinstance(converter, IntegerConverter)
                else min(getattr(converter, "items", ()), default="x")
                for name, converter in rule._converters.items()
            }
            address = rule.build(values)
            assert address
            found += [
                (method, address[1]) for method in sorted(rule.methods or ()) if method in {"GET", "POST"}
            ]
    return found


SIGN_IN = {
    "/staff/sign-in",
    "/staff/sign-in/code",
    "/staff/sign-in/password",
    "/staff/sign-in/second-factor",
    "/staff/sign-in/next",
}
WITHOUT = SIGN_IN | {
    "/staff/sign-out",
    "/staff/signed-out",
    "/staff/forgotten",
    "/staff/forgotten/sent",
    "/staff/reset/x",
    "/staff/invitation/x",
}


@pytest.mark.parametrize("how", ["nothing", "password", "basic", "bearer", "reset", "one-time"])
def test_a44_no_page_opens_without_the_second_factor(
    app: Flask, client: Client, staff: Make, department: Department, how: str
) -> None:
    host = staff("admin", "coordinator", "head", signed_in=False)
    headers: dict[str, str] = {}
    match how:
        case "password":
            at_the_second_step(client, host)
        case "basic":
            from base64 import b64encode

            pair = b64encode(f"{host.email}:{PASSWORD}".encode()).decode()
            headers = {"Authorization": f"Basic {pair}"}
        case "bearer":
            with unit_of_work():
                token = accounts.start_session(host.user, by=VISITOR, second_factor=True)
            headers = {"Authorization": f"Bearer {token}"}
        case "reset":
            accounts.reset_password(ask_for_reset(host.email), new=NEW, by=VISITOR)
            assert at_the_second_step(client, host, NEW) == "/staff/sign-in/code"
        case "one-time":
            with unit_of_work():
                one_time = accounts.create_user(
                    "new@example.org", "New", by=COMMAND, roles=[(department.id, Role.ADMIN)]
                )
                password = accounts.issue_one_time_password(one_time, by=COMMAND)
            client.fill("/staff/sign-in", email="new@example.org", password=password)
            client.fill("/staff/sign-in/password", new_password=NEW)
    key = client.form("/staff/sign-in").value("csrf_token")
    pages = [page for page in staff_pages(app) if page[1] not in WITHOUT]
    assert len(pages) > 15
    for method, path in pages:
        data = {"csrf_token": key} if method == "POST" else None
        answer = client.open(path, method=method, headers=headers, data=data)
        assert answer.status_code == 303, (method, path)
        assert answer.location.startswith("/staff/sign-in"), (method, path)
    assert accounts.open_sessions(host.user_id) == [] or how == "bearer"


def test_a44_the_steps_cannot_be_skipped(client: Client, staff: Make) -> None:
    host = staff("host", signed_in=False)
    at_the_second_step(client, host)
    for path in SIGN_IN - {"/staff/sign-in", "/staff/sign-in/code"}:
        assert client.get(path).location == "/staff/sign-in/code"
    key = client.form("/staff/sign-in/code").value("csrf_token")
    for path in ("/staff/sign-in/password", "/staff/sign-in/second-factor"):
        answer = client.post(path, data={"csrf_token": key, "new_password": NEW, "code": host.code()})
        assert answer.location == "/staff/sign-in/code"
    assert host.user.totp_secret == host.totp_secret
    (session,) = db.session.scalars(sa.select(StaffSession)).all()
    with pytest.raises(NotFound):
        accounts.confirm_second_factor(session, host.code(), by=VISITOR)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD + " ",
        " " + PASSWORD,
        PASSWORD.upper(),
        PASSWORD + "\x00",
        PASSWORD + "\x00" + "x" * 50,
        PASSWORD[:-1],
        PASSWORD + "x" * 1_000_000,
        "x" * 1024,
        "银" * 10_000,
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_a45_only_the_very_password_opens(
    client: Client, staff: Make, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = staff("host", signed_in=False)
    compared = []
    if len(password.encode()) > 1024:
        monkeypatch.setattr("argon2.PasswordHasher.verify", lambda *_: compared.append(1))
    answer = client.fill("/staff/sign-in", email=host.email, password=password)
    assert answer.status_code in {413, 422}
    assert compared == [], "too long ones are refused before any hashing"
    assert db.session.scalars(sa.select(StaffSession)).all() == []


@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        (
            "moss-Kettle-17-harbour-" + "y" * 60 + "a",
            "moss-Kettle-17-harbour-" + "y" * 60 + "b",
        ),  # differ after byte 72
        ("caf\u00e9-Kettle-17-harbour", "cafe\u0301-Kettle-17-harbour"),
        (" moss-Kettle-17-harbour", "moss-Kettle-17-harbour"),
        ("moss-Kettle-17-harbour\x00a", "moss-Kettle-17-harbour\x00b"),
    ],
)
def test_a45_twins_are_told_apart(client: Client, staff: Make, kept: str, typed: str) -> None:
    host = staff("host", signed_in=False)
    accounts.reset_password(ask_for_reset(host.email), new=kept, by=VISITOR)
    assert client.fill("/staff/sign-in", email=host.email, password=typed).status_code == 422
    assert client.fill("/staff/sign-in", email=host.email, password=kept).status_code == 303


def test_a57_of_twenty_who_accept_one_invitation_one_joins(app: Flask, department: Department) -> None:
    with unit_of_work():
        _invitation, token = accounts.invite(
            "new@example.org", roles=[Role.HOST, Role.REVIEWER], department=department, by=COMMAND
        )

    def deed(index: int) -> str:
        accounts.accept_invitation(token, name=f"Name {index}", password=NEW, locale="en", by=VISITOR)
        return "joined"

    outcome = in_parallel(app, deed)
    assert outcome.count("joined") == 1
    assert set(outcome) == {"joined", "NotFound"}
    (user,) = accounts.all_users()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Membership)) == 2
    assert user.roles_in(department.id) == {Role.HOST, Role.REVIEWER}


def test_a57_of_twenty_who_use_one_reset_link_one_does(app: Flask, staff: Make) -> None:
    host = staff("host", signed_in=False)
    token = ask_for_reset(host.email)

    def deed(index: int) -> str:
        accounts.reset_password(token, new=f"{NEW}-{index}", by=VISITOR)
        return f"{NEW}-{index}"

    outcome = in_parallel(app, deed)
    (password,) = [str(done) for done in outcome if done != "NotFound"]
    assert accounts.passwords.matches(host.user.password_hash, password)


def test_a57_two_administrators_cannot_remove_each_other(
    app: Flask, department: Department, staff: Make
) -> None:
    pair = [staff("admin", signed_in=False) for _ in range(2)]
    actors, ids, department_id = [one.actor for one in pair], [one.user_id for one in pair], department.id

    def deed(index: int) -> str:
        me, other = index % 2, 1 - index % 2
        with unit_of_work():
            accounts.revoke_role(
                accounts.user_by_id(ids[other]), Role.ADMIN, department_id=department_id, by=actors[me]
            )
        return "removed"

    outcome = in_parallel(app, deed, 8)
    left = db.session.scalar(
        sa.select(sa.func.count()).select_from(Membership).where(Membership.role == Role.ADMIN)
    )
    assert left == 1, outcome
