"""A peer server's processes: started, measured, paused while others are measured, and ended together."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType

from tandem.evaluation.errors import PeerError
from tandem.evaluation.peer_servers.client import http_reader
from tandem.evaluation.peer_servers.environment import install
from tandem.evaluation.peer_servers.kinds import Peer
from tandem.evaluation.processor_use import use_of_group
from tandem.runtime.environment import server_environment
from tandem.runtime.process import ServerProcess

_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 10.0
_POLL_S = 0.05
_LAST_LINES = 5


class PeerServer:
    """One peer on a free port of this machine; a context manager. It has the environment of our own server.

    Args:
        peer: which, and how it is arranged.
    """

    def __init__(self, peer: Peer) -> None:
        self.name = peer.name
        self._peer = peer
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._process: ServerProcess | None = None

    def __enter__(self) -> PeerServer:
        """Start it.

        Raises:
            PeerError: it can't be installed, or doesn't start.
        """
        python = str(install(self._peer.installs)) if self._peer.installs else sys.executable
        port = free_port()
        command = [python, "-m", self._peer.module, "--port", str(port), *self._peer.arrangement.arguments()]
        self._process = ServerProcess(command, server_environment((), {}), self._lines.append)
        wait_until_listening(port, self.name, self._process, self._lines, _START_TIMEOUT_S)
        self.read = http_reader(port, self._peer.path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop(_STOP_TIMEOUT_S)

    @property
    def group(self) -> int:
        """Its process group, all its processes.

        Raises:
            PeerError: it isn't running.
        """
        if self._process is None:
            raise PeerError(f"{self.name} isn't running")
        return self._process.pid

    def processor_s(self) -> float:
        """Processor time of all its processes so far, seconds."""
        return use_of_group(self.group).processor_s

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Stands still within: some servers look for work a thousand times a second."""
        os.killpg(self.group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.group, signal.SIGCONT)


def wait_until_listening(
    port: int, name: str, process: ServerProcess, lines: Iterable[str], timeout_s: float
) -> None:
    """Return when a server accepts connections; what loads still, the first question waits for. Else end it.

    Args:
        port: of this machine.
        name: the server's, for the error.
        process: it.
        lines: what it said last.
        timeout_s: how long it may take.

    Raises:
        PeerError: it ended, or doesn't listen in time; the message has `lines`.
    """
    try:
        listens = _listens(port, process, timeout_s)
    except BaseException:
        process.stop(0)
        raise
    if not listens:
        process.stop(0)  # and read all that it said: its last words may come after its end
        raise PeerError(f"{name} doesn't start: {'; '.join(lines) or 'it says nothing'}")


def _listens(port: int, process: ServerProcess, timeout_s: float) -> bool:
    """Whether a server accepts connections at last; False if it ended, or doesn't in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=_POLL_S).close()
        except OSError:
            if process.exit_status() is not None or time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        else:
            return True


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
