"""A door of a process of its own, on free ports, and what it costs."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
_DOOR = re.compile(r"door: https?://([^/]+)/(?:, gRPC (\S+))?")
_METRICS = re.compile(r"metrics: (\S+)/metrics")
_START_S = 60
_STOP_S = 20


def environment(*folders: Path) -> dict[str, str]:
    """For processes that find this checkout, and what lies in `folders`."""
    paths = os.pathsep.join(map(str, (*folders, ROOT, ROOT / "client")))
    return {**os.environ, "PYTHONPATH": paths, "PYTHONUTF8": "1"}


class DoorProcess:
    """`python -m tandem.door`, ready; a context manager.

    Attributes:
        http: `host:port`.
        grpc: likewise.
        metrics: likewise.
    """

    def __init__(self, *words: str, env: Mapping[str, str] | None = None) -> None:
        command = [
            sys.executable,
            "-m",
            "tandem.door",
            "--port",
            "0",
            "--grpc-port",
            "0",
            "--metrics-port",
            "0",
        ]
        self._process = subprocess.Popen(
            [*command, *words], env=env or environment(), stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.lines: list[str] = []
        self.http = self.grpc = self.metrics = ""
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(_START_S) or not self.http:
            self.stop()
            raise AssertionError("the door did not start:\n" + "\n".join(self.lines))

    def __enter__(self) -> DoorProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> int:
        """Ask it to leave; its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._reader.join(_STOP_S)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return status

    def records(self) -> list[dict[str, Any]]:
        """The access log so far."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 60,
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own: status, headers by lower-case name, body."""
        connection = http.client.HTTPConnection(self.http, timeout=timeout_s)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line.rstrip("\n"))
            if found := _METRICS.search(line):
                self.metrics = found[1]
            if found := _DOOR.search(line):
                self.http, self.grpc = found[1], found[2] or ""
                self._ready.set()
        self._ready.set()


def memory_mib(pid: int, field: str = "VmRSS") -> float:
    """What a process holds: VmRSS now, VmHWM at most so far."""
    text = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def shared_memory_pages(prefix: str) -> int:
    """Pages of the regions in /dev/shm whose names begin so."""
    return sum(path.stat().st_blocks for path in Path("/dev/shm").glob(f"{prefix}*"))  # noqa: S108
