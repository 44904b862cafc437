"""What `scripts/bench_gpu` runs once the environment is there."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format
from tandem_triton import Client

from export.services import set_up
from tandem.batching.errors import BatchingError
from tandem.batching.measure.calibrate import calibrate
from tandem.batching.measure.caller import Caller
from tandem.batching.measure.closed_loop import keep_under_way
from tandem.batching.measure.live_model import connect, describe_model, translated
from tandem.batching.measure.perf_analyzer import item_data, run_poisson
from tandem.batching.measure.samples import make_samples
from tandem.batching.service_time import fit_line
from tandem.evaluation.processor_use import Use, machine_busy_s, uses_of
from tandem.runtime.errors import EmbeddedServerError
from tandem.runtime.options import ServerOptions
from tandem.runtime.repository import find_models, needed_models, read_config
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY

SAMPLE = REPOSITORY.parent / "docs" / "images" / "sample.jpg"
DEFAULT = "default"  # the name for config.pbtxt itself, which runs on the CPU
MODEL = "id_card"
SERVICES = (MODEL, "find_cards", "document_kind")
# Inputs whose shapes vary: a card's three lanes as wide as they get, one document; a lane of tokens.
SHAPES: Mapping[str, dict[str, tuple[int, ...]]] = {
    "text_recognizer": {"LANES": (3, 48, 896, 3)},
    "document_classifier": {"VIEWS": (1, 160, 256, 3)},
    "text_embedder": {"TOKENS": (128,), "SEGMENTS": (128,), "POSITIONS": (128,)},
}
# The first requests of a run meet an empty server.
START_SHARE = 0.1
# TensorRT builds its engines at the first start.
START_TIMEOUT_S = 1800.0
# Always under way while cards a second are counted: enough for every step to have a full batch waiting.
LEAST_IN_FLIGHT = 16
# So many steps are named with what they cost.
DEAREST = 4
NETWORK_HEAD = (
    "| config | network | {sizes} | α, ms | β, ms | items/s at {sizes_s} |\n|---|---|{lines}---|---|---|"
)
HEAD = (
    "| config | largest batch | instances of a CPU step | cards/s | processors busy of {processors} "
    "| CPU a card, ms | p50, ms | p95, ms | fields as on the CPU |\n|---|---|---|---|---|---|---|---|---|"
)


def main() -> int:
    """Exit status: 0 if everything ran."""
    parser = argparse.ArgumentParser(prog="scripts/bench_gpu")
    parser.add_argument("pictures", nargs="*", type=Path, default=[SAMPLE])
    parser.add_argument("--configs", default="gpu,tensorrt")
    parser.add_argument("--sizes", type=partial(counts, least=1), default=[1, 2, 4, 8], metavar="M,M,…")
    parser.add_argument(
        "--instances",
        type=partial(counts, least=0),
        default=[1],
        metavar="N,N,…",
        help="of each step on the CPU, e.g. 1,8; 0: processors / batch",
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="for each measurement")
    parser.add_argument("--load", type=float, default=0.7, help="share of the capacity for the latencies")
    parser.add_argument("--services", default=",".join(SERVICES), help="whose networks are measured alone")
    chosen = parser.parse_args()
    pictures = [path.read_bytes() for path in chosen.pictures]
    try:
        set_up([MODEL, *chosen.services.split(",")], say)
        with serving(REPOSITORY, DEFAULT, [MODEL]) as server:
            expected = fields(server, pictures)
        print(f"{machine()}; {len(pictures)} pictures; latencies at {chosen.load:.0%} of cards/s\n")
        for config in chosen.configs.split(","):
            print_networks(config, chosen.services.split(","), max(chosen.sizes), chosen.seconds)
        print(HEAD.format(processors=os.cpu_count()), flush=True)
        for config in chosen.configs.split(","):
            for size in chosen.sizes:
                for count in chosen.instances:
                    instances = count or max(1, (os.cpu_count() or 1) // size)
                    with tempfile.TemporaryDirectory() as folder:
                        repository = with_batches(Path(folder) / "models", config, size, instances)
                        with serving(repository, config, [MODEL]) as server:
                            same = sum(
                                one == other
                                for one, other in zip(fields(server, pictures), expected, strict=True)
                            )
                            row = run(server, pictures, chosen.seconds, chosen.load, size * instances)
                    print(
                        f"| {config} | {size} | {instances} | {row} | {same} of {len(pictures)} |", flush=True
                    )
    except (BatchingError, EmbeddedServerError) as error:
        say(f"error: {error}")
        return 1
    return 0


def counts(text: str, *, least: int) -> list[int]:
    """Whole numbers with commas between.

    Raises:
        ArgumentTypeError: one is none, or less than `least`.
    """
    words = text.split(",")
    if not all(word.isdecimal() and int(word) >= least for word in words):
        raise argparse.ArgumentTypeError(f"'{text}': whole numbers of {least} or more, with commas between")
    return [int(word) for word in words]


def serving(repository: Path, config: str, services: Sequence[str]) -> TritonServer:
    """A server on free ports."""
    name = None if config == DEFAULT else config
    say(f"starting Triton ({config}) …")
    return TritonServer(
        ServerOptions(
            model_repository=repository,
            services=tuple(services),
            config_name=name,
            grpc_port=0,
            http_port=0,
            metrics_port=0,
            start_timeout_s=START_TIMEOUT_S,
        )
    )


def with_batches(target: Path, config: str, size: int, instances: int) -> Path:
    """A copy of the model repository whose steps run on at most `size` items.

    Args:
        target: the copy.
        config: which config each model has in it, where it has one of that name.
        size: of every model.
        instances: of every Python step, each with as many workers as a batch has pictures.
    """
    shutil.copytree(REPOSITORY, target)
    for model in (path for path in target.iterdir() if path.is_dir()):
        named = model / "configs" / f"{config}.pbtxt"
        path = named if named.exists() else model / "config.pbtxt"
        changed = read_config(path)
        changed.max_batch_size = size
        if changed.HasField("dynamic_batching"):
            changed.dynamic_batching.preferred_batch_size[:] = [size]
        if changed.backend == "python" and len(changed.instance_group) == 1 and path != named:
            changed.instance_group[0].count = instances
            if "workers" in changed.parameters:
                changed.parameters["workers"].string_value = str(max(size, 2))
        fitting = [warmup for warmup in changed.model_warmup if warmup.batch_size <= size]
        del changed.model_warmup[:]
        changed.model_warmup.extend(fitting)
        path.write_text(text_format.MessageToString(changed, as_utf8=True), "utf-8")
    return target


def fields(server: TritonServer, pictures: Sequence[bytes]) -> list[list[dict[str, str]]]:
    """What is read on each card of each picture."""
    with Client(server.grpc_url) as client:
        return [[dict(card["fields"]) for card in client.recognize_json(one)["cards"]] for one in pictures]


def print_networks(config: str, services: Sequence[str], largest: int, seconds: float) -> None:
    """A table of each network alone: s(b), the line through it, items a second by batch size."""
    sizes = range(1, largest + 1)
    print(
        NETWORK_HEAD.format(
            sizes=" | ".join(f"s({size})" for size in sizes), lines="---|" * largest, sizes_s=f"1 … {largest}"
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        repository = with_batches(Path(folder) / "models", config, largest, 1)
        models = find_models([repository])
        needed = needed_models(models, services, None if config == DEFAULT else config)
        networks = [
            name for name in needed if read_config(models[name] / "config.pbtxt").backend == "onnxruntime"
        ]
        with serving(repository, config, services) as server:
            client = connect(server.grpc_url)
            for name in networks:
                print(network_row(client, config, name, seconds), flush=True)
    print(flush=True)


def network_row(client: Any, config: str, name: str, seconds: float) -> str:
    """One network's line."""
    model = describe_model(client, name)
    (sample,) = make_samples(model, (), dict(SHAPES.get(name, {})))
    rng = np.random.default_rng(0)
    for tensor, array in sample.items():  # zeros would spare some processors work
        if array.dtype == np.uint8:
            sample[tensor] = rng.integers(0, 256, array.shape, np.uint8)
    times = calibrate(client, model, [sample], budget_s=seconds).service.seconds
    times_ms = " | ".join(f"{value * 1e3:.2f}" for value in times)
    line = fit_line(range(1, len(times) + 1), times) if len(times) > 1 else None
    slope = f"{line.alpha_s * 1e3:.2f} | {line.beta_s * 1e3:.2f}" if line else "– | –"
    rates = " ".join(f"{size / value:.0f}" for size, value in enumerate(times, start=1))
    return f"| {config} | {name} | {times_ms} | {slope} | {rates} |"


