"""``collab user``: people, from the command line of the machine."""

from collections.abc import Sequence

import click

from collab import accounts, departments
from collab.accounts import COMMAND, Role, User
from collab.core import site
from collab.core.db import unit_of_work
from collab.core.errors import Refused
from collab.departments import Department

ROLES = click.Choice([role.value for role in Role])
department_option = click.option(
    "--department", metavar="SLUG", help="Which department; needed if there are several."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def user() -> None:
    """List, add, invite and switch off the people of the staff.

    \b
    Example:
      collab user list
    """


@user.command("list")
def list_users() -> None:
    """List everybody with roles, state and second factor.

    \b
    Example:
      collab user list
    """
    slugs = {department.id: department.slug for department in departments.all_departments()}
    for person in accounts.all_users():
        roles = ", ".join(f"{slugs[m.department_id]}:{m.role.value}" for m in person.memberships) or "no role"
        state = "on" if person.is_enabled else "switched off"
        factor = "second factor set up" if person.has_second_factor else "no second factor yet"
        click.echo(f"{person.email}\t{person.name}\t{roles}\t{state}\t{factor}")


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="The name as colleagues read it.")
@click.option("--role", "roles", type=ROLES, multiple=True, required=True, help="May be given several times.")
@click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Language of the pages and mails.",
)
@department_option
def add(email: str, name: str, roles: Sequence[str], language: str, department: str | None) -> None:
    """Make an account and print a one-time password, good for one week.

    \b
    Example:
      collab user add li.wei@example.org --name "Li Wei" --role coordinator --role host
    """
    with _refusals_told():
        where = _department(department).id
        with unit_of_work():
            made = accounts.create_user(
                email, name, locale=language, by=COMMAND, roles=[(where, Role(role)) for role in roles]
            )
            password = accounts.issue_one_time_password(made, by=COMMAND, tell=False)
    click.echo(f"One-time password for {email}: {password}")


@user.command()
@click.argument("email")
@click.option("--role", "roles", type=ROLES, multiple=True, required=True, help="May be given several times.")
@click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Language of the invitation.",
)
@department_option
def invite(email: str, roles: Sequence[str], language: str, department: str | None) -> None:
    """Invite somebody by a link in a mail; with no mail server set, the link is printed.

    \b
    Example:
      collab user invite li.wei@example.org --role reviewer
    """
    with _refusals_told():
        slug = _department(department).slug
        with unit_of_work():
            _invitation, token = accounts.invite(
                email,
                roles=[Role(role) for role in roles],
                department=departments.by_slug(slug),
                locale=language,
                by=COMMAND,
            )
    if site.settings().sends_mail:
        click.echo(f"The invitation to {email} is in the outbox and leaves with the next post.")
    else:
        click.echo(f"Link for {email}, good for seven days: {site.address(accounts.INVITATION_PATH + token)}")


@user.command()
@click.argument("email")
@yes_option
def disable(email: str, yes: bool) -> None:
    """Switch an account off and end its sessions.

    \b
    Example:
      collab user disable li.wei@example.org
    """
    _ask(f"Switch off the account of {email} and end its sessions?", yes)
    with _refusals_told(), unit_of_work():
        accounts.disable_user(_user(email), by=COMMAND)
    click.echo(f"{email} is switched off.")


@user.command()
@click.argument("email")
def enable(email: str) -> None:
    """Switch an account on again.

    \b
    Example:
      collab user enable li.wei@example.org
    """
    with _refusals_told(), unit_of_work():
        accounts.enable_user(_user(email), by=COMMAND)
    click.echo(f"{email} is switched on.")


@user.command()
@click.argument("email")
@yes_option
def password(email: str, yes: bool) -> None:
    """Print a new one-time password, good for one week; the old password and all sessions end.

    The second factor stays as it is.

    \b
    Example:
      collab user password li.wei@example.org
    """
    _ask(f"Replace the password of {email} and end all sessions?", yes)
    with _refusals_told(), unit_of_work():
        made = accounts.issue_one_time_password(_user(email), by=COMMAND)
    click.echo(f"One-time password for {email}: {made}")


@user.command("reset-2fa")
@click.argument("email")
@yes_option
def reset_second_factor(email: str, yes: bool) -> None:
    """Take a lost second factor away; a new one must be set up within 24 hours. All sessions end.

    Make sure first who asks: whoever knows the password sets up the new one.

    \b
    Example:
      collab user reset-2fa li.wei@example.org
    """
    _ask(f"Reset the second factor of {email} and end all sessions?", yes)
    with _refusals_told(), unit_of_work():
        accounts.reset_second_factor(_user(email), by=COMMAND)
    click.echo(f"The second factor of {email} is reset.")


@user.command("end-sessions")
@click.argument("email", required=False)
@click.option("--everybody", is_flag=True, help="All sessions of all people.")
@yes_option
def end_sessions(email: str | None, everybody: bool, yes: bool) -> None:
    """Sign one person out everywhere, or everybody.

    \b
    Examples:
      collab user end-sessions li.wei@example.org
      collab user end-sessions --everybody
    """
    if (email is None) is not everybody:
        raise click.UsageError("Name one address, or give --everybody.")
    _ask(f"End all sessions of {'everybody' if everybody else email}?", yes)
    number = 0
    with _refusals_told(), unit_of_work():
        people = accounts.all_users() if email is None else [_user(email)]
        for person in people:
            number += accounts.sign_out_everywhere(person, by=COMMAND)
    click.echo(f"Sessions ended: {number}")


class _refusals_told:  # noqa: N801  # reads as a sentence
    """What a verb refuses is told as one line, and the command fails."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Refused):
            raise click.ClickException(error.message or "This cannot be done.") from error


def _user(email: str) -> User:
    found = accounts.by_email(email)
    if found is None:
        raise click.ClickException(f"There is no account with the address {email}.")
    return found


def _department(slug: str | None) -> Department:
    every = departments.all_departments()
    if slug is not None:
        every = [department for department in every if department.slug == slug]
    if len(every) == 1:
        return every[0]
    if not every:
        raise click.ClickException("There is no such department." if slug else "There is no department yet.")
    raise click.ClickException("Say which department: " + ", ".join(department.slug for department in every))


def _ask(question: str, yes: bool) -> None:
    if not yes:
        click.confirm(question, abort=True)
