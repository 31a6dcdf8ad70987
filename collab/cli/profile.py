"""``collab profile``: what the department says of itself, in and out as files."""

from pathlib import Path

import click

from collab.cli.portal import portal


@click.group()
def profile() -> None:
    """Import, export and check a department's profile."""


@profile.command("check")
@click.argument("source")
@click.option(
    "--source-text",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The source page's text.",
)
def check(source: str, source_text: Path | None) -> None:
    """Say what is wrong with a profile, without importing it. SOURCE: a folder, a file or a name that comes along.

    \b
    Example:
      collab profile check our-department
      collab profile check ./our-department --source-text page.txt
    """
    from collab import profile as room

    text = source_text.read_text(encoding="utf-8") if source_text else None
    problems = room.check(source, source=text)
    for problem in problems:
        click.echo(f"{'error  ' if problem.grave else 'notice '} {problem}")
    grave = sum(1 for problem in problems if problem.grave)
    if grave:
        raise click.ClickException(f"{grave} problem(s): this profile cannot be imported.")
    click.echo("This profile can be imported.")


@profile.command("import")
@click.argument("source")
@click.option("--yes", is_flag=True, help="Do not ask before the published profile is replaced.")
def import_(source: str, yes: bool) -> None:
    """Import a department with its profile and publish it. The same one again changes nothing.

    \b
    Example:
      collab profile import our-department
      collab profile import ./our-department --yes
    """
    from collab import departments
    from collab import profile as room
    from collab.accounts import COMMAND
    from collab.core.db import db, unit_of_work

    with portal():
        slug = departments.read_settings(source).slug
        there = next((one for one in departments.all_departments() if one.slug == slug), None)
        if there is not None and not yes:
            click.confirm(
                f"Replace the settings and the published profile of “{slug}” where they differ?", abort=True
            )
        db.session.rollback()
        with unit_of_work():
            department = departments.import_department(source, by=COMMAND)
            revision = room.import_profile(department, source, by=COMMAND)
            number = revision.number
    click.echo(f"“{slug}” is published as revision {number}.")


@profile.command("export")
@click.argument("department")
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; without it, standard output.",
)
@click.option("--force", is_flag=True, help="Overwrite the file without asking.")
def export(department: str, to: Path | None, force: bool) -> None:
    """Write the published profile as YAML, in a form that `import` reads.

    \b
    Example:
      collab profile export our-department --to profile.yaml
    """
    from collab import departments
    from collab import profile as room

    if to is not None and to.exists() and not force:
        click.confirm(f"Overwrite {to}?", abort=True)
    with portal():
        text = room.export_profile(departments.by_slug(department))
    if to is None:
        click.echo(text, nl=False)
    else:
        to.write_text(text, encoding="utf-8")
        click.echo(f"Written to {to}.")
