"""A04 every page of people and accounts against every role · A07 fields nobody offered · A11 nobody raises himself."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from collab import accounts, audit
from collab.accounts import COMMAND, Actor, Role, User
from collab.core.db import db, unit_of_work
from collab.departments import Department
from tests.support.client import Client
from tests.support.people import PASSWORD, Staff

Make = Callable[..., Staff]
PEOPLE = "/staff/settings/people"
OTHERS = [role.value for role in Role if role is not Role.ADMIN]


def key(client: Client) -> dict[str, str]:
    return {"csrf_token": client.form("/staff/account", form="myself").value("csrf_token") or ""}


def refusals() -> list[tuple[str, int | None]]:
    """What the audit log says of refused deeds: action and who."""
    rows = db.session.execute(
        sa.select(audit.AuditEvent.action, audit.AuditEvent.actor_id).where(audit.AuditEvent.refused)
    )
    return [(action, who) for action, who in rows]


def test_a04_every_page_declares_who_may_open_it(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(("account.", "admin.")):
            view = app.view_functions[rule.endpoint]
            assert getattr(view, "permission", None) in {"public", "signed_in", "manage_people"}, (
                rule.endpoint
            )
            if rule.endpoint.startswith("admin."):
                assert view.permission == "manage_people"


@pytest.mark.parametrize("role", [*OTHERS, None])
def test_a04_the_people_pages_are_closed_to_every_other_role(
    app: Flask, department: Department, staff: Make, role: str | None
) -> None:
    host = staff("host", signed_in=False)
    member = staff(*([role] if role else []))
    data = key(member) | {"roles": ["admin"], "email": "x@example.org", "locale": "en"}
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("admin."):
            continue
        values = {"slug": department.slug, "user_id": host.user_id, "invitation_id": 1}
        built = rule.build({name: values[name] for name in rule.arguments})
        assert built
        for method in (rule.methods or set()) & {"GET", "POST"}:
            answer = member.open(built[1], method=method, data=data if method == "POST" else None)
            assert answer.status_code == 403, (method, built[1])
    assert host.user.roles_in(department.id) == {Role.HOST}
    assert host.user.is_enabled
    assert ("access.refused", member.user_id) in refusals()


def test_a07_fields_that_nobody_offered_change_nothing(
    client: Client, staff: Make, department: Department
) -> None:
    host = staff("host")
    extra = {
        "id": "1",
        "user_id": "1",
        "email": "evil@example.org",
        "email_key": "evil@example.org",
        "role": "admin",
        "roles": ["admin"],
        "is_staff": "1",
        "is_admin": "1",
        "memberships": "admin",
        "department_id": "1",
        "password_hash": "x",
        "totp_secret": "A" * 32,
        "totp_confirmed_at": "2020-01-01",
        "second_factor_at": "2020-01-01",
        "disabled_at": "",
        "version_id": "9",
    }
    before = {column.name: getattr(host.user, column.key) for column in User.__table__.columns}
    assert host.fill("/staff/account", name=host.user.name, locale="en", _forged=extra).status_code == 303
    after = {column.name: getattr(host.user, column.key) for column in User.__table__.columns}
    assert after == before
    assert host.user.roles_in(department.id) == {Role.HOST}
    # Signing in with fields of the second step gives no whole session.
    del extra["email"]
    answer = client.fill("/staff/sign-in", email=host.email, password=PASSWORD, _forged=extra)
    assert answer.location == "/staff/sign-in/code"
    assert client.get("/staff/account").status_code == 303


def test_a07_who_is_invited_chooses_neither_address_nor_roles(client: Client, department: Department) -> None:
    with unit_of_work():
        _invitation, token = accounts.invite(
            "new@example.org", roles=[Role.VIEWER], department=department, by=COMMAND
        )
    forged = {"email": "head@example.org", "roles": ["admin", "head"], "department_id": "1", "role": "admin"}
    answer = client.fill(
        f"/staff/invitation/{token}", name="New", password="quiet-Lantern-over-the-mill", _forged=forged
    )
    assert answer.status_code == 303
    (user,) = accounts.all_users()
    assert (user.email, user.roles_in(department.id)) == ("new@example.org", {Role.VIEWER})


@pytest.mark.parametrize("role", OTHERS)
def test_a11_no_other_role_invites_an_administrator(department: Department, staff: Make, role: str) -> None:
    member = staff(role)
    data = key(member) | {"email": "evil@example.org", "roles": ["admin"], "locale": "en"}
    assert member.post(f"{PEOPLE}/{department.slug}/invite", data=data).status_code == 403
    own = f"{PEOPLE}/{department.slug}/{member.user_id}"
    assert member.post(own, data=key(member) | {"roles": ["admin", role]}).status_code == 403
    assert db.session.scalars(sa.select(accounts.Invitation)).all() == []
    assert member.user.roles_in(department.id) == {Role(role)}
    assert refusals().count(("access.refused", member.user_id)) == 2


def test_a11_an_administrator_does_not_raise_himself_and_it_is_noted(
    department: Department, staff: Make
) -> None:
    admin = staff("admin")
    own = f"{PEOPLE}/{department.slug}/{admin.user_id}"
    assert admin.post(own, data=key(admin) | {"roles": ["admin", "head"]}).status_code == 403
    data = key(admin) | {"email": admin.email.upper(), "roles": ["head"], "locale": "en"}
    assert admin.post(f"{PEOPLE}/{department.slug}/invite", data=data).status_code == 403
    assert admin.user.roles_in(department.id) == {Role.ADMIN}
    assert ("account.change_roles_refused", admin.user_id) in refusals()
    assert ("account.invite_refused", admin.user_id) in refusals()
    assert audit.verify() is None


def test_a11_a_role_that_does_not_exist_is_refused(department: Department, staff: Make) -> None:
    admin, host = staff("admin"), staff("host", signed_in=False)
    path = f"{PEOPLE}/{department.slug}/{host.user_id}"
    for roles in (["superuser"], ["host", "ADMIN"], ["admin\x00"], [""]):
        assert admin.post(path, data=key(admin) | {"roles": roles}).status_code == 422
    assert host.user.roles_in(department.id) == {Role.HOST}


def test_a28_a_browser_that_calls_itself_markup_is_an_unknown_browser(staff: Make) -> None:
    host = staff("host", signed_in=False)
    evil = "<script>alert(1)</script>\u2028 \x1b[31mred\x1b[0m " + "A" * 100_000
    with unit_of_work():
        accounts.start_session(
            host.user, by=Actor(kind="visitor", network="192.0.2.0/24"), second_factor=True, agent=evil
        )
    (session,) = accounts.open_sessions(host.user_id)
    assert len(session.agent) <= 200
    assert session.agent.isprintable()
    host.sign_in()
    text = host.get("/staff/account").text
    assert "Unknown browser" in text
    assert "alert(1)" not in text
    assert "[31m" not in text
    assert "AAAA" not in text
