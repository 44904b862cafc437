"""`python -m tandem.batching.proof points` prints the planner beside an independent reference."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from tandem.batching.proof import reference_points
from tandem.batching.simulate.compiled import HAVE_NUMBA, INSTALL_HINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tandem.batching.proof", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    said = "Print the planner beside an independent reference at 38 points (seconds)."
    points = commands.add_parser("points", help=said, description=said)
    points.add_argument(
        "--again", action="store_true", help="simulate the reference anew and keep it (needs numba, minutes)"
    )
    points.set_defaults(run=_points)
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    return run(options)


def _points(options: argparse.Namespace) -> int:
    """0 where all points agree, else 1."""
    points = reference_points.points()
    if options.again:
        if not HAVE_NUMBA:
            print(f"--again needs numba, which is not installed; {INSTALL_HINT}", file=sys.stderr)
            return 1
        reference_points.store({point.name: reference_points.simulate_reference(point) for point in points})
    known = reference_points.stored()
    rows = [reference_points.compare(point, known[point.name]) for point in points]
    print(reference_points.table(rows))
    return 0 if all(row.agrees for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
