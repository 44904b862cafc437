"""`python -m tandem.batching plan …`: the same as `tandem plan …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tandem.batching import command_plan


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tandem.batching", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("plan", help=command_plan.SUMMARY, description=command_plan.SUMMARY)
    command_plan.add_arguments(command)
    return command_plan.run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
