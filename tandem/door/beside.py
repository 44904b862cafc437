"""A door that a program starts beside its Triton: a process of its own, begun anew when it ends."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from tandem.runtime.process import ServerProcess

_PACKAGE = __name__.rpartition(".")[0]
_STOP_S = 12.0
_LOOK_S = 0.5
_PAUSES_S = (0.0, 1.0, 5.0, 30.0)
"""Before each new beginning; the last one from then on."""


class DoorBeside:
    """A context manager; the door serves while it is open.

    Args:
        arguments: of `tandem door`.
        environment: of its process.
        log: gets every line that it prints.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: Callable[[str], None]
    ) -> None:
        self._command = [sys.executable, "-m", _PACKAGE, *arguments]
        self._environment = environment
        self._log = log
        self._leaving = threading.Event()
        # The kernel ends the door when the thread that started it ends: this one lives as long as it should.
        self._thread = threading.Thread(target=self._keep, name="door", daemon=True)

    def __enter__(self) -> DoorBeside:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._thread.join(_STOP_S * 2)

    def _keep(self) -> None:
        began = 0
        while not self._leaving.is_set():
            process = ServerProcess(self._command, self._environment, self._log)
            try:
                while process.exit_status() is None and not self._leaving.wait(_LOOK_S):
                    pass
            finally:
                process.stop(_STOP_S)
            if not self._leaving.is_set():
                pause_s = _PAUSES_S[min(began, len(_PAUSES_S) - 1)]
                began += 1
                self._log(f"the door ended; starting it again in {pause_s:g} s")
                self._leaving.wait(pause_s)
