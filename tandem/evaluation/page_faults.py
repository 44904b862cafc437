"""What glibc's allocator costs the server a picture: system time and page faults, before and with ours.

    .venv/bin/python -m tandem.evaluation.page_faults [PICTURE…] [--count 40] [--rounds 2]

The server must have been set up (`scripts/serve --set-up-only`). Servers are measured in turns.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tandem_triton import Client

from tandem.evaluation.memory import memory_bytes
from tandem.evaluation.processor_use import use_of
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import CHECKOUT, REPOSITORY

SERVICE = "id_card"
SAMPLE = CHECKOUT / "docs" / "images" / "sample.jpg"
# Before: a limit of 1 MiB for blocks of their own, else as glibc has it. Ours are in tandem.runtime.server.
BEFORE = {
    "MALLOC_MMAP_THRESHOLD_": str(2**20),
    "MALLOC_TRIM_THRESHOLD_": str(128 * 2**10),
    "MALLOC_TOP_PAD_": str(128 * 2**10),
    "MALLOC_ARENA_MAX": "0",
}
SETTINGS: Mapping[str, Mapping[str, str]] = {"glibc's": BEFORE, "ours": {}}


def measure(pictures: Sequence[bytes], count: int, environment: Mapping[str, str]) -> str:
    """One line: what a picture costs, by a server with these variables, one client."""
    options = ServerOptions(
        model_repository=REPOSITORY,
        services=(SERVICE,),
        grpc_port=0,
        http_port=0,
        metrics_port=0,
        environment=environment,
    )
    with TritonServer(options) as server, Client(server.grpc_url) as client:
        for picture in pictures:  # every buffer has been as large as it gets
            client.recognize(picture)
        before = use_of(server.pid)
        for number in range(count):
            client.recognize(pictures[number % len(pictures)])
        after = use_of(server.pid)
        memory = sum(memory_bytes(server.pid).values()) / 2**20
    return (
        f"user {(after.user_s - before.user_s) / count * 1e3:6.1f} ms,"
        f" system {(after.system_s - before.system_s) / count * 1e3:5.1f} ms,"
        f" {(after.faults - before.faults) / count:6.0f} page faults a picture; {memory:.0f} MiB"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pictures", nargs="*", type=Path, default=[SAMPLE])
    parser.add_argument("--count", type=int, default=40, help="pictures a server and round")
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args(arguments)
    pictures = [path.read_bytes() for path in chosen.pictures]
    for _ in range(chosen.rounds):
        for name, environment in SETTINGS.items():
            print(f"{name:8} {measure(pictures, chosen.count, environment)}", flush=True)  # noqa: T201 - its result
    return 0


if __name__ == "__main__":
    sys.exit(main())
