"""The arguments of `scripts/soak`."""

from __future__ import annotations

import argparse
import sys

from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY, ensure_recognizer
from tests.server.soak import soak


def main() -> int:
    """Exit status: 0 unless something ended."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="default %(default)g")
    chosen = parser.parse_args()
    ensure_recognizer(lambda line: print(line, file=sys.stderr))
    options = ServerOptions(model_repository=REPOSITORY, grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as server:
        report = soak(server, chosen.minutes * 60)
    print("\n".join(report.lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
