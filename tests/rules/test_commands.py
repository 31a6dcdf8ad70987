"""Every command explains itself."""

from collections.abc import Iterator

import click
from click.testing import CliRunner

EXAMPLE = "Example"


def commands(
    group: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command of a group, by the words one types."""
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield from commands(command, (*path, name))
    else:
        yield path, group


def unexplained(group: click.Group) -> list[str]:
    """Commands whose --help fails, says nothing or has no example."""
    wrong = []
    for path, command in commands(group):
        shown = CliRunner().invoke(group, [*path, "--help"], prog_name="collab")
        if shown.exit_code != 0 or not command.help or EXAMPLE not in shown.output:
            wrong.append(" ".join(path))
        elif f"collab {' '.join(path)}" not in shown.output.partition(EXAMPLE)[2]:
            wrong.append(f"{' '.join(path)}: the example is of another command")
        wrong += [
            f"{' '.join(path)} {parameter.name}"
            for parameter in command.params
            if isinstance(parameter, click.Option) and not parameter.help
        ]
    return wrong


def test_every_command_has_help_with_an_example() -> None:
    from collab.cli import main

    assert unexplained(main) == []
    promised = {"init", "serve", "worker", "run", "demo", "doctor", "user", "profile"}
    assert promised <= set(main.list_commands(click.Context(main)))


def test_a_command_without_an_example_is_found() -> None:
    @click.group()
    def main() -> None:
        """Main."""

    @main.command()
    def silent() -> None:
        pass

    @main.command()
    def terse() -> None:
        """Does something."""

    @main.command()
    @click.option("--how")
    def option(how: str) -> None:
        """Does something.

        Example: collab option --how well
        """

    @main.command()
    def other() -> None:
        """Does something.

        Example: collab option
        """

    assert unexplained(main) == ["option how", "other: the example is of another command", "silent", "terse"]


def test_the_list_of_commands_is_shown() -> None:
    from collab.cli import main

    shown = CliRunner().invoke(main, ["--help"])
    assert shown.exit_code == 0
    assert "init" in shown.output
