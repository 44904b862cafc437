"""How well Triton pairs, and what a lone picture waits for it, by number of callers.

    .venv/bin/python -m tandem.evaluation.pairs [PICTURE] [--clients 1,4,8,16] [--seconds 7] [--rounds 2]

Callers that each wait for their answer before they send the next; Triton's own statistics say how many of
each step's executions had two pictures, and how long the steps worked
(docs/decisions/0004-pairs-stay-together.md).
The server must have been set up (`scripts/serve --set-up-only`).
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tandem.batching.measure.batch_statistics import Counts, batch_counts, since
from tandem.batching.measure.live_model import LiveModel, connect, describe_model
from tandem.evaluation.served import triton_reader
from tandem.evaluation.throughput import Answers, measure_answers
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY

SERVICE = "id_card"
SAMPLE = REPOSITORY.parent / "docs" / "images" / "sample.jpg"
_WARM_UP = 5  # pictures


@dataclass(frozen=True, kw_only=True)
class Load:
    """What so many callers saw, and what Triton counted meanwhile.

    Attributes:
        clients: how many.
        answers: their latencies.
        counts: by step, batches of each size and their time together.
    """

    clients: int
    answers: Answers
    counts: Mapping[str, Counts]

    def paired(self, step: str) -> float:
        """Share of the step's executions that had two pictures."""
        sizes = self.counts[step]
        return sizes.get(2, (0, 0.0))[0] / sum(count for count, _ in sizes.values())

    @property
    def own_s(self) -> float:
        """The steps' own time a picture, queues left out, seconds; a pair's counts once."""
        busy = sum(spent for sizes in self.counts.values() for _, spent in sizes.values())
        return busy / len(self.answers.latencies_s)

    def row(self) -> str:
        """A line of the table."""
        median = statistics.median(self.answers.latencies_s)
        shares = " | ".join(f"{self.paired(step):.0%}" for step in self.counts)
        cells = (f"{self.answers.rate:.1f}", f"{median * 1e3:.0f}", f"{self.own_s * 1e3:.0f}")
        return f"| {self.clients} | {' | '.join(cells)} | {shares} |"


def measure_load(
    client: Any, steps: Sequence[LiveModel], read: Any, picture: bytes, *, clients: int, seconds: float
) -> Load:
    """Ask for so many seconds with so many callers.

    Args:
        client: see `live_model.connect`.
        steps: the ensemble's, in order.
        read: see `throughput.measure_answers`.
        picture: an encoded picture.
        clients: callers.
        seconds: how long.
    """
    before = {step.name: batch_counts(client, step) for step in steps}
    answers = measure_answers(read, clients, [picture], seconds)
    counts = {step.name: since(before[step.name], batch_counts(client, step)) for step in steps}
    return Load(clients=clients, answers=answers, counts=counts)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "picture", nargs="?", type=Path, default=SAMPLE, help="default: the repository's sample"
    )
    parser.add_argument("--clients", default="1,4,8,16")
    parser.add_argument("--seconds", type=float, default=7.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args(arguments)
    picture = chosen.picture.read_bytes()
    options = ServerOptions(
        model_repository=REPOSITORY, services=(SERVICE,), grpc_port=0, http_port=0, metrics_port=0
    )
    with TritonServer(options) as server, connect(server.grpc_url) as client:
        steps = [describe_model(client, step.model) for step in describe_model(client, SERVICE).steps]
        read = triton_reader(server.grpc_url)
        for _ in range(_WARM_UP):
            read(picture)
        names = " | ".join(step.name for step in steps)
        print(f"| clients | cards/s | median, ms | steps' own, ms | {names} |")  # noqa: T201 - its result
        print("|" + " ---: |" * (len(steps) + 4))  # noqa: T201 - its result
        for _ in range(chosen.rounds):
            for clients in map(int, chosen.clients.split(",")):
                load = measure_load(client, steps, read, picture, clients=clients, seconds=chosen.seconds)
                print(load.row(), flush=True)  # noqa: T201 - its result
    return 0


if __name__ == "__main__":
    sys.exit(main())
