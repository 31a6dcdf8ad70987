"""The administrator's pages: people, invitations, accounts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from collab import accounts, audit
from collab.accounts import COMMAND, Role
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.departments import Department
from tests.accounts.test_people import second_department
from tests.support.client import Client
from tests.support.html import text_of
from tests.support.people import PASSWORD, Staff
from tests.support.smtp import Smtp

Make = Callable[..., Staff]
PEOPLE = "/staff/settings/people"


def key(client: Client) -> dict[str, str]:
    """A form key for a button."""
    return {"csrf_token": client.form("/staff/account", form="myself").value("csrf_token") or ""}


def test_the_list_shows_who_works_here(department: Department, staff: Make) -> None:
    admin, host = staff("admin"), staff("host", "reviewer", name="Zhou <b>Min</b>", signed_in=False)
    with unit_of_work():
        accounts.disable_user(host.user, by=admin.actor)
    text = text_of(admin.page(PEOPLE))
    for part in ("Zhou <b>Min</b>", host.email, "Host, Reviewer", "Switched off", "Never", "Signed in"):
        assert part in text


def test_without_a_mail_server_the_link_is_handed_over(
    client: Client, department: Department, staff: Make
) -> None:
    admin = staff("admin")
    path = f"{PEOPLE}/{department.slug}/invite"
    assert admin.fill(path, email="new@example.org").status_code == 422, "no role"
    assert admin.fill(path, email="new@", roles=["host"]).status_code == 422
    answer = admin.fill(path, email="new@example.org", roles=["host", "reviewer"], locale="zh")
    assert answer.status_code == 200
    link = next(
        value
        for value in answer.text.split('"')
        if value.startswith("http://127.0.0.1:8000/staff/invitation/")
    )
    assert client.get(link).status_code == 200
    text = text_of(admin.page(PEOPLE))
    assert "new@example.org" in text
    (invitation,) = accounts.open_invitations(department.id, seen_by=admin.actor)
    answer = admin.post(f"{PEOPLE}/{department.slug}/invitations/{invitation.id}/withdraw", data=key(admin))
    assert answer.status_code == 303
    assert client.get(link).status_code == 404


def test_with_a_mail_server_the_link_goes_by_mail_alone(
    client: Client, department: Department, staff: Make, smtp: Smtp, worker: Callable[[], object]
) -> None:
    admin = staff("admin")
    answer = admin.fill(f"{PEOPLE}/{department.slug}/invite", email="new@example.org", roles=["host"])
    assert answer.status_code == 303
    worker()
    (mail,) = smtp.wait(1)
    assert list(mail.recipients) == ["new@example.org"]
    link = mail.link("/staff/invitation/")
    assert link not in admin.get(PEOPLE).text
    assert client.get(link).status_code == 200


def test_roles_are_changed_on_the_persons_page(department: Department, staff: Make) -> None:
    admin, host = staff("admin"), staff("host", signed_in=False)
    path = f"{PEOPLE}/{department.slug}/{host.user_id}"
    assert admin.form(path, form="roles-form").value("roles") == "host"
    answer = admin.fill(path, roles=["reviewer", "coordinator"])
    assert answer.location == path
    assert host.user.roles_in(department.id) == {Role.REVIEWER, Role.COORDINATOR}
    answer = admin.fill(path, roles=[])
    assert answer.location == PEOPLE
    assert admin.get(path).status_code == 404, "who has no role here is nobody here"


def test_accounts_are_switched_off_and_on(department: Department, staff: Make) -> None:
    admin, host = staff("admin"), staff("host")
    path = f"{PEOPLE}/{department.slug}/{host.user_id}"
    assert admin.post(f"{path}/disable", data=key(admin)).status_code == 303
    assert host.get("/staff/account").status_code == 303
    with time_machine.travel(clock.now() + timedelta(seconds=60), tick=True):
        assert host.fill("/staff/sign-in", email=host.email, password=PASSWORD).status_code == 422
        assert admin.post(f"{path}/enable", data=key(admin)).status_code == 303
        host.sign_in()
        assert host.get("/staff/account").status_code == 200
        assert admin.post(f"{path}/end-sessions", data=key(admin)).status_code == 303
        assert host.get("/staff/account").status_code == 303


def test_a_lost_phone_is_helped_by_somebody_else(department: Department, staff: Make) -> None:
    admin, host = staff("admin"), staff("host")
    path = f"{PEOPLE}/{department.slug}/{host.user_id}"
    assert admin.post(f"{path}/reset-second-factor", data=key(admin)).status_code == 303
    assert host.get("/staff/account").status_code == 303
    answer = host.fill("/staff/sign-in", email=host.email, password=PASSWORD)
    page = host.get(answer.location, follow_redirects=True)
    assert page.request.path == "/staff/sign-in/second-factor"
    # Not for ever: after a day the password alone sets up nothing.
    with time_machine.travel(clock.now() + timedelta(hours=24, seconds=1), tick=True):
        refused = host.fill("/staff/sign-in", email=host.email, password=PASSWORD)
        assert refused.status_code == 422
        assert "is over" in refused.text
    own = f"{PEOPLE}/{department.slug}/{admin.user_id}"
    assert admin.post(f"{own}/reset-second-factor", data=key(admin)).status_code == 403
    assert admin.user.has_second_factor


def test_ones_own_roles_are_somebody_elses_business(department: Department, staff: Make) -> None:
    admin, other = staff("admin"), staff("admin", "host")
    path = f"{PEOPLE}/{department.slug}/{admin.user_id}"
    assert "roles-form" not in admin.get(path).text
    for roles in (["admin", "head"], ["host"], []):
        assert admin.post(path, data=key(admin) | {"roles": roles}).status_code == 403
    assert admin.user.roles_in(department.id) == {Role.ADMIN}
    assert other.fill(path, roles=["viewer"]).status_code == 303
    assert admin.user.roles_in(department.id) == {Role.VIEWER}
    assert admin.get(PEOPLE).status_code == 403


@pytest.mark.parametrize("deed", ["", "/disable", "/enable", "/reset-second-factor", "/end-sessions"])
def test_another_departments_people_do_not_exist(department: Department, staff: Make, deed: str) -> None:
    admin = staff("admin")
    other = second_department(department)
    with unit_of_work():
        stranger = accounts.create_user("v@example.org", "V", by=COMMAND, roles=[(other.id, Role.ADMIN)])
    stranger_id, slug = stranger.id, other.slug
    for path in (f"{PEOPLE}/{slug}/{stranger_id}{deed}", f"{PEOPLE}/{department.slug}/{stranger_id}{deed}"):
        answer = admin.post(path, data=key(admin) | {"roles": ["admin"]})
        missing = admin.post(f"{PEOPLE}/{department.slug}/999999{deed}", data=key(admin))
        assert answer.status_code == missing.status_code == 404
    assert admin.get(f"{PEOPLE}/{slug}/invite").status_code == 404
    assert stranger_id not in {row.user.id for row in accounts.people(department.id, seen_by=admin.actor)}
    refused = db.session.scalar(
        sa.select(sa.func.count()).select_from(audit.AuditEvent).where(audit.AuditEvent.refused)
    )
    assert refused


@pytest.mark.parametrize("role", [role.value for role in Role if role is not Role.ADMIN])
def test_the_pages_are_for_administrators(department: Department, staff: Make, role: str) -> None:
    member = staff(role)
    for path in (
        PEOPLE,
        f"{PEOPLE}/{department.slug}/invite",
        f"{PEOPLE}/{department.slug}/{member.user_id}",
    ):
        assert member.get(path).status_code == 403
