"""``collab demo``: invented sample data, loaded through the real verbs, plainly marked."""

import click

from collab.cli.portal import portal


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def demo(yes: bool) -> None:
    """Load invented people and inquiries into an empty installation, to try it out. Never into one in use.

    All names, institutions and texts are invented; every page shows that the installation holds sample data.

    \b
    Example:
      collab demo
    """
    from collab import demo as room
    from collab.core.db import db

    with portal():
        department = room.target()
        if not yes:
            click.confirm(
                f"Load invented sample data into {department.slug}? It goes away only with the whole instance",
                abort=True,
            )
        db.session.rollback()
        loaded = room.load()
        click.echo(
            f"Loaded {loaded.inquiries} invented inquiries and {len(loaded.people)} invented members of staff:"
        )
        for email, roles in loaded.people:
            click.echo(f"  {email:34} {roles}")
        click.echo("Set a password for one of them to sign in as that person, e.g.:")
        click.echo(f"  collab user password {loaded.people[0][0]}")
