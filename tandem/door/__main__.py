"""`python -m tandem.door`: the same as `tandem door`."""

from __future__ import annotations

import argparse
import sys

from tandem.door import command_door


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tandem.door", description=command_door.SUMMARY)
    command_door.add_arguments(parser)
    return command_door.run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
