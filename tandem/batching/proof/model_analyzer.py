"""NVIDIA's Model Analyzer on a running server: its quick search, and what that asks of the server."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request
import venv
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tandem.batching.errors import CalibrationError, InvalidInputError
from tandem.batching.measure.perf_analyzer import find_perf_analyzer, library_folder
from tandem.batching.measure.processor_time import processor_seconds

VERSION = "1.58.0"
# The counter of the metrics is read so often; what a model answered after the last reading and before it was
# unloaded is missed.
POLL_S = 0.1
_COUNTER = re.compile(
    r"^nv_inference_count\{model=\"[^\"]*\",version=\"[^\"]*\"\} ([0-9.e+]+)$", re.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked of a server.

    Attributes:
        took_s: how long it went on, seconds.
        items: inferences.
        processor_s: processor time of the server and its models, seconds.
    """

    took_s: float
    items: int
    processor_s: float


class Watch:
    """Counts what is asked of a server while it is entered; a model that is loaded anew counts anew.

    Args:
        metrics_url: `host:port`.
        pid: the server's process, on this machine.
    """

    def __init__(self, metrics_url: str, pid: int) -> None:
        self._url, self._pid = f"http://{metrics_url}/metrics", pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._items, self._last = 0.0, 0.0
        self._asked: Asked | None = None

    def __enter__(self) -> Watch:
        self._last = self._read()
        self._begin, self._processor = time.perf_counter(), processor_seconds(self._pid)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        took = time.perf_counter() - self._begin
        self._stop.set()
        self._thread.join()
        self._count()
        used = processor_seconds(self._pid) - self._processor
        self._asked = Asked(took_s=took, items=round(self._items), processor_s=max(used, 0.0))

    @property
    def result(self) -> Asked:
        """What was asked.

        Raises:
            CalibrationError: it was not left yet.
        """
        if self._asked is None:
            raise CalibrationError("the watch still counts; leave it first")
        return self._asked

    def _follow(self) -> None:
        while not self._stop.wait(POLL_S):
            self._count()

    def _count(self) -> None:
        now = self._read()
        self._items += now - self._last if now >= self._last else now
        self._last = now

    def _read(self) -> float:
        try:
            with urllib.request.urlopen(self._url, timeout=5) as answer:  # noqa: S310 - our own server
                return counted(answer.read().decode("utf-8"))
        except OSError:  # busy loading a model
            return self._last


def counted(metrics: str) -> float:
    """Inferences of all models in the server's metrics."""
    return sum(map(float, _COUNTER.findall(metrics)))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A configuration that the analyzer recommends, as it measured it in a closed loop.

    Attributes:
        max_batch: `max_batch_size`.
        instances: of the model.
        concurrency: callers.
        throughput_per_s: items a second.
        p99_ms: 99th percentile of the latency.
        measurements: configurations and concurrencies that it measured.
    """

    max_batch: int
    instances: int
    concurrency: int
    throughput_per_s: float
    p99_ms: float
    measurements: int


def install(folder: Path) -> Path:
    """The analyzer's program, installed into a virtual environment of its own when it is not there.

    Raises:
        CalibrationError: pip can't install it.
    """
    program = folder / "bin" / "model-analyzer"
    if not program.exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        package = f"triton-model-analyzer=={VERSION}"
        done = subprocess.run(
            [folder / "bin" / "python", "-m", "pip", "install", "-qq", package],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise CalibrationError(f"{package} can't be installed: {done.stderr.strip()[-300:]}")
    return program


def quick_search(
    program: Path,
    *,
    repository: Path,
    model: str,
    grpc_url: str,
    http_url: str,
    metrics_url: str,
    max_batch: int,
    max_instances: int,
    max_concurrency: int,
    on_cpu: bool,
    timeout_s: float,
) -> Answer:
    """Run the quick search against a server whose model control is open, and give its best configuration.

    The model's config must not set `preferred_batch_size`: the analyzer changes `max_batch_size` below it.

    Args:
        program: see `install`.
        repository: the server's folder of models.
        model: which.
        grpc_url: `host:port`.
        http_url: `host:port`.
        metrics_url: `host:port`.
        max_batch: largest `max_batch_size` to try.
        max_instances: most instances to try.
        max_concurrency: most callers to try.
        on_cpu: the model runs on the server's processors.
        timeout_s: after which it is ended, seconds.

    Raises:
        CalibrationError: it fails, takes longer, or measures nothing.
    """
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        settings: dict[str, object] = {
            # Without this its variants ask for GPUs, here or not.
            "profile_models": {model: {"cpu_only": on_cpu}},
            "model_repository": str(repository),
            "triton_launch_mode": "remote",
            "client_protocol": "grpc",
            "triton_grpc_endpoint": grpc_url,
            "triton_http_endpoint": http_url,
            "triton_metrics_url": f"http://{metrics_url}/metrics",
            "perf_analyzer_path": str(find_perf_analyzer()),
            "run_config_search_mode": "quick",
            "run_config_search_max_model_batch_size": max_batch,
            "run_config_search_max_instance_count": max_instances,
            "run_config_search_max_concurrency": max_concurrency,
            "output_model_repository_path": str(work / "variants"),
            "export_path": str(work / "results"),
            "checkpoint_directory": str(work / "checkpoints"),
        }
        config = work / "settings.yaml"
        config.write_text(json.dumps(settings), encoding="ascii")  # JSON is YAML
        words = [str(program), "profile", "--config-file", str(config)]
        for folder in ("results", "checkpoints"):
            (work / folder).mkdir()
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment["LD_LIBRARY_PATH"] = str(library_folder(work / "lib"))
        try:
            done = subprocess.run(
                words, env=environment, cwd=work, capture_output=True, text=True, check=False,
                timeout=timeout_s,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise CalibrationError(f"the analyzer did not end within {timeout_s:.0f} s") from error
        found = work / "results" / "results" / "metrics-model-inference.csv"
        if done.returncode != 0 or not found.exists():
            said = (done.stderr or done.stdout).strip().splitlines()
            raise CalibrationError(f"the analyzer failed: {said[-1] if said else done.returncode}")
        return best_of(found.read_text(encoding="utf-8"))


def best_of(table: str) -> Answer:
    """The row with the highest throughput of the analyzer's table of inference metrics (CSV).

    Raises:
        InvalidInputError: it has no rows, or other columns.
    """
    rows = list(csv.DictReader(table.splitlines()))
    if not rows:
        raise InvalidInputError("the analyzer's table has no rows")
    try:
        best = max(rows, key=lambda row: float(row["Throughput (infer/sec)"]))
        return Answer(
            max_batch=int(best["Max Batch Size"]),
            instances=int(best["Instance Group"].partition(":")[0]),
            concurrency=int(best["Concurrency"]),
            throughput_per_s=float(best["Throughput (infer/sec)"]),
            p99_ms=float(best["p99 Latency (ms)"]),
            measurements=len(rows),
        )
    except (KeyError, ValueError) as error:
        raise InvalidInputError(f"the analyzer's table has other columns than expected: {error}") from error
