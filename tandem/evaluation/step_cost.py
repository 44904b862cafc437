"""What a card costs: processor time of the server's processes, step by step, with one client.

    .venv/bin/python -m tandem.evaluation.step_cost [PICTURE…] [--count 120] [--rounds 3] [--json FILE]

Each model runs in a process of its own, so the kernel's own accounting says what each step costs. Without
pictures it draws those of `scripts/bench`. The server must have been set up (`scripts/serve --set-up-only`).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tandem_triton import Client

from tandem.evaluation.memory import memory_bytes
from tandem.evaluation.photo_sets import draw_photos
from tandem.evaluation.processor_use import uses_of
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY

SERVICE = "id_card"
PICTURES, SEED = 24, 30_000  # as scripts/bench
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class RoundCost:
    """One round of pictures.

    Attributes:
        steps_ms: processor time a picture by model, the server's own included, ms.
        latency_ms: median time from question to answer, ms.
    """

    steps_ms: dict[str, float]
    latency_ms: float

    @property
    def total_ms(self) -> float:
        """Processor time a picture of all processes together, ms."""
        return sum(self.steps_ms.values())


def measure_round(client: Client, server_pid: int, pictures: Sequence[bytes], count: int) -> RoundCost:
    """What `count` pictures, one after the other, cost."""
    before, latencies = uses_of(server_pid), []
    for number in range(count):
        asked = time.perf_counter()
        client.recognize(pictures[number % len(pictures)])
        latencies.append(time.perf_counter() - asked)
    after = uses_of(server_pid)
    steps = {name: (after[name] - before[name]).processor_s / count * 1e3 for name in after}
    return RoundCost(steps_ms=steps, latency_ms=statistics.median(latencies) * 1e3)


def table(rounds: Sequence[RoundCost]) -> dict[str, float]:
    """The median over the rounds of each step, dearest first, then of all together, ms a picture."""
    names = rounds[0].steps_ms
    medians = {name: statistics.median(one.steps_ms[name] for one in rounds) for name in names}
    ordered = dict(sorted(medians.items(), key=lambda entry: -entry[1]))
    return {**ordered, ALL: statistics.median(one.total_ms for one in rounds)}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pictures", nargs="*", type=Path, help="default: those that scripts/bench draws")
    parser.add_argument("--count", type=int, default=120, help="pictures a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="also write the table to this file")
    chosen = parser.parse_args(arguments)
    pictures = [path.read_bytes() for path in chosen.pictures]
    pictures = pictures or [photo.data for photo in draw_photos("upright", PICTURES, SEED)]
    options = ServerOptions(
        model_repository=REPOSITORY, services=(SERVICE,), grpc_port=0, http_port=0, metrics_port=0
    )
    with TritonServer(options) as server, Client(server.grpc_url) as client:
        for picture in pictures:  # every buffer has been as large as it gets
            client.recognize(picture)
        rounds = [
            measure_round(client, server.pid, pictures, chosen.count) for _ in range(max(chosen.rounds, 1))
        ]
        memory = sum(memory_bytes(server.pid).values()) / 2**20
    costs = table(rounds)
    latency = statistics.median(one.latency_ms for one in rounds)
    for name, cost in costs.items():
        print(f"{name:20} {cost:6.1f} ms")  # noqa: T201 - its result
    print(f"median latency {latency:.1f} ms; {memory:.0f} MiB of memory")  # noqa: T201 - its result
    if chosen.json:
        chosen.json.write_text(json.dumps({"steps_ms": costs, "latency_ms": latency, "memory_mib": memory}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
