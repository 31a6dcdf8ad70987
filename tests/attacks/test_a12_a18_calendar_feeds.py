"""A12 guessed · A14 odd · A16 old · A17 other links at the address of a calendar; A18 hammering; A19 what logs show."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from collab import accounts
from collab.accounts import COMMAND, Actor, CalendarFeed, Role, absences, feeds
from collab.core import clock, limits, tokens
from collab.core.db import db, unit_of_work
from collab.core.errors import Forbidden, NotFound
from collab.departments import Department
from collab.desk import digest
from collab.inquiries import Assignment, triage
from collab.mail import OutboxMail
from collab.web import hooks
from tests.support.client import Client
from tests.support.people import Staff
from tests.support.world import World

Make = Callable[..., Staff]


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


@pytest.fixture
def host(staff: Make, world: World) -> Staff:
    """A host with something to do."""
    host = staff("host")
    world.route(world.received(title="The wicken proposal"), host.actor)
    return host


def make(host: Staff) -> str:
    with unit_of_work():
        return feeds.make_feed(host.user, by=host.actor)


def address(token: str) -> str:
    return f"/feeds/{token}.ics"


def refused(client: Client, token: str) -> str:
    answer = client.get(address(token))
    assert answer.status_code == 404, token
    return answer.text.replace(answer.headers["X-Request-Id"], "")


def test_a12_a14_a16_a17_one_refusal_for_whatever_is_wrong(
    client: Client, host: Staff, department: Department
) -> None:
    old = make(host)
    good = make(host)
    with unit_of_work():
        _invitation, invitation = accounts.invite(
            "x@example.org", roles=[Role.HOST], department=department, by=COMMAND
        )
    session = db.session.scalars(sa.select(accounts.StaffSession.token)).first()
    stored = db.session.scalars(sa.select(CalendarFeed.token).order_by(CalendarFeed.id.desc())).first()
    assert stored == tokens.digest("calendar-feed", good) != good
    flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
    odd = ["null", "0", "%20", "None", "x" * 43, "x" * 5000, flipped, good.swapcase(), good[:20]]
    bad = [old, invitation, str(session), str(stored), *odd]
    texts = {refused(client, token) for token in bad}
    assert len(texts) == 1, "nobody can tell what was wrong"
    assert client.get(address(good)).status_code == 200
    for other in ("/staff/invitation/", "/staff/reset/"):
        assert client.get(f"{other}{good}").status_code == 404, other


def test_a16_dead_with_the_account_the_roles_or_the_feed(client: Client, host: Staff) -> None:
    token = make(host)
    assert client.get(address(token)).status_code == 200
    unknown = refused(client, tokens.new_token())
    with unit_of_work():
        host.user.disabled_at = clock.now()
    assert refused(client, token) == unknown
    with unit_of_work():
        host.user.disabled_at = None
        memberships = [(one.department_id, one.role) for one in host.user.memberships]
        host.user.memberships = []
    assert refused(client, token) == unknown
    with unit_of_work():
        host.user.memberships = [accounts.Membership(department_id=id, role=role) for id, role in memberships]
    assert client.get(address(token)).status_code == 200
    with unit_of_work():
        feeds.revoke_feed(host.user, by=host.actor)
    assert refused(client, token) == unknown


def test_a09_a19_it_needs_no_cookie_sets_none_and_says_no_name(client: Client, host: Staff) -> None:
    token = make(host)
    answer = client.get(address(token))
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "private" in answer.headers["Cache-Control"]
    assert "public" not in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "wicken" not in answer.text
    assert host.user.name not in answer.text
    assert token not in answer.text
    head = client.head(address(token))
    assert (head.status_code, head.data) == (200, b"")
    again = client.get(address(token), headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.post(address(token)).status_code == 405


def test_a15_reading_changes_nothing(client: Client, host: Staff, world: World) -> None:
    token = make(host)
    before = world.stored()
    for _ in range(5):
        client.get(address(token))
        client.head(address(token))
    assert world.stored() == before


def test_a18_guessing_ends_with_429_and_then_a_good_one_is_refused_alike(client: Client, host: Staff) -> None:
    token = make(host)
    for _ in range(60):
        assert client.get(address(tokens.new_token())).status_code == 404
    answer = client.get(address(tokens.new_token()))
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get(address(token)).status_code == 429
    with unit_of_work():
        db.session.execute(sa.delete(limits.RateCount))
    assert client.get(address(token)).status_code == 200


def test_a19_the_log_shows_no_address(client: Client, host: Staff, capfd: pytest.CaptureFixture[str]) -> None:
    token = make(host)
    assert hooks.masked(address(token)) == "/feeds/***"
    capfd.readouterr()
    client.get(address(token))
    written = "".join(capfd.readouterr())
    assert token not in written


def test_a05_a_conflict_closes_the_feed(client: Client, host: Staff, world: World) -> None:
    token = make(host)
    (id,) = [one.inquiry_id for one in db.session.scalars(sa.select(Assignment))]
    reference = world.get(id).reference
    assert reference in client.get(address(token)).text
    world.do(triage.declare_conflict, id, by=host.actor)
    assert reference not in client.get(address(token)).text


def test_a08_nobody_makes_or_ends_anothers_feed_absence_or_wishes(
    app: Flask, staff: Make, host: Staff, department: Department
) -> None:
    token = make(host)
    other = staff("host")
    form = {"csrf_token": other.form("/staff/account", form="myself").value("csrf_token") or ""}
    other.post("/staff/account/calendar/end", data=form | {"user_id": str(host.user_id)})
    assert feeds.feed_by_token(token).id == host.user_id
    today = clock.today(department.timezone)
    with unit_of_work():
        id = absences.enter(
            host.user,
            department=department,
            first_day=today,
            last_day=today + timedelta(days=3),
            deputy=None,
            by=host.actor,
        ).id
    assert other.post(f"/staff/account/absences/{id}/end", data=form).status_code == 404
    assert other.post(f"/staff/account/absences/{id + 99}/end", data=form).status_code == 404
    assert other.post(f"/staff/absences/{id}/end", data=form).status_code == 403
    head = staff("head")
    form = {"csrf_token": head.form("/staff/account", form="myself").value("csrf_token") or ""}
    assert head.get("/staff/absences").status_code == 403
    assert head.post("/staff/absences", data=form | {"person": str(host.user_id)}).status_code == 403
    # A coordinator's own page does not end a colleague's either; the page for that does.
    coordinator = staff("coordinator")
    form = {"csrf_token": coordinator.form("/staff/account", form="myself").value("csrf_token") or ""}
    assert coordinator.post(f"/staff/account/absences/{id}/end", data=form).status_code == 404
    assert host.user_id in absences.roster(department).away
    assert coordinator.post(f"/staff/absences/{id}/end", data=form).status_code == 303
    db.session.rollback()
    assert host.user_id not in absences.roster(department).away


def test_a01_another_departments_coordinator_enters_and_ends_nothing_here(
    world: World, host: Staff, department: Department
) -> None:
    other = Actor(
        kind="staff",
        user_id=host.user_id + 1000,
        memberships=frozenset({(department.id + 7, Role.COORDINATOR)}),
    )
    today = clock.today(department.timezone)
    with pytest.raises(Forbidden), unit_of_work():
        absences.enter(
            host.user, department=department, first_day=today, last_day=today, deputy=None, by=other
        )
    with unit_of_work():
        id = absences.enter(
            host.user, department=department, first_day=today, last_day=today, deputy=None, by=host.actor
        ).id
    with pytest.raises(NotFound):
        absences.by_id(id, by=other)


def test_a62_a_form_of_absences_offers_colleagues_alone(
    staff: Make, host: Staff, department: Department
) -> None:
    colleague, viewer, reviewer = (
        staff("host", name="Colleague"),
        staff("viewer", name="Viewer"),
        staff("reviewer"),
    )
    offered = host.form("/staff/account/absences", form="absence").choices("deputy")
    assert set(offered) == {"", str(colleague.user_id)}
    for stranger in (viewer, reviewer):
        answer = host.fill(
            "/staff/account/absences",
            _form="absence",
            first_day=clock.today(department.timezone).isoformat(),
            last_day=clock.today(department.timezone).isoformat(),
            _forged={"deputy": str(stranger.user_id)},
        )
        assert answer.status_code == 422
        assert stranger.user.name not in answer.text


def test_a54_a_digest_is_its_readers_alone(app: Flask, staff: Make, world: World) -> None:
    """It names many inquiries; some may be closed to whoever reads the outbox."""
    admin = staff("admin", "coordinator")
    host = staff("host")
    id = world.received()
    world.route(id, host.actor, days=3)
    with unit_of_work():
        found = digest.write(host.user_id)
        assert found is not None
        mail_id = found.id
    reference = world.get(id).reference
    assert reference in db.session.get_one(OutboxMail, mail_id).body_text
    page = admin.get(f"/staff/outbox/{mail_id}")
    assert page.status_code == 200
    assert reference not in page.text
    assert staff("coordinator").get(f"/staff/outbox/{mail_id}").status_code == 404
    assert json.dumps(page.text).count("Only that person reads its text") == 1
