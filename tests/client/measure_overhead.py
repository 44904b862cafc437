"""What the router costs: `python -m tests.client.measure_overhead [--rounds 3] [--seconds 5] [--id-card]`.

One client: the median of a plain `tritonclient` call and of `Client.recognize_json`, in turns so that both
meet the same noise. 64 in flight: answers a second of perf_analyzer, of 64 threads with one `Client`, and of
64 coroutines with one `AsyncClient`, in turns on the same server. The models: one that takes 20 ms on each of
four instances, as real ones do; one that takes 0.3 ms an item; and one that answers at once, where who asks
and who answers compete for the cores. There the last row says what gRPC's Python library alone can do: only
calls, their answers not looked at. `--id-card` measures the real ensemble with its sample photograph.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import tritonclient.grpc as plain
from tandem_triton import Client
from tandem_triton.services.id_card import SERVICE as ID_CARD

from export.services import set_up
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY
from tests.client.askers import (
    AT_ONCE,
    IN_FLIGHT,
    PICTURE,
    SWIFT,
    TWENTY_MS,
    Rate,
    Subject,
    coroutines_rate,
    grpc_alone_rate,
    perf_analyzer_rate,
    threads_rate,
)

ECHO = ID_CARD.served_as("echo")
MODELS = Path(__file__).parent / "model_repository"
SAMPLE = Path(__file__).parents[2] / "docs" / "images" / "sample.jpg"
CALLS = 2_000
WARM_UP_CALLS = 200


def plain_call(client: plain.InferenceServerClient) -> Callable[[], object]:
    """What one would write without this package."""

    def call() -> object:
        tensor = plain.InferInput("IMAGE", [1, 1], "BYTES")
        tensor.set_data_from_numpy(np.array([[PICTURE]], np.object_))
        return json.loads(client.infer("echo", [tensor]).as_numpy("RESULT")[0, 0])

    return call


def latencies_s(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each, called in turns."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(WARM_UP_CALLS + CALLS):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if turn >= WARM_UP_CALLS:
                took[name].append(time.perf_counter() - began)
    return {name: median(values) for name, values in took.items()}


ASKERS: dict[str, Callable[[str, Subject, float], Rate]] = {
    "perf_analyzer": perf_analyzer_rate,
    "64 threads, Client": threads_rate,
    "64 coroutines, AsyncClient": coroutines_rate,
}


def compare(url: str, subject: Subject, rounds: int, run_s: float) -> dict[str, list[Rate]]:
    """Rates of everybody who asks, in turns, `rounds` of them."""
    askers = ASKERS | ({"grpc.aio alone": grpc_alone_rate} if subject is AT_ONCE else {})
    rates: dict[str, list[Rate]] = {name: [] for name in askers}
    for _ in range(rounds):
        for name, ask in askers.items():
            rates[name].append(ask(url, subject, run_s))
    return rates


def shares(rates: dict[str, list[Rate]]) -> dict[str, float]:
    """Each asker's share of perf_analyzer's rate: the median of the rounds' shares."""
    best = [rate.per_s for rate in rates["perf_analyzer"]]
    return {
        name: median(rate.per_s / most for rate, most in zip(own, best, strict=True))
        for name, own in rates.items()
    }


def rows(subject: Subject, rates: dict[str, list[Rate]]) -> list[str]:
    """The table's rows for one model."""
    share = shares(rates)
    found = []
    for name, own in rates.items():
        cpu = "" if own[0].cpu_ms is None else f"{median(rate.cpu_ms or 0 for rate in own):.2f}"
        rate = median(rate.per_s for rate in own)
        found.append(
            f"| {subject.title} | {name} | {rate:.{1 if rate < 100 else 0}f} | {share[name]:.0%} | {cpu} |"
        )
    return found


def _one_client(url: str) -> str:
    with (
        plain.InferenceServerClient(url) as bare,
        Client(url) as client,
    ):
        calls = {"plain": plain_call(bare), "router": lambda: client.call_json(ECHO, PICTURE)}
        medians = latencies_s(calls)
    added_ms = (medians["router"] - medians["plain"]) * 1e3
    return (
        f"one client, median of {CALLS}: plain tritonclient {medians['plain'] * 1e3:.2f} ms, "
        f"Client {medians['router'] * 1e3:.2f} ms, added {added_ms:+.2f} ms"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6, help="of each asker in each round")
    parser.add_argument("--id-card", action="store_true", help="the real ensemble")
    chosen = parser.parse_args()
    subjects: tuple[Subject, ...] = (TWENTY_MS, SWIFT, AT_ONCE)
    if chosen.id_card:
        set_up(["id_card"], _say)
        picture = SAMPLE.read_bytes()
        subjects = (Subject(title="id_card", service=ID_CARD, picture=picture, warm_up_s=15),)
    repository = REPOSITORY if chosen.id_card else MODELS
    options = ServerOptions(
        model_repository=repository,
        services=("id_card",) if chosen.id_card else (),
        grpc_port=0,
        http_port=0,
        metrics_port=0,
    )
    with TritonServer(options) as server:
        if not chosen.id_card:
            _say(_one_client(server.grpc_url))
        _say(f"\n| model | {IN_FLIGHT} in flight by | answers/s | of perf_analyzer's | CPU, ms an answer |")
        _say("|---|---|---|---|---|")
        for subject in subjects:
            rates = compare(server.grpc_url, subject, chosen.rounds, chosen.seconds)
            _say("\n".join(rows(subject, rates)))


if __name__ == "__main__":
    main()
