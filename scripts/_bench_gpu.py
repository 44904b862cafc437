"""What `scripts/bench_gpu` runs once the environment is there."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from tandem_triton import Client

from export.services import set_up
from tandem.batching.errors import BatchingError
from tandem.batching.measure.live_model import connect
from tandem.batching.measure.perf_analyzer import item_data, run_poisson
from tandem.batching.plan.measured import Measured, measure
from tandem.batching.proof.ensemble_proof import measured_capacity
from tandem.runtime.errors import EmbeddedServerError
from tandem.runtime.options import ServerOptions
from tandem.runtime.repository import read_config
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY

SAMPLE = REPOSITORY.parent / "docs" / "images" / "sample.jpg"
DEFAULT = "default"  # the name for config.pbtxt itself, which runs on the CPU
MODEL = "id_card"
NETWORKS = ("card_detector", "text_recognizer")
# The first requests of a run meet an empty server.
START_SHARE = 0.1
# TensorRT builds its engines at the first start.
START_TIMEOUT_S = 1800.0
HEAD = (
    "| config | largest batch | detector s(1) … s(M), ms | recogniser s(1) … s(M), ms | other steps s(1), ms "
    "| cards/s | p50, ms | p95, ms | fields as on the CPU |\n|---|---|---|---|---|---|---|---|---|"
)


def main() -> int:
    """Exit status: 0 if everything ran."""
    parser = argparse.ArgumentParser(prog="scripts/bench_gpu")
    parser.add_argument("pictures", nargs="*", type=Path, default=[SAMPLE])
    parser.add_argument("--configs", default="gpu,tensorrt")
    parser.add_argument("--sizes", default="1,2,4,8")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each measurement")
    parser.add_argument("--load", type=float, default=0.7, help="share of the capacity for the latencies")
    chosen = parser.parse_args()
    pictures = [path.read_bytes() for path in chosen.pictures]
    try:
        set_up(["id_card"], say)
        with serving(REPOSITORY, DEFAULT) as server:
            expected = fields(server, pictures)
        print(f"{machine()}; {len(pictures)} pictures; latencies at {chosen.load:.0%} of cards/s\n\n{HEAD}")
        for config in chosen.configs.split(","):
            for size in map(int, chosen.sizes.split(",")):
                with tempfile.TemporaryDirectory() as folder:
                    repository = with_batches(Path(folder) / "models", config, size)
                    with serving(repository, config) as server:
                        same = fields(server, pictures) == expected
                        row = run(server, pictures, chosen.seconds, chosen.load)
                print(f"| {config} | {size} | {row} | {'yes' if same else 'no'} |", flush=True)
    except (BatchingError, EmbeddedServerError) as error:
        say(f"error: {error}")
        return 1
    return 0


def serving(repository: Path, config: str) -> TritonServer:
    """A server on free ports."""
    name = None if config == DEFAULT else config
    say(f"starting Triton ({config}) …")
    return TritonServer(
        ServerOptions(
            model_repository=repository,
            services=(MODEL,),
            config_name=name,
            grpc_port=0,
            http_port=0,
            metrics_port=0,
            start_timeout_s=START_TIMEOUT_S,
        )
    )


def with_batches(target: Path, config: str, size: int) -> Path:
    """A copy of the model repository whose steps run on at most `size` pictures."""
    shutil.copytree(REPOSITORY, target)
    for model in (path for path in target.iterdir() if path.is_dir()):
        named = model / "configs" / f"{config}.pbtxt"
        path = named if named.exists() else model / "config.pbtxt"
        changed = read_config(path)
        changed.max_batch_size = size
        if changed.HasField("dynamic_batching"):
            changed.dynamic_batching.preferred_batch_size[:] = [size]
        fitting = [warmup for warmup in changed.model_warmup if warmup.batch_size <= size]
        del changed.model_warmup[:]
        changed.model_warmup.extend(fitting)
        path.write_text(text_format.MessageToString(changed, as_utf8=True), "utf-8")
    return target


def fields(server: TritonServer, pictures: Sequence[bytes]) -> list[list[dict[str, str]]]:
    """What is read on each card of each picture."""
    with Client(server.grpc_url) as client:
        return [[dict(card["fields"]) for card in client.recognize_json(one)["cards"]] for one in pictures]


def run(server: TritonServer, pictures: Sequence[bytes], seconds: float, load: float) -> str:
    """The measured columns of one row."""
    client = connect(server.grpc_url)
    found = measure(client, MODEL, files=pictures, budget_s=seconds)
    capacity = measured_capacity(client, found.model, pictures, seconds)
    rate = load * capacity
    data = item_data(pictures, found.model.inputs[0].name)
    trace = run_poisson(server.grpc_url, MODEL, rate, max(20, round(rate * seconds)), data=data)
    p50, p95 = np.quantile(trace.without_start(START_SHARE), [0.5, 0.95]) * 1e3
    return f"{columns(found)} | {capacity:.1f} | {p50:.1f} | {p95:.1f}"


def columns(found: Measured) -> str:
    """Where the time goes: the networks by batch size, the other steps for one picture."""
    times = {
        step.model.name: [f"{value * 1e3:.1f}" for value in step.service.seconds] for step in found.steps
    }
    networks = " | ".join(" ".join(times[name]) for name in NETWORKS)
    others = ", ".join(f"{name} {values[0]}" for name, values in times.items() if name not in NETWORKS)
    return f"{networks} | {others}"


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
