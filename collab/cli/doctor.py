"""``collab doctor``: is this installation as it should be?"""

import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from enum import StrEnum

import click
from pydantic import SecretStr

from collab.cli.portal import portal
from collab.settings import Settings, load

MEGABYTE = 1024 * 1024


class Level(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    NOTICE = "notice"
    PROBLEM = "problem"


Finding = tuple[Level, str]


@click.command()
@click.option(
    "--settings",
    "list_settings",
    is_flag=True,
    help="List every setting with its default, and check nothing.",
)
@click.option(
    "--deep",
    is_flag=True,
    help="Also read every stored file and compare its digest, and count all figures anew.",
)
def doctor(list_settings: bool, deep: bool) -> None:
    """Check this installation: settings, database, files, keys, worker, mail, calendar, audit log. Changes nothing.

    Ends with 1 when there is a problem.

    \b
    Example:
      collab doctor
      collab doctor --settings
    """
    if list_settings:
        show_settings()
        return
    problems = 0
    for level, text in findings(load(), deep=deep):
        click.echo(f"{level.value:8} {text}")
        problems += level is Level.PROBLEM
    if problems:
        raise click.ClickException(f"{problems} problem(s).")
    click.echo("All is well.")


def show_settings() -> None:
    """Every setting as its variable, its default and what it is for."""
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        shown = "" if default in {"", None} else f" [{default}]"
        click.echo(f"COLLAB_{name.upper()}{shown}\n    {field.description}")


def findings(settings: Settings, *, deep: bool = False) -> Iterator[Finding]:
    """Everything there is to say, one after the other; a check that itself fails is a problem."""
    from sqlalchemy.exc import SQLAlchemyError

    from collab.jobs import schema

    yield Level.OK, "The settings can be used."
    yield from _instance(settings)
    try:
        state = schema.state_at(settings.database)
    except SQLAlchemyError as error:
        yield Level.PROBLEM, f"The database does not answer ({type(error).__name__})."
        return
    current = state is schema.Schema.CURRENT
    yield Level.OK if current else Level.PROBLEM, schema.SENTENCES[state]
    if not current:
        return
    with portal(settings):
        checks: list[Callable[[Settings, bool], Iterator[Finding]]] = [
            _files,
            _worker,
            _mail,
            _calendar,
            _people,
            _figures,
            _audit,
        ]
        for check in checks:
            try:
                yield from check(settings, deep)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding, and the next check comes
                yield (
                    Level.PROBLEM,
                    f"The check of the {check.__name__.strip('_')} failed: {type(error).__name__}.",
                )


def _instance(settings: Settings) -> Iterator[Finding]:
    folder, key = settings.instance, settings.instance / "secret_key"
    if not folder.is_dir():
        yield Level.PROBLEM, f"There is no {folder}. Run `collab init` first."
        return
    if folder.stat().st_mode & 0o077:
        yield Level.PROBLEM, f"{folder} can be entered by others: chmod 700 it."
    if settings.secret_key.get_secret_value():
        yield Level.OK, "The secret key comes from COLLAB_SECRET_KEY."
    elif not key.is_file():
        yield Level.NOTICE, "There is no secret key yet; it is made at the first start."
    elif stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield Level.PROBLEM, f"{key} can be read by others: chmod 600 it."
    else:
        yield Level.OK, "The secret key can be read by nobody else."


def _files(_settings: Settings, deep: bool) -> Iterator[Finding]:
    from collab import files

    if not files.store_is_writable():
        yield Level.PROBLEM, "The file store cannot be written to."
        return
    report = files.fsck(deep=deep)
    for id in report.missing:
        yield Level.PROBLEM, f"File {id}: the record is there, the bytes are not."
    for id in report.damaged:
        yield Level.PROBLEM, f"File {id}: the bytes are not the ones that were stored."
    if report.orphans:
        yield Level.NOTICE, f"{len(report.orphans)} stored file(s) without a record; the worker removes them."
    if not report.missing and not report.damaged:
        yield Level.OK, f"Files: {report.checked} record(s), all with their bytes."
    space = files.free_space()
    if space is not None and space[0] < max(200 * MEGABYTE, space[1] // 50):
        yield Level.PROBLEM, f"Only {space[0] // MEGABYTE} MB are left where the files lie."


def _worker(_settings: Settings, _deep: bool) -> Iterator[Finding]:
    import sqlalchemy as sa

    from collab import jobs
    from collab.core.db import db

    if jobs.worker_is_alive():
        yield Level.OK, "A worker is alive."
    else:
        yield Level.NOTICE, "No worker was heard of in the last two minutes: no mail leaves, no clock runs."
    for job in db.session.scalars(sa.select(jobs.JobRun).where(jobs.JobRun.failures > 0)):
        yield Level.PROBLEM, f"The job {job.name} failed {job.failures} time(s) in a row ({job.last_error})."


def _mail(settings: Settings, _deep: bool) -> Iterator[Finding]:
    from collab import mail
    from collab.core import clock

    if not settings.sends_mail:
        yield Level.NOTICE, "No SMTP server is set: mails stay in the outbox, where staff can read them."
        return
    waiting, failed = mail.oldest_waiting(), mail.failed_since(timedelta(days=7))
    if waiting is not None and clock.now() - waiting > timedelta(hours=1):
        hours = (clock.now() - waiting).total_seconds() / 3600
        yield Level.PROBLEM, f"A mail has been waiting for {hours:.0f} hour(s); see /staff/outbox."
    if failed:
        yield Level.PROBLEM, f"{failed} mail(s) could not be sent in the last week; see /staff/outbox."
    if not failed and waiting is None:
        yield Level.OK, "Mail: nothing waits, nothing failed."


def _calendar(_settings: Settings, _deep: bool) -> Iterator[Finding]:
    from collab import departments
    from collab.core import clock

    for department in departments.all_departments():
        covered = departments.coverage(department)
        year = clock.today(department.timezone).year
        for one in (year, year + 1):
            state = covered.state_of(one)
            level = Level.OK if state == "known" else Level.NOTICE
            yield level, f"{department.slug}: the working calendar of {one} is {state}."


def _people(_settings: Settings, _deep: bool) -> Iterator[Finding]:
    from collab import accounts, departments
    from collab.accounts import Role

    all_departments = departments.all_departments()
    if not all_departments:
        yield Level.PROBLEM, "There is no department. Run `collab init`."
    for department in all_departments:
        if not accounts.with_role(department.id, Role.ADMIN):
            yield Level.PROBLEM, f"{department.slug} has no administrator."
        for role in (Role.COORDINATOR, Role.HEAD):
            if not accounts.with_role(department.id, role):
                yield Level.NOTICE, f"{department.slug} has nobody with the role {role.value}."


def _figures(_settings: Settings, deep: bool) -> Iterator[Finding]:
    from collab.core import clock
    from collab.reports import keeping

    since = keeping.waiting_since()
    if since is not None and clock.now() - since > timedelta(hours=1):
        hours = (clock.now() - since).total_seconds() / 3600
        yield Level.PROBLEM, f"The figures have waited for the worker for {hours:.0f} hour(s)."
    wrong = sum(1 for _one in keeping.differences()) if deep else 0
    if wrong:
        yield Level.PROBLEM, f"{wrong} kept sum(s) of the figures are wrong; run `collab figures rebuild`."
    elif deep:
        yield Level.OK, "The kept sums of the figures are what counting gives."


def _audit(_settings: Settings, _deep: bool) -> Iterator[Finding]:
    from collab import audit

    wrong = audit.verify()
    if wrong is None:
        yield Level.OK, "The audit log's chain is whole."
    elif wrong == 0:
        yield Level.PROBLEM, "The audit log's end was cut off."
    else:
        yield Level.PROBLEM, f"The audit log was changed: the first wrong entry is {wrong}."
