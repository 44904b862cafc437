"""What `scripts/soak` runs once the environment is there."""

from __future__ import annotations

import argparse
import sys

from export.services import set_up
from tandem.evaluation.soak import soak
from tandem.runtime.errors import EmbeddedServerError
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY

SERVICE = "id_card"


def main() -> int:
    """Exit status: 0 unless something ended."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="default %(default)g")
    chosen = parser.parse_args()
    try:
        set_up([SERVICE], say)
        options = ServerOptions(
            model_repository=REPOSITORY, services=(SERVICE,), grpc_port=0, http_port=0, metrics_port=0
        )
        with TritonServer(options) as server:
            report = soak(server, chosen.minutes * 60)
    except EmbeddedServerError as error:
        say(f"error: {error}")
        return 1
    print("\n".join(report.lines()))
    return 0


def say(line: str) -> None:
    """Progress and errors: stdout is for the figures."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
