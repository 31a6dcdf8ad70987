"""The ``collab`` commands, one file per group. Each is imported when it is called: ``collab --help`` is quick."""

import importlib
from functools import wraps
from typing import Any

import click

from collab import __version__
from collab.core.errors import Refused
from collab.settings import WrongSetting

COMMANDS = {
    "demo": "collab.cli.demo:demo",
    "doctor": "collab.cli.doctor:doctor",
    "figures": "collab.cli.figures:figures",
    "init": "collab.cli.init:init",
    "profile": "collab.cli.profile:profile",
    "run": "collab.cli.run:run",
    "serve": "collab.cli.serve:serve",
    "user": "collab.cli.user:user",
    "worker": "collab.cli.worker:worker",
}
#: Groups whose commands take the application's context as given.
IN_PORTAL = {"figures", "user"}


class Commands(click.Group):
    """A group whose commands live in modules of their own; refusals end it with a sentence, not with a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in sorted(COMMANDS) if self.get_command(ctx, name) is not None]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        target = COMMANDS.get(name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as missing:
            if missing.name != module:
                raise
            return None
        assert isinstance(command, click.Command)
        if name in IN_PORTAL:
            _open_portal_for(command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except WrongSetting as wrong:
            click.echo(str(wrong), err=True)
            ctx.exit(78)
        except Refused as refusal:
            click.echo(refusal.message or f"This cannot be done: {type(refusal).__name__}.", err=True)
            ctx.exit(1)


def _open_portal_for(command: click.Command) -> None:
    # Around the command itself, not its group: --help needs no application.
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _open_portal_for(inner)
    elif command.callback is not None and not hasattr(command.callback, "__wrapped__"):
        told = command.callback

        @wraps(told)
        def opened(*args: Any, **kwargs: Any) -> Any:
            from flask import has_app_context

            from collab.cli.portal import portal

            if has_app_context():  # called from within a portal that is open
                return told(*args, **kwargs)
            with portal():
                return told(*args, **kwargs)

        command.callback = opened


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__)
def main() -> None:
    """Collab, the portal through which a department works with the world.

    Settings come from COLLAB_* variables or instance/collab.toml; `collab doctor --settings` lists them.
    """


__all__ = ["main"]
