"""`id_card` as another checkout of this project serves it: another commit, beside the present one."""

from __future__ import annotations

import os
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from tandem.evaluation.errors import PeerError
from tandem.evaluation.peer_servers.process import free_port, wait_until_listening
from tandem.evaluation.processor_use import use_of_family
from tandem.evaluation.served import triton_bytes_reader
from tandem.runtime.process import ServerProcess

# The first start of a checkout makes its environment and its models.
_START_TIMEOUT_S = 900.0
_STOP_TIMEOUT_S = 30.0
_LAST_LINES = 5


class CheckoutServer:
    """A checkout's `scripts/serve` on free ports of this machine, in its own environment; a context manager.

    Args:
        folder: the checkout.

    Raises:
        PeerError: there is no `scripts/serve` in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._script = self._folder / "scripts" / "serve"
        if not self._script.is_file():
            raise PeerError(f"{folder} is no checkout of this project: it has no scripts/serve")
        self.name = f"commit {_commit(self._folder)}"
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._process: ServerProcess | None = None

    def __enter__(self) -> CheckoutServer:
        """Start it.

        Raises:
            PeerError: it doesn't start.
        """
        ports = {name: free_port() for name in ("grpc", "http", "metrics")}
        options = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
        # Its packages, not ours; and in its folder, where older commits look first.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = ["env", "-C", str(self._folder), str(self._script), "--services", "id_card", *options]
        self._process = ServerProcess(command, environment, self._lines.append)
        wait_until_listening(ports["grpc"], self.name, self._process, self._lines, _START_TIMEOUT_S)
        self._read = triton_bytes_reader(f"127.0.0.1:{ports['grpc']}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop(_STOP_TIMEOUT_S)

    @property
    def read(self) -> Callable[[bytes], bytes]:
        """Encoded picture → `RESULT`."""
        return self._read

    def processor_s(self) -> float:
        """Processor time of all its processes so far, seconds.

        Raises:
            PeerError: it isn't running.
        """
        if self._process is None:
            raise PeerError(f"{self.name} isn't running")
        return use_of_family(self._process.pid).processor_s

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Nothing: without a request it uses no processor."""
        yield


def _commit(folder: Path) -> str:
    """The checkout's commit, short; the folder's name where git knows none."""
    asked = subprocess.run(
        ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or folder.name
