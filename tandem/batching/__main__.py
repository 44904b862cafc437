"""`python -m tandem.batching plan …` is the same as `tandem plan …`; `… two` prints what two costs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from tandem.batching.commands import command_plan, command_regret_of_two


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tandem.batching", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module in (("plan", command_plan), ("two", command_regret_of_two)):
        command = commands.add_parser(name, help=module.SUMMARY, description=module.SUMMARY)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
