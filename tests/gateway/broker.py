"""A private RabbitMQ node for tests: its own port, folder, cookie and epmd, so that it meets no other."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

import pytest

_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_START_TIMEOUT_S = 180
_POLL_S = 0.2


def find_program() -> Path:
    """The server's own start script: Debian's wrapper insists on the system's user and folders."""
    if _PROGRAM.exists():
        return _PROGRAM
    found = shutil.which("rabbitmq-server")
    if found is None:
        pytest.skip("rabbitmq-server is not installed (apt-get install rabbitmq-server)")
    return Path(found)


class Broker:
    """One node; a context manager.

    Args:
        folder: for its data; a restart keeps what is in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = find_program()
        self._ports = [_free_port() for _ in range(3)]
        self.url = f"amqp://guest:guest@127.0.0.1:{self._ports[0]}/"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it accepts connections."""
        log = (self._folder / "out.log").open("ab")
        self._process = subprocess.Popen(
            [self._program], env=self._environment(), stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            if self._process.poll() is not None:
                break
            if self._speaks():
                return
            time.sleep(_POLL_S)
        raise RuntimeError("RabbitMQ did not start:\n" + (self._folder / "out.log").read_text()[-2_000:])

    def control(self, *words: str) -> None:
        """Run `rabbitmqctl` on this node."""
        program = self._program.with_name("rabbitmqctl")
        subprocess.run([program, *words], env=self._environment(), check=True, capture_output=True)

    def url_of(self, user: str, password: str) -> str:
        """The address for a user of one's own."""
        return self.url.replace("guest:guest", f"{user}:{password}")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def __enter__(self) -> Broker:
        # Left to the node, its port mapper would make itself a daemon and outlive it.
        self._mapper = subprocess.Popen(["epmd", "-port", str(self._ports[2]), "-address", "127.0.0.1"])
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        self._mapper.kill()
        self._mapper.wait()

    @property
    def pid(self) -> int:
        """The process id of the node itself: what was started is a script around it."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                name, group = (folder / "comm").read_text("ascii").strip(), os.getpgid(int(folder.name))
            except OSError:
                continue  # it ended meanwhile
            if self._process is not None and group == self._process.pid and name == "beam.smp":
                return int(folder.name)
        raise RuntimeError("the node does not run")

    def _speaks(self) -> bool:
        """Whether it answers AMQP: the port alone is open before the node is ready."""
        try:
            with socket.create_connection(("127.0.0.1", self._ports[0]), timeout=2) as connection:
                connection.settimeout(2)
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"
        except OSError:
            return False

    def _environment(self) -> dict[str, str]:
        port, distribution, epmd = map(str, self._ports)
        folder = str(self._folder)
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": folder,
            "RABBITMQ_NODENAME": f"tandem-{port}@localhost",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": port,
            "RABBITMQ_DIST_PORT": distribution,
            "ERL_EPMD_PORT": epmd,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONFIG_FILE": f"{folder}/none",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            # Idle scheduler threads must not spin: the tests share their cores.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
        }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
