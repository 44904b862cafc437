"""What the router costs: `python -m tests.client.measure_overhead` prints both figures.

One client: the median of a plain `tritonclient` call and of `Client.recognize_json`, in turns so that both
meet the same noise. 64 threads: answers a second of `Client` and of perf_analyzer with as many concurrent
requests, in turns, on the same server: with a model that takes 20 ms on each of four instances, as real do,
and with one that answers at once, where both compete with the server for the cores.
"""

from __future__ import annotations

import base64
import csv
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import tritonclient.grpc as plain
from tandem_client import Client, ClientOptions

from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tests.client.orders import order

MODELS = Path(__file__).parent / "model_repository"
PICTURE = bytes(1_000)
MODELS_MEASURED = (
    ("20 ms", "id_card", order(number="1", delay_s=0.02)),
    ("at once", "echo", PICTURE),
)
CALLS = 2_000
WARM_UP_CALLS = 200
THREADS = 64
RUN_S = 5.0
ROUNDS = 3


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


def client_rate(url: str, model: str, picture: bytes) -> float:
    """Answers a second that the threads of one `Client` get."""
    stop = threading.Event()
    counts = [0] * THREADS

    def call(thread: int, client: Client) -> None:
        while not stop.is_set():
            client.recognize_json(picture)
            counts[thread] += 1

    with Client(url, options=ClientOptions(model=model, max_in_flight=THREADS)) as client:
        threads = [threading.Thread(target=call, args=(number, client)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        time.sleep(1)  # warm-up
        before, began = sum(counts), time.perf_counter()
        time.sleep(RUN_S)
        rate = (sum(counts) - before) / (time.perf_counter() - began)
        stop.set()
        for thread in threads:
            thread.join()
    return rate


def perf_analyzer_rate(url: str, model: str, picture: bytes, folder: Path) -> float:
    """Answers a second that perf_analyzer gets."""
    tensor = len(picture).to_bytes(4, "little") + picture
    content = {"content": {"b64": base64.b64encode(tensor).decode()}, "shape": [1]}
    data, report = folder / "data.json", folder / "report.csv"
    data.write_text(json.dumps({"data": [{"IMAGE": content}]}))
    subprocess.run(
        [
            Path(sys.executable).parent / "perf_analyzer",
            *("-m", model, "-u", url, "-i", "grpc", "--async", "--input-data", data, "-f", report),
            *("--concurrency-range", str(THREADS), "-p", str(int(RUN_S * 1000)), "-r", "3", "-s", "999"),
        ],
        check=False,  # it complains when other work on the machine makes its figures unsteady
        capture_output=True,
        env={**os.environ, "LD_LIBRARY_PATH": _libraries()},
    )
    with report.open() as lines:
        return float(next(csv.DictReader(lines))["Inferences/Second"])


def _libraries() -> str:
    """Where perf_analyzer finds libcudart."""
    spec = find_spec("nvidia.cuda_runtime")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("perf_analyzer needs the package nvidia-cuda-runtime-cu12")
    return str(Path(next(iter(spec.submodule_search_locations))) / "lib")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    options = ServerOptions(model_repository=MODELS, grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as server, tempfile.TemporaryDirectory() as folder:
        url = server.grpc_url
        with (
            plain.InferenceServerClient(url) as bare,
            Client(url, options=ClientOptions(model="echo")) as client,
        ):
            calls = {"plain": plain_call(bare), "router": lambda: client.recognize_json(PICTURE)}
            medians = latencies_s(calls)
        added_ms = (medians["router"] - medians["plain"]) * 1e3
        _say(
            f"one client, median of {CALLS}: plain tritonclient {medians['plain'] * 1e3:.2f} ms, "
            f"Client {medians['router'] * 1e3:.2f} ms, added {added_ms:+.2f} ms"
        )
        for name, model, picture in MODELS_MEASURED:
            for _ in range(ROUNDS):
                ours = client_rate(url, model, picture)
                theirs = perf_analyzer_rate(url, model, picture, Path(folder))
                share = f"{ours / theirs:.0%}"
                _say(
                    f"{name}, {THREADS} in flight: perf_analyzer {theirs:.0f}/s, Client {ours:.0f}/s, {share}"
                )


if __name__ == "__main__":
    main()
