"""``collab run``: everything in one command."""

import http.client
import os
import sys
from urllib.parse import urlsplit

import click

from collab.settings import Settings, load

#: Both end within ten seconds of Ctrl-C: requests have eight, and the rest is for the goodbyes.
GRACE = 8


@click.command()
def run() -> None:
    """Prepare this installation if need be, then run the web server and the worker until Ctrl-C.

    What crashes is started again. The exit code is 0 after Ctrl-C or SIGTERM.

    \b
    Example:
      collab run
    """
    from collab.cli.init import prepare, tell
    from collab.cli.serve import check_address
    from collab.cli.supervisor import Supervisor

    settings = load()
    check_address(settings)
    made = prepare(settings)
    if made.department or made.user:
        tell(settings, made)

    def ready() -> bool:
        if not answers(settings):
            return False
        click.echo(f"Collab runs at {settings.base_url}/  (Ctrl-C ends it)")
        if not settings.sends_mail:
            click.echo(
                f"No mail server is set: mails are kept and can be read at {settings.base_url}/staff/outbox"
            )
        return True

    if sys.stdout.isatty():
        os.environ.setdefault("COLLAB_LOG_FORMAT", "text")  # for the web server and the worker
    collab = [sys.executable, "-m", "collab"]
    supervisor = Supervisor(
        {"The web server": [*collab, "serve", "--grace", str(GRACE - 1)], "The worker": [*collab, "worker"]},
        grace=GRACE,
        tell=lambda line: click.echo(line, err=True),
        ready=ready,
    )
    sys.exit(supervisor.run())


def answers(settings: Settings) -> bool:
    """Whether the web server answers now."""
    host, _, port = settings.bind.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104  # what was asked for
    connection = http.client.HTTPConnection(host, int(port), timeout=1)
    try:
        connection.request("GET", "/healthz", headers={"Host": urlsplit(settings.base_url).netloc})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
