"""What batches cost the text networks, and what two gain: `scripts/evaluate text_speed`.

Measured in this process with the same weights, runtime and threads that the server uses, sizes in turns so
that another program on the machine slows all of them alike; medians of the rounds. With `--url` the
translation of the same sentences by 4 callers of a server stands beside the runtime called one by one.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import numpy as np
import onnxruntime
from rich.console import Console
from rich.table import Table

from tandem.batching.plan.regret_of_two import best_and_regret, means_s
from tandem.batching.service_time import fit_line
from tandem.evaluation.text_served import read_material, triton_text_service
from tandem.runtime.setup import REPOSITORY
from tandem.services.text_keywords.lanes import LENGTH, Lane, pack
from tandem.services.text_translation.engine import Engine, ModelSettings
from tandem.services.text_translation.engines import load_engine
from tandem.services.text_translation.languages import Direction
from tandem.services.text_translation.prompts import Wanted

SIZES = (1, 2, 4, 8)
LOADS = (0.2, 0.4, 0.6, 0.8, 1.0)
_THREADS = 2  # as in the models' configs
_ON_GPU = ModelSettings(device="cuda", compute_type="int8_float16")
_CLIENTS = 4
_SHORT, _LONG = 14, 22  # characters of a Chinese sentence that bound the three lengths

Run = Callable[[int], None]


def seconds_by_size(runs: Run, rounds: int, sizes: Sequence[int] = SIZES) -> dict[int, float]:
    """s(b) of each size: the median of the rounds, each of which takes every size once.

    Args:
        runs: computes one batch of that many items.
        rounds: ≥ 1; one more comes first and does not count.
        sizes: of the batches.
    """
    taken: dict[int, list[float]] = {size: [] for size in sizes}
    for number in range(rounds + 1):
        for size in sizes:
            started = time.perf_counter()
            runs(size)
            if number:
                taken[size].append(time.perf_counter() - started)
    return {size: statistics.median(values) for size, values in taken.items()}


def gain_of_two(seconds: Mapping[int, float]) -> float:
    """How many times as many items a second batches of two do as single items."""
    return 2 * seconds[1] / seconds[2]


def is_two_right(seconds: Mapping[int, float]) -> str:
    """The planner's answer for one instance that takes what waits (greedy), at a few loads.

    A load is rate × s(1): at 1 a server without batches is full.
    """
    fit = fit_line(list(seconds), list(seconds.values()))
    if fit.beta_s <= 0 or fit.alpha_s < 0:
        return "no line fits: measure on a quieter machine"
    ratio = fit.alpha_s / fit.beta_s
    found = [(load, *best_and_regret(means_s(ratio, load))) for load in LOADS]
    parts = [f"load {load:g}: best {best}, two {_cost(regret)}" for load, best, regret in found]
    return f"alpha / beta = {ratio:.2f}; " + "; ".join(parts)


def translator_runs(engine: Engine, sentences: Sequence[str]) -> Run:
    """Batches of these sentences, each the next ones."""
    chinese = Direction(source="zh", target="en")
    upcoming = cycle(sentences)

    def run(size: int) -> None:
        wanted = [Wanted(text=next(upcoming), direction=chinese) for _ in range(size)]
        engine.translate(wanted, lambda _place: False)

    return run


def embedder_runs(session: onnxruntime.InferenceSession, lanes: Sequence[Lane]) -> Run:
    """Batches of these lanes, each the next ones."""
    upcoming = cycle(lanes)

    def run(size: int) -> None:
        tensors = [next(upcoming).tensors() for _ in range(size)]
        session.run(None, {name: np.stack([one[name] for one in tensors]) for name in tensors[0]})

    return run


def served_and_one_by_one(
    url: str, engine: Engine, sentences: Sequence[str], rounds: int
) -> tuple[float, float]:
    """Sentences a second: a server with 4 callers, and the runtime called one by one, in turns; medians."""
    ask = triton_text_service(url, "text_translation", {"source": "zh", "target": "en"})
    run = translator_runs(engine, sentences)
    served, alone = [], []
    for number in range(rounds + 1):
        started = time.perf_counter()
        with ThreadPoolExecutor(_CLIENTS) as pool:
            list(pool.map(ask, sentences))
        between = time.perf_counter()
        for _ in sentences:
            run(1)
        if number:
            served.append(len(sentences) / (between - started))
            alone.append(len(sentences) / (time.perf_counter() - between))
    return statistics.median(served), statistics.median(alone)


def table(title: str, rows: Mapping[str, Mapping[int, float]]) -> Table:
    """A row what was measured: s(b) in milliseconds and what two gain."""
    shown = Table(title=title)
    shown.add_column("")
    for size in SIZES:
        shown.add_column(f"s({size}) ms", justify="right")
    shown.add_column("gain of two", justify="right")
    for name, seconds in rows.items():
        shown.add_row(name, *(f"{1e3 * seconds[size]:.0f}" for size in SIZES), f"{gain_of_two(seconds):.2f}×")
    return shown


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate text_speed", description=__doc__)
    parser.add_argument("--url", help="also compare with this server's text_translation, with 4 callers")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument(
        "--gpu", action="store_true", help="on the first GPU, as configs/gpu.pbtxt serves them"
    )
    parser.add_argument("--network", choices=("translator", "embedder"), help="only this one")
    options = parser.parse_args(argv)
    console = Console(width=None if sys.stdout.isatty() else 120)
    sentences = [row["text"] for row in read_material("translation")["zh-en"]]
    if options.network != "translator":
        rows = {f"a lane of {LENGTH} tokens": seconds_by_size(_embedder(gpu=options.gpu), options.rounds)}
        _report(console, "text_embedder", rows)
    if options.network != "embedder":
        folder = REPOSITORY / "translator" / "1" / "model"
        engine = load_engine(folder, _ON_GPU if options.gpu else ModelSettings(threads=_THREADS))
        if options.url:
            served, alone = served_and_one_by_one(options.url, engine, sentences[:20], options.rounds)
            console.print(
                f"{served:.2f} sentences/s by the server with {_CLIENTS} callers, {alone:.2f} one by one in "
                f"process: {served / alone:.2f}×"
            )
        else:
            lengths = _by_length(sentences)
            rows = {
                name: seconds_by_size(translator_runs(engine, own), options.rounds)
                for name, own in lengths.items()
            }
            _report(console, "translator, Chinese to English", rows)


def _report(console: Console, title: str, rows: Mapping[str, Mapping[int, float]]) -> None:
    console.print(table(title, rows))
    for name, seconds in rows.items():
        console.print(f"is two right for {name}? {is_two_right(seconds)}", markup=False)


def _embedder(*, gpu: bool) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    path = REPOSITORY / "text_embedder" / "1" / "model.onnx"
    providers = ["CUDAExecutionProvider"] if gpu else ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    random = np.random.default_rng(1)
    texts = [[0, *map(int, random.integers(4, 200_000, 6)), 2] for _ in range(200)]
    return embedder_runs(session, pack(texts, pad=1))


def _by_length(sentences: Sequence[str]) -> dict[str, list[str]]:
    return {
        f"up to {_SHORT} characters": [one for one in sentences if len(one) <= _SHORT],
        f"{_SHORT + 1} to {_LONG}": [one for one in sentences if _SHORT < len(one) <= _LONG],
        f"over {_LONG}": [one for one in sentences if len(one) > _LONG],
    }


def _cost(regret: float) -> str:
    return "can't keep up" if regret == float("inf") else f"costs {100 * max(0.0, regret):.1f} %"
