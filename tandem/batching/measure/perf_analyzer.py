"""Runs NVIDIA's perf_analyzer, which the tritonclient wheel carries, and reads what it recorded.

Its libraries are found in the wheel that carries the server, so nothing has to be installed for it.
"""

from __future__ import annotations

import base64
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tandem_triton.transport.wire import pack_element

from tandem.batching.errors import InvalidInputError, ServerError
from tandem.batching.measure.live_model import PLAIN, TOKEN_METADATA, Connection
from tandem.batching.outcome import check_rate

# What perf_analyzer wants, and how the server's wheel spells it (auditwheel adds a hash).
_LIBRARIES = {"libb64.so.0d": "libb64-*.so.0d", "libcudart.so.12": "libcudart-*.so.12*"}
# Threads that send; at a few hundred requests a second one is enough, two keep the schedule when one is late.
_SENDERS = 2
# Beyond what a run should take; and so often it is tried.
_GRACE_S, _TRIES = 30.0, 2


class PerfAnalyzerError(ServerError):
    """perf_analyzer is missing, or ended with an error."""


@dataclass(frozen=True)
class Trace:
    """Requests in the order in which they were sent.

    Attributes:
        sent_s: `(n,)` float64, when each was sent, seconds from the first, rising.
        latency_s: `(n,)` float64, until its answer, seconds.
    """

    sent_s: NDArray[np.float64]
    latency_s: NDArray[np.float64]

    @property
    def rate_per_s(self) -> float:
        """Requests sent a second."""
        return (len(self.sent_s) - 1) / float(self.sent_s[-1])

    def without_start(self, share: float) -> NDArray[np.float64]:
        """Latencies without the first `share` of the requests, which met an empty server."""
        return self.latency_s[int(share * len(self.latency_s)) :]


def find_perf_analyzer() -> Path:
    """The program of this environment.

    Raises:
        PerfAnalyzerError: there is none.
    """
    beside = Path(sys.prefix) / "bin" / "perf_analyzer"
    found = beside if beside.exists() else shutil.which("perf_analyzer")
    if not found:
        raise PerfAnalyzerError(
            "perf_analyzer is missing: install tritonclient==2.51.0, which carries it, or, on Python 3.12"
            " and glibc 2.38 or later, perf-analyzer"
        )
    return Path(found)


def library_folder(target: Path) -> Path:
    """Fill `target` with links to the libraries that perf_analyzer wants, under the names that it wants.

    Those that the server's wheel does not have must be on the system (libb64-0d, nvidia-cuda-runtime-cu12).
    """
    target.mkdir(parents=True, exist_ok=True)
    for site in map(Path, sys.path):
        for name, pattern in _LIBRARIES.items():
            link = target / name
            for source in sorted((site / "nvidia_pytriton.libs").glob(pattern)):
                if not link.exists():
                    link.symlink_to(source)
    return target


def item_data(items: Sequence[bytes], tensor: str) -> dict[str, object]:
    """The `--input-data` for a BYTES input of shape [1]: each element with its length in front."""
    entries = []
    for item in items:
        element = base64.b64encode(pack_element(item)).decode("ascii")
        entries.append({tensor: {"content": {"b64": element}, "shape": [1]}})
    return {"data": entries}


def run_poisson(
    url: str,
    model: str,
    rate_per_s: float,
    requests: int,
    *,
    data: dict[str, object] | None = None,
    connection: Connection = PLAIN,
) -> Trace:
    """Send `requests` at Poisson times and record them all.

    Args:
        url: the server's gRPC address.
        model: the model or ensemble.
        rate_per_s: requests a second, one item each.
        requests: how many, at least a second's worth.
        data: see `item_data`; zeros where not given.
        connection: encryption and token; perf_analyzer takes the token on its command line only.

    Raises:
        PerfAnalyzerError: it is missing, or ended with an error.
        InvalidRateError: the rate is not positive and finite.
        InvalidInputError: the requests last less than a second.
    """
    rate = check_rate(rate_per_s)
    if requests < rate:
        raise InvalidInputError(
            f"{requests} requests at {rate:.4g} a second last less than a second, which perf_analyzer "
            f"refuses; send {math.ceil(rate)} or more"
        )
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        record = place / "record.json"
        words = [
            str(find_perf_analyzer()), "-m", model, "-u", url, "-i", "grpc", "--async",
            # Start and end: it takes a rate below 1 alone for a range up to 1.
            "--request-rate-range", f"{rate}:{rate}", "--request-distribution", "poisson",
            "--request-count", str(requests), "--max-threads", str(_SENDERS),
            "--profile-export-file", str(record),
            *_connection_words(connection),
        ]  # fmt: skip
        if data is None:
            words += ["--input-data", "zero"]
        else:
            (place / "data.json").write_text(json.dumps(data), encoding="ascii")
            words += ["--input-data", str(place / "data.json")]
        libraries = [str(library_folder(place / "lib")), os.environ.get("LD_LIBRARY_PATH", "")]
        environment = os.environ | {"LD_LIBRARY_PATH": ":".join(filter(None, libraries))}
        done = _run(words, environment, timeout_s=1.2 * requests / rate + _GRACE_S)
        if done.returncode != 0 or not record.exists():
            raise PerfAnalyzerError(f"perf_analyzer failed: {_reason(done.stderr) or done.returncode}")
        return read_record(record)


def _run(
    words: Sequence[str], environment: dict[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run perf_analyzer; again where it hangs, which it does now and then after the last answer.

    Raises:
        PerfAnalyzerError: it hung each time.
    """
    for _ in range(_TRIES):
        try:
            return subprocess.run(
                words, env=environment, capture_output=True, text=True, check=False, timeout=timeout_s
            )
        except subprocess.TimeoutExpired:
            continue
    raise PerfAnalyzerError(f"perf_analyzer did not end within {timeout_s:.0f} s, {_TRIES} times")


def _connection_words(connection: Connection) -> list[str]:
    """perf_analyzer's options for TLS and a token."""
    words = ["-H", f"{TOKEN_METADATA}:{connection.token}"] if connection.token else []
    if connection.tls:
        words.append("--ssl-grpc-use-ssl")
    for option, path in (
        ("root-certifications", connection.roots),
        ("private-key", connection.key),
        ("certificate-chain", connection.certificate),
    ):
        words += [f"--ssl-grpc-{option}-file", str(path)] if path else []
    return words


def _reason(said: str) -> str:
    """The line that tells why perf_analyzer ended; below it stands all of its help."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "failed"))]
    return (errors or lines[-1:] or [""])[0]


def read_record(path: Path) -> Trace:
    """The requests of perf_analyzer's `--profile-export-file`.

    Raises:
        PerfAnalyzerError: there are none, or requests without an answer.
    """
    # It writes the inputs along as they are, and a picture's bytes are no UTF-8.
    text = path.read_text(encoding="utf-8", errors="replace")
    entries = json.loads(text)["experiments"][0]["requests"]
    answered = [(entry["timestamp"], entry["response_timestamps"][-1]) for entry in entries]
    if not answered:
        raise PerfAnalyzerError("perf_analyzer recorded no request; check that the model answers")
    times = np.array(sorted(answered), np.float64) / 1e9  # (n, 2)
    return Trace(sent_s=times[:, 0] - times[0, 0], latency_s=times[:, 1] - times[:, 0])