def run(server: TritonServer, pictures: Sequence[bytes], seconds: float, load: float, width: int) -> str:
    """The measured columns of one row; `width`: pictures that one CPU step has in hand at once."""
    client = connect(server.grpc_url)
    model = describe_model(client, MODEL)
    samples = make_samples(model, pictures, {})
    marks: list[tuple[dict[str, Use], float, float]] = []

    def mark() -> None:
        marks.append((uses_of(server.pid), machine_busy_s(), time.perf_counter()))

    with translated(MODEL):
        capacity = keep_under_way(
            Caller(client, model, samples),
            max(LEAST_IN_FLIGHT, 4 * width),
            seconds,
            at_start=mark,
            at_end=mark,
        )
    (before, busy, begin), (after, busy_then, end) = marks
    cards = capacity * (end - begin)
    costs = {name: (after[name] - before[name]).processor_s / cards * 1e3 for name in after}
    dearest = sorted(costs.items(), key=lambda entry: -entry[1])[:DEAREST]
    told = f"{sum(costs.values()):.0f} ({', '.join(f'{name} {cost:.0f}' for name, cost in dearest)})"
    rate = load * capacity
    data = item_data(pictures, model.inputs[0].name)
    trace = run_poisson(server.grpc_url, MODEL, rate, max(20, round(rate * seconds)), data=data)
    p50, p95 = np.quantile(trace.without_start(START_SHARE), [0.5, 0.95]) * 1e3
    busy_processors = (busy_then - busy) / (end - begin)
    return f"{capacity:.1f} | {busy_processors:.1f} | {told} | {p50:.1f} | {p95:.1f}"


def machine() -> str:
    """The GPU's name, or the processor's."""
    if shutil.which("nvidia-smi"):
        command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return json.dumps(done.stdout.strip().splitlines(), ensure_ascii=False)
    return f"no GPU; {platform.processor() or platform.machine()}"


def say(line: str) -> None:
    """Progress, beside the table."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
