"""``collab init``: make an installation ready, as often as one likes."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from collab.cli.portal import portal
from collab.settings import Settings, load


@dataclass(frozen=True)
class Made:
    """What ``prepare`` made, for the one who reads it.

    :param password: the first administrator's one-time password, when there was nobody before.
    """

    department: str | None = None
    user: str | None = None
    password: str | None = None


@click.command()
def init() -> None:
    """Prepare this installation: database, department, first administrator. Run it again after every upgrade.

    What is there already stays as it is. The first administrator's one-time password is shown once.

    \b
    Example:
      collab init
      COLLAB_ADMIN_EMAIL=you@example.org COLLAB_ADMIN_PASSWORD=… collab init
    """
    settings = load()
    tell(settings, prepare(settings))


def prepare(settings: Settings) -> Made:
    """Migrate, import the department if there is none, make the first administrator if there is nobody.

    :raises click.ClickException: the database is of another version of the portal, or cannot be migrated.
    """
    from collab import accounts, departments, profile
    from collab.accounts import COMMAND
    from collab.core.db import unit_of_work
    from collab.desk import views

    with _alone(settings):
        settings.key()
        with portal(settings):
            migrate()
            imported = user = password = None
            with unit_of_work():
                department = next(iter(departments.all_departments()), None)
                if department is None:
                    department = departments.import_department(settings.department, by=COMMAND)
                    profile.import_profile(department, settings.department, by=COMMAND)
                    imported = department.slug
                for one in departments.all_departments():
                    views.supply(one.id, by=COMMAND)
                email = settings.admin_email or _first_address(settings)
                given = settings.admin_password.get_secret_value() or None
                password = accounts.create_first_admin(
                    email, department_id=department.id, password=given, by=COMMAND
                )
            if password is not None:
                user = email
            return Made(imported, user, None if given else password)


def migrate() -> None:
    """Bring the database to this version's form.

    :raises click.ClickException: it is of a version this one does not know, or a migration failed (nothing of that
        migration is kept).
    """
    import alembic.command
    from alembic.util import CommandError
    from flask import current_app
    from sqlalchemy.exc import SQLAlchemyError

    from collab.core.db import db
    from collab.jobs import schema

    try:
        with db.engine.connect() as connection:
            state = schema.state_of(connection)
        if state is schema.Schema.UNKNOWN:
            raise click.ClickException(schema.SENTENCES[state])
        if state is not schema.Schema.CURRENT:
            config: Any = schema.prepare(current_app._get_current_object()).get_config()  # type: ignore[attr-defined]
            alembic.command.upgrade(config, "head")
    except (CommandError, SQLAlchemyError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()
        raise click.ClickException(
            f"The database cannot be prepared: {reason[0] if reason else error}"
        ) from error


def tell(settings: Settings, made: Made) -> None:
    """Say what was made, and where to go. A password is shown here and never again."""
    if made.department:
        click.echo(f"Imported the department “{made.department}”.")
    if made.user:
        click.echo("\nThe first administrator:")
        click.echo(f"  sign in    {settings.base_url}/staff/sign-in")
        click.echo(f"  user       {made.user}")
        if made.password:
            click.echo(f"  password   {made.password}")
            click.echo("  This password is shown only now and works for the first sign-in only.\n")
        else:
            click.echo("  password   the one in COLLAB_ADMIN_PASSWORD\n")
    if not made.department and not made.user:
        click.echo("Everything is prepared already.")


def _first_address(settings: Settings) -> str:
    host = urlsplit(settings.base_url).hostname or "localhost"
    return "admin@localhost" if not settings.is_public else f"admin@{host}"


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    # Two `collab init` at once would both make the first administrator.
    folder = settings.instance
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.stat().st_uid == os.getuid():
            folder.chmod(0o700)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise click.ClickException(f"COLLAB_INSTANCE: cannot write to {folder}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
