"""The embedded Triton server: started, ready when every model is, stopped without a trace.

    options = ServerOptions(model_repository=path, grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as server:
        client = tritonclient.grpc.InferenceServerClient(server.grpc_url)

Start it on a thread that lives as long as the server should: the kernel stops the server when that thread
ends, so that it can't outlive us, whatever happens.
"""

from __future__ import annotations

import http.client
import json
import logging
import secrets
import signal
import time
from collections.abc import Callable, Mapping
from types import TracebackType

from tandem.runtime import shared_memory
from tandem.runtime.access import ADMIN_HEADER
from tandem.runtime.environment import server_environment
from tandem.runtime.errors import (
    EmbeddedServerError,
    ModelLoadError,
    ModelProcessDiedError,
    PortTakenError,
    ServerCrashedError,
    ServerDiedError,
    StartTimeoutError,
)
from tandem.runtime.failure import find_failure, is_harmless
from tandem.runtime.gpu import has_gpu
from tandem.runtime.model_processes import ended, model_processes
from tandem.runtime.options import ServerOptions
from tandem.runtime.plain_paths import PlainPaths
from tandem.runtime.ports import settle_ports
from tandem.runtime.process import ServerProcess
from tandem.runtime.program import find_program
from tandem.runtime.repository import check_repositories

_LOG = logging.getLogger(__name__)
# Under heavy load Triton's Python backend now and then aborts while it starts a model's process (a race for
# a lock in their shared memory) or gives the process up. Nothing is served yet, so starting again is safe.
_START_RACES = ("boost::interprocess::lock_exception", "is not healthy")
_START_TRIES = 3
_POLL_INTERVAL_S = 0.05
_PROBE_TIMEOUT_S = 2.0


