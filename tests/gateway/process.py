"""`tandem gateway` as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


class GatewayProcess:
    """`tandem gateway` as its users run it."""

    def __init__(self, log: Path, *words: str, environment: Mapping[str, str] | None = None) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tandem.gateway", *words, "--monitor-port", "0"],
                env=environment or {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"},
                stderr=stderr,
            )
        # The file and not a pipe, which would fill up and hold the gateway.
        while "/metrics and /healthz on" not in self.log():
            if self._process.poll() is not None:
                raise RuntimeError(f"the gateway did not start:\n{self.log()}")
            time.sleep(0.05)
        [line] = [line for line in self.log().splitlines() if "/metrics and /healthz on" in line]
        self.monitor = line.split()[-1]

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        return self._log.read_text("utf-8")

    def kill(self) -> None:
        """End it at once (-9)."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to stop; gives the exit status."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=180)
        return self._process.returncode

    def ended(self) -> int:
        """Wait until it ends by itself; gives the exit status."""
        return self._process.wait(timeout=180)

    def trouble(self) -> str:
        """What `/healthz` says, empty if all is well."""
        try:
            with urllib.request.urlopen(f"http://{self.monitor}/healthz", timeout=60) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read().decode()}"

    def healthy(self) -> bool:
        """Whether `/healthz` says that it consumes."""
        try:
            with urllib.request.urlopen(f"http://{self.monitor}/healthz", timeout=60):
                return True
        except urllib.error.HTTPError:
            return False

    def metric(self, line: str) -> float:
        """The value of a line of `/metrics`, 0 if there is none."""
        with urllib.request.urlopen(f"http://{self.monitor}/metrics", timeout=60) as answer:
            for found in answer.read().decode().splitlines():
                if found.startswith(line + " "):
                    return float(found.split()[-1])
        return 0.0
