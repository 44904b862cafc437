"""Who keeps 64 requests in flight: perf_analyzer, threads of a `Client`, coroutines of an `AsyncClient`."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from tandem_triton import AsyncClient, Client, ClientOptions, Service
from tandem_triton.services.id_card import SERVICE as ID_CARD
from tandem_triton.transport.wire import encode_grpc
from tritonclient.grpc import service_pb2_grpc

from tandem.batching.measure.perf_analyzer import find_perf_analyzer, item_data, library_folder
from tests.client.orders import order

PICTURE = bytes(1_000)
IN_FLIGHT = 64


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model and what is sent to it.

    Attributes:
        title: in the table.
        service: the model as a service.
        picture: sent again and again.
        warm_up_s: not measured.
    """

    title: str
    service: Service[Any]
    picture: bytes
    warm_up_s: float = 1.0


TWENTY_MS = Subject(title="20 ms", service=ID_CARD, picture=order(number="1", delay_s=0.02))
SWIFT = Subject(title="0.3 ms", service=ID_CARD.served_as("swift"), picture=PICTURE)
AT_ONCE = Subject(title="at once", service=ID_CARD.served_as("echo"), picture=PICTURE)


@dataclass(frozen=True)
class Rate:
    """Answers a second, and this process's CPU time for each in ms (None: another process asked)."""

    per_s: float
    cpu_ms: float | None = None


class Counts:
    """Answers by caller; `rate` measures how fast they grow."""

    def __init__(self) -> None:
        self.stop = False
        self.answers = [0] * IN_FLIGHT

    def rate(self, warm_up_s: float, run_s: float) -> Rate:
        time.sleep(warm_up_s)
        before, cpu, began = sum(self.answers), _cpu_s(), time.perf_counter()
        time.sleep(run_s)
        answers, took = sum(self.answers) - before, time.perf_counter() - began
        cpu = _cpu_s() - cpu
        self.stop = True
        return Rate(answers / took, cpu / max(answers, 1) * 1e3)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def threads_rate(url: str, subject: Subject, run_s: float) -> Rate:
    """What the threads of one `Client` get."""
    counts = Counts()

    def call(thread: int, client: Client) -> None:
        while not counts.stop:
            client.call_json(subject.service, subject.picture)
            counts.answers[thread] += 1

    with Client(url, options=_options()) as client:
        threads = [threading.Thread(target=call, args=(number, client)) for number in range(IN_FLIGHT)]
        for thread in threads:
            thread.start()
        rate = counts.rate(subject.warm_up_s, run_s)
        for thread in threads:
            thread.join()
    return rate


def coroutines_rate(url: str, subject: Subject, run_s: float) -> Rate:
    """What the coroutines of one `AsyncClient` get."""
    counts = Counts()

    async def call(number: int, client: AsyncClient) -> None:
        while not counts.stop:
            await client.call_json(subject.service, subject.picture)
            counts.answers[number] += 1

    async def main() -> None:
        async with AsyncClient(url, options=_options()) as client:
            await asyncio.gather(*(call(number, client) for number in range(IN_FLIGHT)))

    return _beside(main, counts, subject, run_s)


def grpc_alone_rate(url: str, subject: Subject, run_s: float) -> Rate:
    """What gRPC's asyncio library gets that only sends one ready request again and again."""
    counts = Counts()
    request = encode_grpc("1", subject.service.request(subject.picture))

    async def call(number: int, infer: Callable[..., object]) -> None:
        while not counts.stop:
            await infer(request)  # type: ignore[misc]
            counts.answers[number] += 1

    async def main() -> None:
        async with grpc.aio.insecure_channel(url) as channel:
            infer = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer
            await asyncio.gather(*(call(number, infer) for number in range(IN_FLIGHT)))

    return _beside(main, counts, subject, run_s)


def _beside(main: Callable[[], object], counts: Counts, subject: Subject, run_s: float) -> Rate:
    """Measure while an event loop runs in a thread of its own."""
    thread = threading.Thread(target=lambda: asyncio.run(main()))  # type: ignore[arg-type]
    thread.start()
    rate = counts.rate(subject.warm_up_s, run_s)
    thread.join()
    return rate


def _options() -> ClientOptions:
    return ClientOptions(max_in_flight=IN_FLIGHT, timeout_s=300)


def perf_analyzer_rate(url: str, subject: Subject, run_s: float) -> Rate:
    """What perf_analyzer gets, in three windows that take `run_s` together."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, report = folder / "data.json", folder / "report.csv"
        data.write_text(json.dumps(item_data([subject.picture], "IMAGE")))
        libraries = os.pathsep.join(
            filter(None, [str(library_folder(folder / "lib")), os.environ.get("LD_LIBRARY_PATH")])
        )
        done = subprocess.run(
            [
                find_perf_analyzer(),
                *(
                    "-m",
                    subject.service.name,
                    "-u",
                    url,
                    "-i",
                    "grpc",
                    "--async",
                    "--input-data",
                    data,
                    "-f",
                    report,
                ),
                *("--concurrency-range", str(IN_FLIGHT), "-p", str(int(run_s * 1000 / 3)), "-r", "3"),
                *("-s", "999"),  # per cent that the windows may differ
            ],
            check=False,  # it complains when other work on the machine makes its figures unsteady
            capture_output=True,
            text=True,
            env={**os.environ, "LD_LIBRARY_PATH": libraries},
        )
        if not report.exists():
            raise SystemExit(f"perf_analyzer measured nothing:\n{done.stdout}{done.stderr}")
        with report.open() as lines:
            return Rate(float(next(csv.DictReader(lines))["Inferences/Second"]))
