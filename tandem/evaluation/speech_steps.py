"""How long the recogniser's step takes by window and batch: `scripts/evaluate speech_steps`.

s(b) is the time of a batch of b windows; two gain 2 s(1) / s(2) over one by one. Beside the time by the clock
stands the processors' time, which other programs on the machine change less.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tandem.evaluation.speech import FOLDER, WEIGHTS, read_recordings
from tandem.media.audio import SAMPLE_RATE, decode
from tandem.services.speech_to_text.listening import Listen
from tandem.services.speech_to_text.recognizer import Recognizer, RecognizerConfig
from tandem.services.speech_to_text.vocabulary import TRANSCRIBE

BATCHES = (1, 2, 4)
LENGTHS_S = (3.0, 8.0, 14.0, 24.0)
_COMPUTE_TYPES = {"cpu": "int8", "cuda": "float16"}


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """Medians of one batch size.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of all processors.
    """

    seconds: float
    cpu_seconds: float


def speech_of(seconds: float, samples: NDArray[np.float32], start: int) -> NDArray[np.float32]:
    """So many seconds of speech out of `samples`, which are taken round."""
    rolled = np.roll(samples, -start)
    return np.resize(rolled, int(seconds * SAMPLE_RATE))


def measure(
    recognizer: Recognizer, samples: NDArray[np.float32], seconds: float, *, language: str, rounds: int
) -> dict[int, StepTime]:
    """Batch size → its times, the sizes in turns; each window holds other words."""
    taken: dict[int, list[tuple[float, float]]] = {size: [] for size in BATCHES}
    for turn in range(-1, rounds):
        for size in BATCHES:
            windows = [
                speech_of(seconds, samples, (turn * size + i) * 7 * SAMPLE_RATE % len(samples))
                for i in range(size)
            ]
            batch = [Listen(samples=each, language=language, task=TRANSCRIBE) for each in windows]
            clock, cpu = time.perf_counter(), time.process_time()
            recognizer.recognize(batch)
            if turn >= 0:  # the one before warms up
                taken[size].append((time.perf_counter() - clock, time.process_time() - cpu))
    return {
        size: StepTime(
            seconds=statistics.median(clock for clock, _ in times),
            cpu_seconds=statistics.median(cpu for _, cpu in times),
        )
        for size, times in taken.items()
    }


def table(measured: dict[float, dict[int, StepTime]]) -> Table:
    """A row a length."""
    shown = Table(title="The recogniser's step, medians: seconds by the clock (of the processors)")
    shown.add_column("speech in a window")
    for size in BATCHES:
        shown.add_column(f"s({size})", justify="right")
    shown.add_column("two gain", justify="right")
    for seconds, times in measured.items():
        gains = (
            2 * times[1].seconds / times[2].seconds,
            2 * times[1].cpu_seconds / times[2].cpu_seconds,
        )
        cells = [f"{times[size].seconds:.2f} ({times[size].cpu_seconds:.2f})" for size in BATCHES]
        shown.add_row(f"{seconds:g} s", *cells, f"{gains[0]:.2f} ({gains[1]:.2f})")
    return shown


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate speech_steps", description=__doc__)
    add = parser.add_argument
    add("--folder", type=Path, default=FOLDER, help="recordings with an index.json, default: %(default)s")
    add("--weights", type=Path, default=WEIGHTS, help="CTranslate2's folder, default: %(default)s")
    add("--language", choices=["zh", "en"], default="zh", help="of the recordings taken: %(default)s")
    add("--rounds", type=int, default=7, help="default: %(default)s")
    add("--threads", type=int, default=2, help="of a CPU, default: %(default)s")
    add("--device", choices=["cpu", "cuda"], default="cpu", help="default: %(default)s")
    add("--compute-type", help="CTranslate2's name, default: int8 on a CPU, float16 on a GPU as configured")
    options = parser.parse_args(argv)
    recordings = [one for one in read_recordings(options.folder) if one.language == options.language]
    samples = np.concatenate([decode(one.data) for one in recordings])
    compute_type = options.compute_type or _COMPUTE_TYPES[options.device]
    config = RecognizerConfig(device=options.device, compute_type=compute_type, threads=options.threads)
    recognizer = Recognizer(options.weights, config)
    measured = {
        seconds: measure(recognizer, samples, seconds, language=options.language, rounds=options.rounds)
        for seconds in LENGTHS_S
    }
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table(measured))
    how = f"{options.device}, {compute_type}, {options.threads} threads, {os.cpu_count()} cores"
    console.print(f"{options.language}; {how}")
