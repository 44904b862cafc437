"""What the door costs: `python -m tests.door.measure_door [--rounds 3] [--seconds 6] [--id-card]`.

One client: the median of a request to Triton's own gRPC, and of the same through the door, in turns so that
all meet the same noise; the model answers at once. 64 in flight: answers a second of perf_analyzer at Triton
and through a door of one and of four processes. `--id-card`: the real ensemble, 16 clients, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np
import tritonclient.grpc
from tandem_triton import AsyncClient, ClientOptions
from tandem_triton.services.id_card import SERVICE as ID_CARD

from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY
from tests.client.askers import Subject, perf_analyzer_rate
from tests.door.process import ROOT, DoorProcess, environment
from tests.toy_service import write_entry_point

ECHO = Path(__file__).parents[1] / "client" / "model_repository" / "echo"
SAMPLE = ROOT / "docs" / "images" / "sample.jpg"
ECHO_SERVICE = """
import dataclasses

from tandem_triton.services.id_card import SERVICE as ID_CARD

SERVICE = dataclasses.replace(ID_CARD, name="echo")
"""
CALLS, WARM_UP = 600, 60
PICTURE = bytes(1_000)


def by_grpc(url: str, stack: ExitStack) -> Callable[[], object]:
    """A call with `tritonclient.grpc`."""
    client = tritonclient.grpc.InferenceServerClient(url)
    stack.callback(client.close)
    tensor = tritonclient.grpc.InferInput("IMAGE", [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[PICTURE]], np.object_))
    return lambda: client.infer("echo", [tensor]).as_numpy("RESULT")


def by_http(url: str, stack: ExitStack) -> Callable[[], object]:
    """A plain POST to `/v1/echo` on a kept connection."""
    host, _, port = url.partition(":")
    connection = http.client.HTTPConnection(host, int(port))
    stack.callback(connection.close)

    def call() -> bytes:
        connection.request("POST", "/v1/echo", PICTURE)
        return connection.getresponse().read()

    return call


def medians_ms(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median of each, called in turns."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(WARM_UP + CALLS):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if turn >= WARM_UP:
                took[name].append((time.perf_counter() - began) * 1e3)
    return {name: median(values) for name, values in took.items()}


def one_client(server: TritonServer, door: DoorProcess) -> None:
    """Print what the door adds to a request."""
    with ExitStack() as stack:
        calls = {
            "Triton, gRPC": by_grpc(server.grpc_url, stack),
            "door, gRPC": by_grpc(door.grpc, stack),
            "door, POST /v1": by_http(door.http, stack),
        }
        found = medians_ms(calls)
    plain = found["Triton, gRPC"]
    print(f"one client, median of {CALLS}, in turns:")
    for name, took in found.items():
        print(f"  {name}: {took:.2f} ms ({took - plain:+.2f} ms)")


def sixteen_clients_rate(url: str, subject: Subject, seconds: float) -> float:
    """Answers a second of sixteen coroutines of an `AsyncClient`, each of which asks again at once."""
    done = 0

    async def ask(client: AsyncClient, until_s: float) -> None:
        nonlocal done
        while time.monotonic() < until_s:
            await client.call_json(subject.service, subject.picture)
            done += time.monotonic() < until_s

    async def main() -> None:
        nonlocal done
        async with AsyncClient(url, options=ClientOptions(timeout_s=300)) as client:
            await asyncio.gather(*(ask(client, time.monotonic() + subject.warm_up_s) for _ in range(16)))
            done = 0
            await asyncio.gather(*(ask(client, time.monotonic() + seconds) for _ in range(16)))

    asyncio.run(main())
    return done / seconds


def perf_analyzers_rate(url: str, subject: Subject, seconds: float) -> float:
    """Answers a second of perf_analyzer with 64 in flight."""
    return perf_analyzer_rate(url, subject, seconds).per_s


def rates(
    ask: Callable[[str, Subject, float], float],
    places: dict[str, str],
    subject: Subject,
    rounds: int,
    seconds: float,
) -> None:
    """Print the answers a second at each place, in turns."""
    found: dict[str, list[float]] = {name: [] for name in places}
    for _ in range(rounds):
        for name, url in places.items():
            found[name].append(ask(url, subject, seconds))
    best = median(next(iter(found.values())))
    print(f"{subject.title}, median of {rounds} rounds, in turns:")
    for name, values in found.items():
        share = median(values) / best
        print(
            f"  {name}: {median(values):.1f}/s ({share:.0%}; rounds {', '.join(f'{v:.1f}' for v in values)})"
        )


def cpu_s(pid: int) -> float:
    """Processor time of a process and its children so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") + sum(
        cpu_s(int(child)) for child in children
    )


def processor_share(server: TritonServer, door: DoorProcess, subject: Subject, seconds: float) -> None:
    """Print an answer's processor time, which other work on the machine doesn't change much."""
    before = cpu_s(door.pid), cpu_s(server.pid), len(door.records())
    sixteen_clients_rate(door.grpc, subject, seconds)
    answers = len(door.records()) - before[2]
    doors, servers = (cpu_s(pid) - used for pid, used in zip((door.pid, server.pid), before[:2], strict=True))
    print(f"processor time an answer, over {answers}: the door {doors / answers * 1e3:.1f} ms,", end=" ")
    print(f"Triton {servers / answers * 1e3:.0f} ms: {doors / (doors + servers):.1%} of both")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="What the door costs.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--id-card", action="store_true", help="measure the real ensemble instead")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_entry_point(folder, "echo", ECHO_SERVICE)
        env = environment(folder)
        if chosen.id_card:
            repository = REPOSITORY
        else:
            repository = folder / "models"
            repository.mkdir()
            (repository / "echo").symlink_to(ECHO)
        options = ServerOptions(
            model_repository=repository,
            services=("id_card",) if chosen.id_card else (),
            grpc_port=0,
            http_port=0,
            metrics_port=0,
        )
        server = stack.enter_context(TritonServer(options))
        one = stack.enter_context(DoorProcess("--triton", server.grpc_url, "--timeout", "300", env=env))
        if chosen.id_card:
            subject = Subject(
                title="id_card, 16 clients", service=ID_CARD, picture=SAMPLE.read_bytes(), warm_up_s=3
            )
            places = {"Triton": server.grpc_url, "door": one.grpc}
            rates(sixteen_clients_rate, places, subject, chosen.rounds, chosen.seconds)
            processor_share(server, one, subject, chosen.seconds)
            return 0
        one_client(server, one)
        four = stack.enter_context(DoorProcess("--triton", server.grpc_url, "--processes", "4", env=env))
        subject = Subject(
            title="answers at once, 64 in flight", service=ID_CARD.served_as("echo"), picture=PICTURE
        )
        places = {"Triton": server.grpc_url, "door, one process": one.grpc, "door, four processes": four.grpc}
        rates(perf_analyzers_rate, places, subject, chosen.rounds, chosen.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
