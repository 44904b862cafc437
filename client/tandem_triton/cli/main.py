"""The `tandem` command: finds its subcommands among the installed packages and hands over to one.

A subcommand is an entry point of the group `tandem.commands`; its name is the subcommand's, its value a
module (or any object) that follows `Command`. So `tandem plan` exists where the package that provides it is
installed, and this package knows nothing of it. Every service has a command of its name.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import entry_points
from typing import Protocol, cast

from tandem_triton.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from tandem_triton.cli.item import ItemCommand
from tandem_triton.services import find_services

GROUP = "tandem.commands"


class Command(Protocol):
    """What a subcommand's module offers.

    Attributes:
        SUMMARY: one line for `tandem --help`.
    """

    SUMMARY: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the subcommand's arguments to its parser."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; gives the exit code."""


def _read_command() -> Command:
    from tandem_triton.cli import read as command_read  # noqa: PLC0415 - a command is loaded only when it is asked for

    return cast(Command, command_read)


def find_commands() -> dict[str, Callable[[], Command]]:
    """Every subcommand by name, as a function that loads it; each service has at least a general one."""
    commands: dict[str, Callable[[], Command]] = {
        name: partial(ItemCommand, service) for name, service in find_services().items()
    }
    commands |= {"read": _read_command, "id_card": _read_command}
    commands |= {entry.name: entry.load for entry in entry_points(group=GROUP)}
    return dict(sorted(commands.items()))


def main(
    argv: Sequence[str] | None = None, commands: Mapping[str, Callable[[], Command]] | None = None
) -> int:
    """Run `tandem …`; gives the exit code.

    Args:
        argv: the arguments after `tandem`; None takes the process's.
        commands: the subcommands; None finds the installed ones.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    commands = find_commands() if commands is None else commands
    if not words or words[0] in ("-h", "--help"):
        print(_overview(commands))
        return 0 if words else EXIT_USAGE
    name = words[0]
    if name not in commands:
        print(f"tandem: no command {name!r}; there are: {', '.join(commands)}", file=sys.stderr)
        return EXIT_USAGE
    try:
        command = commands[name]()
    except ImportError as error:
        print(f"tandem {name} can't be loaded: {error}", file=sys.stderr)
        return EXIT_FAILED
    parser = argparse.ArgumentParser(prog=f"tandem {name}", description=command.SUMMARY)
    command.add_arguments(parser)
    try:
        return command.run(parser.parse_args(words[1:]))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _overview(commands: Mapping[str, Callable[[], Command]]) -> str:
    width = max(map(len, commands))
    lines = [f"  {name:<{width}}  {_summary(load)}" for name, load in commands.items()]
    return "\n".join(["usage: tandem COMMAND …", "", *lines, "", "tandem COMMAND --help tells more."])


def _summary(load: Callable[[], Command]) -> str:
    try:
        return load().SUMMARY
    except ImportError as error:
        return f"(can't be loaded: {error})"


if __name__ == "__main__":
    sys.exit(main())
