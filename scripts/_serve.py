"""What `scripts/serve` runs: the services' set-up, then `tandem.runtime`.

For its help it needs nothing but the standard library: nothing is installed then.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from export.services import SERVICES, check_known, default_services, set_up
from tandem.runtime.__main__ import run, say
from tandem.runtime.command import parse_options, server_parser
from tandem.runtime.errors import UnknownServiceError
from tandem.runtime.setup import REPOSITORY, ensure_ready


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 after a signal, 1 without a server, 2 for wrong arguments."""
    parser = server_parser(
        "scripts/serve", f"{', '.join(default_services())}, which need nothing more to download"
    )
    parser.add_argument("--set-up-only", action="store_true", help="make what is missing, then leave")
    options, chosen = parse_options(parser, arguments, os.environ)
    others = [path for path in options.repositories if path != REPOSITORY]
    ours = len(others) < len(options.repositories)
    try:
        services = chosen_services(options.services, others, ours=ours)
    except UnknownServiceError as error:
        parser.error(str(error))

    def make() -> None:
        ensure_ready()
        set_up([name for name in services if ours and name in SERVICES], say)
        if chosen.set_up_only:
            raise SystemExit(0)

    return run(dataclasses.replace(options, services=services), make)


def chosen_services(asked: Sequence[str], others: Sequence[Path], *, ours: bool) -> tuple[str, ...]:
    """The services to serve; empty for every model of `others`.

    Args:
        asked: what the user named; empty: the default ones.
        others: repositories that aren't this checkout's; what is in them can't be set up from here.
        ours: whether this checkout's repository is served.

    Raises:
        UnknownServiceError: a name is neither a service of ours nor a model of the others.
    """
    theirs = [path.name for folder in others for path in sorted(folder.glob("*/")) if path.is_dir()]
    if asked:
        check_known(asked, [*(SERVICES if ours else ()), *theirs])
        return tuple(asked)
    return (*default_services(), *theirs) if ours else ()


if __name__ == "__main__":
    sys.exit(main())
