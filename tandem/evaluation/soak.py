"""Mixed load for as long as you like, and how the memory of each process moves meanwhile: `scripts/soak`."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from tandem_triton import Client, ClientOptions, TandemError

from tandem.evaluation.memory import memory_bytes, shared_memory_bytes
from tandem.evaluation.mutants import SAMPLE, mutants
from tandem.runtime.server import TritonServer

SHARED = "/dev/shm"  # noqa: S108 - a row's name
CALLERS = 4
SAMPLE_EVERY_S = 1.0
# Generous: a soak asks what grows, not how fast a busy machine is.
DEADLINE_S = 120.0
# The first part fills caches and buffers; the slope is of what follows.
WARM_SHARE = 1 / 3
PHONE_PHOTO = (4000, 3000)  # pixels: 12 MP, what phones send


@dataclass
class Report:
    """What a soak saw.

    Attributes:
        outcomes: how many pictures ended how.
        times_s: when memory was looked at, from the start.
        memory: process → bytes at those times; `/dev/shm` is one of them.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    times_s: list[float] = field(default_factory=list)
    memory: dict[str, list[int]] = field(default_factory=dict)

    def slopes(self) -> dict[str, float]:
        """Process → bytes a minute, by least squares after the warm part."""
        first = int(len(self.times_s) * WARM_SHARE)
        minutes = np.array(self.times_s[first:]) / 60
        return {name: float(np.polyfit(minutes, sizes[first:], 1)[0]) for name, sizes in self.memory.items()}

    def lines(self) -> list[str]:
        """The report as text."""
        minutes = self.times_s[-1] / 60
        return [
            f"{self.outcomes.total()} pictures in {minutes:.1f} min: {dict(self.outcomes)}",
            *self.table(),
        ]

    def table(self) -> list[str]:
        """Memory of each process as text."""
        slopes = self.slopes()
        first = int(len(self.times_s) * WARM_SHARE)
        rows = [
            f"{name:<18}{sizes[first] / 2**20:>11.1f} MiB{sizes[-1] / 2**20:>9.1f} MiB"
            f"{slopes[name] / 2**10:>10.1f} KiB/min"
            for name, sizes in self.memory.items()
        ]
        return [f"{'process':<18}{'after warm-up':>15}{'at the end':>13}{'slope':>18}", *rows]


def pictures(rng: np.random.Generator) -> list[bytes]:
    """A mix: the sample, a phone's photo of it, pictures without a card, broken ones."""
    photo = Image.open(SAMPLE)
    noise = Image.fromarray(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8))
    mixed = [SAMPLE.read_bytes()] * 4
    for image in (photo.resize(PHONE_PHOTO), noise, Image.new("RGB", (300, 900), "white")):
        data = io.BytesIO()
        image.save(data, "JPEG", quality=85)
        mixed.append(data.getvalue())
    return mixed + [data for _, data in mutants(8, rng)]


def soak(server: TritonServer, duration_s: float, seed: int = 0) -> Report:
    """Load the server for a while.

    Raises:
        EmbeddedServerError: the server or a model's process ended.
    """
    report = Report()
    until = time.monotonic() + duration_s
    lock = threading.Lock()
    mixed = pictures(np.random.default_rng(seed))
    prefix = server.shared_memory_prefix
    with Client(server.grpc_url, options=ClientOptions(timeout_s=DEADLINE_S)) as client:

        def call(number: int) -> None:
            rng = np.random.default_rng([seed, number])
            while time.monotonic() < until:
                try:
                    cards = client.recognize(mixed[rng.integers(len(mixed))])
                    outcome = "read" if cards else "no card"
                except TandemError as error:
                    outcome = type(error).__name__
                with lock:
                    report.outcomes[outcome] += 1

        threads = [threading.Thread(target=call, args=(number,)) for number in range(CALLERS)]
        for thread in threads:
            thread.start()
        started = time.monotonic()
        while time.monotonic() < until:
            server.check()
            report.times_s.append(time.monotonic() - started)
            now = memory_bytes(server.pid) | {SHARED: shared_memory_bytes(prefix)}
            for name, size in now.items():
                report.memory.setdefault(name, []).append(size)
            time.sleep(SAMPLE_EVERY_S)
        for thread in threads:
            thread.join()
    return report
