"""Options of a command that come from the environment, so that a container is configured as a command is."""

from __future__ import annotations

import argparse
import os


def take_environment(parser: argparse.ArgumentParser, prefix: str) -> None:
    """Give each option that takes a value its default from a variable; the command line still wins.

    `--grpc-port` is the variable `<prefix>GRPC_PORT`. An empty variable counts as none. Switches and options
    that may be given several times have none.

    Args:
        parser: with all its options, none of them required.
        prefix: what the variables' names begin with.
    """
    options = vars(parser.parse_args([])).items()
    given = {name: os.environ.get(prefix + name.upper()) for name, value in options if not _many(value)}
    parser.set_defaults(**{name: value for name, value in given.items() if value})
    parser.epilog = f"Options that take a value may come from the environment: --timeout as {prefix}TIMEOUT."


def _many(value: object) -> bool:
    return isinstance(value, (bool, list))