class TritonServer:
    """One embedded server; a context manager."""

    def __init__(self, options: ServerOptions, *, log: Callable[[str], None] | None = None) -> None:
        """Nothing is started yet.

        Args:
            options: see `ServerOptions`.
            log: gets every line that the server prints; default: the logger of this module, at debug level.
        """
        self.options = options
        self._log = log or _LOG.debug
        self._process: ServerProcess | None = None
        self._id = ""
        self._shm_prefix = ""
        self._paths = PlainPaths()
        self._models: frozenset[str] = frozenset()
        self._model_processes: dict[int, str] = {}

    def __enter__(self) -> TritonServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _host(self) -> str:
        """Where a client on this machine finds the server, as a part of a URL."""
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.options.address, self.options.address)  # noqa: S104
        return f"[{address}]" if ":" in address else address

    @property
    def grpc_url(self) -> str:
        """`host:port` as `tritonclient.grpc` wants it."""
        return f"{self._host}:{self.options.grpc_port}"

    @property
    def http_url(self) -> str:
        """`host:port` as `tritonclient.http` wants it."""
        return f"{self._host}:{self.options.http_port}"

    @property
    def metrics_url(self) -> str:
        """`host:port`; Prometheus reads `/metrics` there."""
        return f"{self._host}:{self.options.metrics_port}"

    @property
    def shared_memory_prefix(self) -> str:
        """What the names of this server's regions in `/dev/shm` start with; empty before the start."""
        return self._shm_prefix

    @property
    def pid(self) -> int:
        """The server's process id.

        Raises:
            ServerDiedError: it was never started or has been stopped.
        """
        if self._process is None:
            raise ServerDiedError("the server isn't running: call start()")
        return self._process.pid

    def start(self) -> None:
        """Start the server and return when every model is ready.

        Raises:
            EmbeddedServerError: a subclass says why there is no server; nothing of it is left running.
        """
        if self._process is not None:
            raise EmbeddedServerError("this server is already started: stop it first")
        for _ in range(_START_TRIES - 1):
            try:
                return self._start()
            except (ServerDiedError, ModelLoadError) as error:
                if not any(sign in str(error) for sign in _START_RACES):
                    raise
                self._log("a model's process fell over while it started; starting the server again")
        return self._start()

    def _start(self) -> None:
        program = find_program(self.options.server)
        models = check_repositories(
            self.options.repositories, self.options.services, self.options.config_name
        )
        self._models = frozenset(models)
        self.options = settle_ports(self.options)
        shared_memory.remove_leftovers()
        # Not the prefix, which is the key to memory that holds pictures: every caller is told this name.
        self._id = f"tandem-{secrets.token_hex(8)}"
        self._shm_prefix = shared_memory.new_prefix()
        try:
            arguments = self.options.arguments(
                repositories=[self._paths.plain(path.absolute()) for path in self.options.repositories],
                models=models,
                backends=self._paths.plain(program.backends),
                server_id=self._id,
                shm_prefix=self._shm_prefix,
                gpu=has_gpu(),
            )
            self._process = ServerProcess(
                [str(program.path), *arguments],
                server_environment(program.libraries, self.options.environment),
                lambda line: None if is_harmless(line) else self._log(line),
            )
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server: what is in flight may finish; no process, no shared memory is left."""
        try:
            if self._process is not None:
                self._process.stop(self.options.stop_timeout_s)
        finally:
            if self._process is not None:
                shared_memory.remove_regions(self._shm_prefix)
            self._process = None
            self._paths.close()

    def check(self) -> None:
        """Return if the server and its models' processes run.

        Raises:
            ServerDiedError: the server ended by itself, with its exit status and its last words.
            ServerCrashedError: a signal ended it; `restart` mends that.
            ModelProcessDiedError: a model's process ended; `restart` mends that.
        """
        if self._process is None or self._process.exit_status() is not None:
            raise self._death()
        if dead := ended(self._model_processes):
            raise ModelProcessDiedError(f"the process of model {', '.join(dead)} ended: restart the server")

    def restart(self) -> None:
        """Kill the server, with what is in flight, and start it on the same ports.

        Who was in flight gets UNAVAILABLE, which clients may retry; finishing first would fail them for good.

        Raises:
            EmbeddedServerError: as for `start`.
        """
        if self._process is not None:
            self._process.stop(0)
        self.stop()
        self.start()

    def models(self) -> dict[str, str]:
        """Name → state (`READY`, …) of every model in the repository.

        Raises:
            OSError: the server doesn't answer.
        """
        token = {ADMIN_HEADER: self.options.access.admin_token}
        body = self._ask("POST", "/v2/repository/index", token)[1]
        return {entry["name"]: entry.get("state", "UNAVAILABLE") for entry in json.loads(body)}

    def _wait_until_ready(self, process: ServerProcess) -> None:
        deadline = time.monotonic() + self.options.start_timeout_s
        while time.monotonic() < deadline:
            if process.exit_status() is not None:
                raise self._death()
            if self._is_ready():
                shared_memory.hide_regions(self._shm_prefix)
                # One may have ended since the server said that it is ready: it must be missed, too.
                self._model_processes = model_processes(process.pid, ended_too=True)
                return
            time.sleep(_POLL_INTERVAL_S)
        raise StartTimeoutError(
            f"the server wasn't ready after {self.options.start_timeout_s:g} s; its last lines:\n"
            + self._last_lines()
        )

    def _is_ready(self) -> bool:
        try:
            # Somebody else's server may have taken the port since it was checked.
            if json.loads(self._ask("GET", "/v2")[1])["name"] != self._id:
                return False
            if self._ask("GET", "/v2/health/ready")[0] != http.client.OK:
                return False
            states = self.models()
            return all(states.get(model) == "READY" for model in self._models)
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            return False  # not listening yet, or somebody else is

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        host, port = self._host.strip("[]"), self.options.http_port
        connection = http.client.HTTPConnection(host, port, timeout=_PROBE_TIMEOUT_S)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _death(self) -> EmbeddedServerError:
        """The error that says why the server ended."""
        if self._process is None:
            return ServerDiedError("the server isn't running: call start()")
        self._process.log.wait(_PROBE_TIMEOUT_S)  # its last words may still be in the pipe
        failure = find_failure(self._process.log.lines())
        if failure.model:
            return ModelLoadError(
                f"model '{failure.model}' failed to load: {failure.reason}",
                model=failure.model,
                reason=failure.reason,
            )
        if failure.socket:
            return PortTakenError(f"{failure.socket} is in use: choose another port (--grpc-port …)")
        status = self._process.exit_status()
        why = failure.reason or self._last_lines()
        if status is not None and status < 0:
            return ServerCrashedError(f"tritonserver was ended by {_signal_name(-status)}: {why}")
        return ServerDiedError(f"tritonserver ended with status {status}: {why}")

    def _last_lines(self, count: int = 20) -> str:
        lines = self._process.log.lines() if self._process else []
        return "\n".join(lines[-count:]) or "(it printed nothing)"


def _signal_name(number: int) -> str:
    """`SIGSEGV (11: Segmentation fault)`."""
    try:
        return f"{signal.Signals(number).name} ({number}: {signal.strsignal(number)})"
    except ValueError:
        return f"signal {number}"
