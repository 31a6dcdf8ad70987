"""``collab serve``: the web server."""

import errno
import gc
import socket

import click
from flask import Flask

from collab import create_app
from collab.settings import Settings, load


@click.command()
@click.option(
    "--grace",
    type=click.IntRange(1, 600),
    default=30,
    show_default=True,
    help="Seconds to finish requests at the end.",
)
def serve(grace: int) -> None:
    """Serve the portal with granian. SIGTERM ends it after running requests, SIGHUP replaces its processes one by one.

    \b
    Example:
      COLLAB_BIND=0.0.0.0:8000 COLLAB_WORKERS=4 collab serve
    """
    gc.disable()  # what is loaded now stays: looking through it again and again takes a tenth of the start
    settings = load()
    settings.key()
    check_schema(settings)
    check_address(settings)

    from granian import Granian
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    host, _, port = settings.bind.rpartition(":")
    gc.freeze()  # nor do the processes look through it, and so they share it
    gc.enable()
    Granian(
        "collab.cli.serve:application",
        factory=True,
        address=host.strip("[]"),
        port=int(port),
        interface=Interfaces.WSGI,
        workers=settings.workers,
        # A slow upload keeps a thread, not the processor: enough threads that many of them leave room for others.
        blocking_threads=48,
        backpressure=256,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=15_000),
        respawn_failed_workers=True,
        respawn_interval=5.0,  # on SIGHUP: the time a new process has to listen before an old one stops
        workers_kill_timeout=grace,
        log_level=LogLevels.error,  # its own warnings are about thread counts; crashes are errors,
        process_name=None,
    ).serve()


def application() -> Flask:
    """What a process serves. What it is made of stays, too: only what requests leave behind is looked through."""
    gc.disable()
    app = create_app()
    gc.freeze()
    gc.enable()
    return app


def check_schema(settings: Settings) -> None:
    """:raises click.ClickException: the database is not the one this version works with, and what to do."""
    from sqlalchemy.exc import SQLAlchemyError

    from collab.jobs import schema

    try:
        state = schema.state_at(settings.database)
    except SQLAlchemyError as error:
        raise click.ClickException(f"The database does not answer ({type(error).__name__}).") from error
    if state is not schema.Schema.CURRENT:
        raise click.ClickException(schema.SENTENCES[state])


def check_address(settings: Settings) -> None:
    """:raises click.ClickException: somebody listens there already, or the address is not this machine's."""
    host, _, port = settings.bind.rpartition(":")
    host = host.strip("[]")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise click.ClickException(
                    f"COLLAB_BIND: something else listens on {settings.bind} already; end it or choose another port."
                ) from None
            raise click.ClickException(
                f"COLLAB_BIND: cannot listen on {settings.bind}: {error.strerror}."
            ) from None
