"""``collab user``: people from the command line."""

import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from collab import accounts
from collab.accounts import Role
from collab.cli.user import user
from collab.departments import Department
from tests.support.client import Client
from tests.support.people import PASSWORD, Staff

Make = Callable[..., Staff]


def run(*arguments: str, typed: str = "") -> Result:
    """The command in this process, on the test's database."""
    return CliRunner().invoke(user, list(arguments), input=typed)


@pytest.mark.parametrize("name", sorted(user.commands))
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"collab user {name}" in result.output


def test_add_prints_a_password_that_signs_in(app: Flask, client: Client, department: Department) -> None:
    result = run("add", "Li.Wei@example.org", "--name", "Li Wei", "--role", "host", "--role", "reviewer")
    assert result.exit_code == 0, result.output
    password = result.output.rsplit(" ", 1)[1].strip()
    added = accounts.by_email("li.wei@example.org")
    assert added is not None
    assert added.roles_in(department.id) == {Role.HOST, Role.REVIEWER}
    answer = client.fill("/staff/sign-in", email="li.wei@example.org", password=password)
    page = client.get(answer.location, follow_redirects=True)
    assert page.request.path == "/staff/sign-in/password"
    again = run("add", "li.wei@EXAMPLE.org", "--name", "Li Wei", "--role", "host")
    assert again.exit_code == 1
    assert "already" in again.output


def test_the_list_names_roles_and_states(department: Department, staff: Make) -> None:
    host = staff("host", name="Zhou Min", signed_in=False)
    assert run("disable", host.email, "--yes").exit_code == 0
    (line,) = run("list").output.splitlines()
    assert line.split("\t") == [
        host.email,
        "Zhou Min",
        f"{department.slug}:host",
        "switched off",
        "second factor set up",
    ]


def test_invite_prints_the_link_where_no_mail_leaves(client: Client, department: Department) -> None:
    result = run("invite", "new@example.org", "--role", "host")
    found = re.search(r"http://127\.0\.0\.1:8000(/staff/invitation/\S+)", result.output)
    assert found
    assert client.get(found.group(1)).status_code == 200


def test_what_destroys_asks_first(department: Department, staff: Make) -> None:
    host = staff("host")
    for command in ("disable", "password", "reset-2fa", "end-sessions"):
        refused = run(command, host.email, typed="n\n")
        assert refused.exit_code == 1
        assert "[y/N]" in refused.output
    assert host.get("/staff/account").status_code == 200
    assert host.user.password_hash
    assert run("end-sessions", host.email, typed="y\n").output.endswith("Sessions ended: 1\n")
    assert host.get("/staff/account").status_code == 303


def test_a_one_time_password_takes_the_place_of_the_old_one(client: Client, staff: Make) -> None:
    host = staff("host")
    result = run("password", host.email, "--yes")
    password = result.output.rsplit(" ", 1)[1].strip()
    assert host.get("/staff/account").status_code == 303
    assert client.fill("/staff/sign-in", email=host.email, password=PASSWORD).status_code == 422
    answer = client.fill("/staff/sign-in", email=host.email, password=password)
    assert answer.location == "/staff/sign-in/code", "the second factor stays"


def test_reset_and_switching_on_and_off(department: Department, staff: Make) -> None:
    admin = staff("admin", signed_in=False)
    assert run("reset-2fa", admin.email, "--yes").exit_code == 0
    assert not admin.user.has_second_factor
    last = run("disable", admin.email, "--yes")
    assert last.exit_code == 1
    assert "last administrator" in last.output
    host = staff("host", signed_in=False)
    assert run("disable", host.email, "--yes").exit_code == 0
    assert not host.user.is_enabled
    assert run("enable", host.email).exit_code == 0
    assert host.user.is_enabled


def test_everybody_is_signed_out_at_once(staff: Make) -> None:
    browsers = [staff("host"), staff("reviewer")]
    assert run("end-sessions", "--everybody", "--yes").exit_code == 0
    assert [browser.get("/staff/account").status_code for browser in browsers] == [303, 303]


@pytest.mark.parametrize(
    "arguments",
    [
        ("disable", "nobody@example.org", "--yes"),
        ("enable", "nobody@example.org"),
        ("password", "nobody@example.org", "--yes"),
        ("reset-2fa", "nobody@example.org", "--yes"),
        ("end-sessions", "nobody@example.org", "--yes"),
        ("end-sessions", "--yes"),
        ("add", "no-address", "--name", "X", "--role", "host"),
        ("add", "x@example.org", "--name", "X", "--role", "king"),
        ("add", "x@example.org", "--name", "X", "--role", "host", "--department", "nowhere"),
        ("invite", "x@example.org"),
    ],
)
def test_failure_is_told_and_exits_non_zero(department: Department, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code in {1, 2}
    assert result.output.strip()
    assert "Traceback" not in result.output
    assert accounts.all_users() == []
