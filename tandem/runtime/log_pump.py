"""The server's output, line by line: handed on, and the last lines kept for the error message."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import IO

# Enough for the longest table that the server prints while it fails.
KEPT_LINES = 500


class LogPump:
    """Reads a pipe on its own thread until every process that holds its other end is gone."""

    def __init__(self, pipe: IO[bytes], sink: Callable[[str], None]) -> None:
        self._pipe = pipe
        self._sink = sink
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._thread = threading.Thread(target=self._run, name="triton-log", daemon=True)
        self._thread.start()

    def lines(self) -> list[str]:
        """The last lines, oldest first."""
        return list(self._lines)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end of the output; True if it came, so that no process of the server is left."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        with self._pipe:
            for raw in self._pipe:
                line = raw.decode("utf-8", errors="replace").rstrip("\n")
                self._lines.append(line)
                self._sink(line)
