"""One process group with the server in it: started unable to outlive us, stopped without leftovers."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from tandem.runtime.log_pump import LogPump

# From <sys/prctl.h>: the kernel sends this signal to the child when the thread that started it ends.
_PR_SET_PDEATHSIG = 1
# Killed processes are gone at once, but stay listed where nobody collects orphans (containers without init).
_LEFTOVER_TIMEOUT_S = 2.0
_LEFTOVER_POLL_S = 0.01


class ServerProcess:
    """A running server process and what it prints."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], sink: Callable[[str], None]
    ) -> None:
        libc = ctypes.CDLL(None, use_errno=True)  # loaded here: a forked child must not load libraries
        parent = os.getpid()

        def die_with_parent() -> None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died before the kernel was told
                os._exit(1)

        self._process = subprocess.Popen(
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a terminal's Ctrl-C reaches us only, and we stop it in order
            preexec_fn=die_with_parent,  # noqa: PLW1509 - it calls one C function and nothing else
        )
        # A core dump would hold pictures of cards. What the server starts inherits this.
        resource.prlimit(self._process.pid, resource.RLIMIT_CORE, (0, 0))
        if self._process.stdout is None:
            raise RuntimeError("the server's output is not connected")
        self.log = LogPump(self._process.stdout, sink)

    @property
    def pid(self) -> int:
        """The server's process id, which is also its process group's."""
        return self._process.pid

    def exit_status(self) -> int | None:
        """None while it runs, else its exit status (negative: the signal that ended it)."""
        return self._process.poll()

    def stop(self, timeout_s: float) -> None:
        """End the server: SIGTERM, wait at most `timeout_s`, then kill whatever of its group is left."""
        if self.exit_status() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self._process.wait()
        deadline = time.monotonic() + _LEFTOVER_TIMEOUT_S
        while self._kill_group() and time.monotonic() < deadline:
            time.sleep(_LEFTOVER_POLL_S)
        self.log.wait(_LEFTOVER_TIMEOUT_S)

    def _kill_group(self) -> bool:
        """Kill what is left of the group; False if nobody is."""
        # A container's first process gets the orphans: nobody else would collect them.
        with suppress(ChildProcessError):
            while os.waitpid(-self.pid, os.WNOHANG)[0]:
                pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True
