"""``collab worker``: the background worker."""

import click

from collab.settings import load


@click.command()
@click.option("--once", is_flag=True, help="Do everything that is to be done now, then end.")
def worker(once: bool) -> None:
    """Send mail, watch the clocks, clean up. Several may run, on several machines; each thing is done by one.

    SIGTERM ends it: the mail in hand is finished, the rest given back.

    \b
    Example:
      collab worker
      collab worker --once
    """
    from collab import create_app, jobs
    from collab.cli.serve import check_schema

    settings = load()
    check_schema(settings)
    app = create_app(settings)
    if once:
        click.echo(f"Done: {jobs.run_once(app)}")
    else:
        jobs.run_forever(app)
