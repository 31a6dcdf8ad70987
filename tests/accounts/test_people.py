"""People, roles and invitations: who may do what to whom."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab import accounts, audit
from collab.accounts import COMMAND, Invitation, Role, StaffSession, User
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.departments import Department
from tests.support.crowd import at_once
from tests.support.people import Staff

Make = Callable[..., Staff]


def second_department(like: Department) -> Department:
    """Another department of the same house."""
    with unit_of_work():
        other = Department(
            slug="volcanology",
            code="VO",
            timezone=like.timezone,
            content={**like.content, "slug": "volcanology", "code": "VO"},
            content_digest="0" * 64,
            created_at=clock.now(),
        )
        db.session.add(other)
        db.session.flush()
        id = other.id
    return db.session.get_one(Department, id)


def actions() -> list[str]:
    return list(db.session.scalars(sa.select(audit.AuditEvent.action).order_by(audit.AuditEvent.id)))


def test_the_first_administrator_is_made_once(app: Flask, department: Department) -> None:
    with unit_of_work():
        password = accounts.create_first_admin("Head.Nurse@Example.org", department_id=department.id)
    assert password
    with unit_of_work():
        assert accounts.create_first_admin("other@example.org", department_id=department.id) is None
    (user,) = accounts.all_users()
    assert user.email == "Head.Nurse@example.org"
    assert user.must_change_password
    assert not user.has_second_factor
    assert user.roles_in(department.id) == {Role.ADMIN, Role.COORDINATOR, Role.HEAD}
    assert password not in (user.password_hash or "")


def test_one_address_one_account_whatever_the_case(app: Flask, department: Department) -> None:
    with unit_of_work():
        accounts.create_user("li.wei@example.org", "Li Wei", by=COMMAND)
    with pytest.raises(Invalid) as refusal, unit_of_work():
        accounts.create_user("LI.WEI@example.ORG", "Li Wei", by=COMMAND)
    assert refusal.value.field == "email"


def test_roles_are_given_and_taken_by_an_administrator_alone(department: Department, staff: Make) -> None:
    admin, host = staff("admin", signed_in=False), staff("host", signed_in=False)
    with unit_of_work():
        accounts.grant_role(host.user, Role.REVIEWER, department_id=department.id, by=admin.actor)
    assert host.user.roles_in(department.id) == {Role.HOST, Role.REVIEWER}
    with unit_of_work():
        accounts.revoke_role(host.user, Role.HOST, department_id=department.id, by=admin.actor)
    assert host.user.roles_in(department.id) == {Role.REVIEWER}
    for role in ("coordinator", "head", "host", "reviewer", "compliance", "viewer"):
        other = staff(role, signed_in=False)
        with pytest.raises(NotFound), unit_of_work():
            accounts.grant_role(host.user, Role.ADMIN, department_id=department.id, by=other.actor)
    assert host.user.roles_in(department.id) == {Role.REVIEWER}


def test_nobody_raises_his_own_role(department: Department, staff: Make) -> None:
    admin = staff("admin", signed_in=False)
    with pytest.raises(Forbidden), unit_of_work():
        accounts.grant_role(admin.user, Role.HEAD, department_id=department.id, by=admin.actor)
    with pytest.raises(Forbidden), unit_of_work():
        accounts.invite(admin.email.upper(), roles=[Role.HEAD], department=department, by=admin.actor)
    assert admin.user.roles_in(department.id) == {Role.ADMIN}


def test_the_last_administrator_stays(department: Department, staff: Make) -> None:
    first, second = staff("admin", signed_in=False), staff("admin", signed_in=False)
    with unit_of_work():
        accounts.disable_user(second.user, by=first.actor)
    with pytest.raises(Conflict), unit_of_work():
        accounts.revoke_role(first.user, Role.ADMIN, department_id=department.id, by=first.actor)
    with pytest.raises(Conflict), unit_of_work():
        accounts.disable_user(first.user, by=COMMAND)
    with unit_of_work():
        accounts.enable_user(second.user, by=first.actor)
    with unit_of_work():
        accounts.revoke_role(first.user, Role.ADMIN, department_id=department.id, by=second.actor)
    assert first.user.roles_in(department.id) == frozenset()


def test_another_departments_people_are_out_of_reach(department: Department, staff: Make) -> None:
    admin, host = staff("admin", signed_in=False), staff("host", signed_in=False)
    other = second_department(department)
    with unit_of_work():
        stranger = accounts.create_user("v@example.org", "V", by=COMMAND, roles=[(other.id, Role.ADMIN)])
        accounts.grant_role(host.user, Role.HOST, department_id=other.id, by=COMMAND)
    for deed in (
        lambda: accounts.grant_role(stranger, Role.HOST, department_id=other.id, by=admin.actor),
        lambda: accounts.revoke_role(stranger, Role.ADMIN, department_id=other.id, by=admin.actor),
        lambda: accounts.disable_user(stranger, by=admin.actor),
        lambda: accounts.reset_second_factor(stranger, by=admin.actor),
        lambda: accounts.sign_out_everywhere(stranger, by=admin.actor),
        lambda: accounts.people(other.id, seen_by=admin.actor),
        lambda: accounts.person(stranger.id, department.id, seen_by=admin.actor),
        lambda: accounts.person(stranger.id, other.id, seen_by=admin.actor),
        lambda: accounts.open_invitations(other.id, seen_by=admin.actor),
        lambda: accounts.invite("x@example.org", roles=[Role.HOST], department=other, by=admin.actor),
    ):
        with pytest.raises(NotFound), unit_of_work():
            deed()
    # Who works for both is switched off by neither administrator alone.
    with pytest.raises(Forbidden), unit_of_work():
        accounts.disable_user(host.user, by=admin.actor)
    with unit_of_work():
        accounts.revoke_role(host.user, Role.HOST, department_id=department.id, by=admin.actor)
    assert host.user.roles_in(other.id) == {Role.HOST}


def test_a_list_costs_the_same_for_three_and_for_thirty(department: Department, staff: Make) -> None:
    admin = staff("admin", signed_in=False)
    department_id = department.id

    def count() -> int:
        number = 0

        def one_more(*_: object) -> None:
            nonlocal number
            number += 1

        db.session.rollback()
        actor = admin.actor
        db.session.rollback()
        sa.event.listen(db.engine, "before_cursor_execute", one_more)
        try:
            found = accounts.people(department_id, seen_by=actor)
            assert [row.roles for row in found]
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", one_more)
        return number

    for _ in range(3):
        staff("host", "reviewer", signed_in=False)
    few = count()
    for _ in range(27):
        staff("host", "reviewer", signed_in=False)
    assert count() == few


def test_the_list_tells_roles_sessions_and_last_sign_in(department: Department, staff: Make) -> None:
    admin, host = staff("admin"), staff("host", "reviewer", name="Zhou Min", signed_in=False)
    rows = {row.user.name: row for row in accounts.people(department.id, seen_by=admin.actor)}
    assert rows["Zhou Min"].roles == (Role.HOST, Role.REVIEWER)
    assert rows["Zhou Min"].last_signed_in is None
    assert rows[admin.user.name].open_sessions == 1
    last = rows[admin.user.name].last_signed_in
    assert last is not None
    assert abs(clock.now() - last) < timedelta(minutes=2)
    assert host.user_id in {row.user.id for row in rows.values()}


def test_a_new_invitation_kills_the_older_and_every_end_is_the_same(
    department: Department, staff: Make
) -> None:
    admin = staff("admin", signed_in=False)

    def invite() -> tuple[Invitation, str]:
        with unit_of_work():
            return accounts.invite(
                "new@example.org", roles=[Role.HOST], department=department, by=admin.actor
            )

    _first, old = invite()
    second, new = invite()
    assert accounts.invitation_by_token(new).id == second.id
    with pytest.raises(NotFound):
        accounts.invitation_by_token(old)
    with unit_of_work():
        accounts.withdraw_invitation(second.id, department_id=department.id, by=admin.actor)
    with pytest.raises(NotFound):
        accounts.invitation_by_token(new)
    _third, last = invite()
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1), tick=True), pytest.raises(NotFound):
        accounts.invitation_by_token(last)
    assert accounts.invitation_by_token(last)


def test_invitations_refuse_no_role_bad_address_and_people_of_the_house(
    department: Department, staff: Make
) -> None:
    admin, host = staff("admin", signed_in=False), staff("host", signed_in=False)
    for email, roles, field in (
        ("new@example.org", [], "roles"),
        ("new@", [Role.HOST], "email"),
        (host.email, [Role.HEAD], "email"),
    ):
        with pytest.raises(Invalid) as refusal, unit_of_work():
            accounts.invite(email, roles=roles, department=department, by=admin.actor)
        assert refusal.value.field == field


def test_a_one_time_password_ends_sessions_and_links(department: Department, staff: Make) -> None:
    host = staff("host")
    with unit_of_work():
        accounts.request_password_reset(host.email, by=accounts.Actor(kind="visitor", network="192.0.2.0/24"))
    with unit_of_work():
        accounts.issue_one_time_password(host.user, by=COMMAND)
    assert accounts.open_sessions(host.user_id) == []
    assert db.session.scalars(sa.select(accounts.PasswordReset.used_at)).one() is not None
    assert host.user.must_change_password
    assert host.user.has_second_factor


def test_every_deed_is_in_the_audit_log_and_the_chain_holds(department: Department, staff: Make) -> None:
    admin, host = staff("admin", signed_in=False), staff("host", signed_in=False)
    with unit_of_work():
        accounts.grant_role(host.user, Role.REVIEWER, department_id=department.id, by=admin.actor)
        accounts.reset_second_factor(host.user, by=admin.actor)
        accounts.disable_user(host.user, by=admin.actor)
        accounts.enable_user(host.user, by=admin.actor)
    assert actions()[-4:] == [
        "account.role_granted",
        "account.second_factor_reset",
        "account.disabled",
        "account.enabled",
    ]
    assert audit.verify() is None


def test_what_is_long_over_is_swept(department: Department, staff: Make) -> None:
    host = staff("host")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(StaffSession))
    with time_machine.travel(clock.now() + timedelta(days=40), tick=True), unit_of_work():
        assert accounts.sweep() >= 2
    assert db.session.scalar(sa.select(sa.func.count()).select_from(StaffSession)) == 0
    assert db.session.get(User, host.user_id)


@pytest.mark.both_databases
def test_a_role_given_twice_at_once_is_given_once(app: Flask, department: Department, staff: Make) -> None:
    by, person = staff("admin", signed_in=False).actor, staff("host", signed_in=False)
    department_id = department.id
    db.session.rollback()

    def give() -> None:
        user = db.session.get_one(User, person.user_id)
        accounts.grant_role(user, Role.REVIEWER, department_id=department_id, by=by)

    assert at_once(app, [give] * 12) == [None] * 12
    assert db.session.get_one(User, person.user_id).roles_in(department_id) == {Role.HOST, Role.REVIEWER}
    assert actions().count("account.role_granted") == 1
