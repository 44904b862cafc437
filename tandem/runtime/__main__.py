"""`python -m tandem.runtime`: serve model repositories, which must be complete, until stopped.

`scripts/serve` is the same, but first makes what is missing.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import FrameType

from tandem.runtime.command import parse_options, server_parser
from tandem.runtime.errors import (
    EmbeddedServerError,
    ModelProcessDiedError,
    ServerCrashedError,
    UnknownServiceError,
)
from tandem.runtime.options import ServerOptions
from tandem.runtime.restarts import Restarts
from tandem.runtime.server import TritonServer

_CHECK_INTERVAL_S = 0.5
EXIT_FAILED, EXIT_USAGE = 1, 2


Beside = Callable[[TritonServer], AbstractContextManager[object]]
"""What runs beside a server that is ready, until it is stopped."""


def _nothing(server: TritonServer) -> AbstractContextManager[object]:
    return nullcontext()


def run(options: ServerOptions, set_up: Callable[[], None] = lambda: None, beside: Beside = _nothing) -> int:
    """Set up, then serve until a signal.

    The exit status: 0 after a signal, 1 without a server, 2 for a service that isn't there.

    Args:
        options: see `ServerOptions`.
        set_up: makes what is missing.
        beside: runs beside the server.
    """
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    try:
        set_up()
        serve(options, beside)
    except EmbeddedServerError as error:
        say(f"error: {error}")
        return EXIT_USAGE if isinstance(error, UnknownServiceError) else EXIT_FAILED
    return 0


def serve(options: ServerOptions, beside: Beside = _nothing) -> None:
    """Serve until a signal or the end; starts again when the server crashed or a model's process has ended.

    Args:
        options: see `ServerOptions`.
        beside: runs beside the server.

    Raises:
        EmbeddedServerError: the server couldn't start, ended with an exit status, or ended again and again.
    """
    restarts = Restarts()
    with TritonServer(options, log=say) as server:
        say(
            f"ready: gRPC {server.grpc_url}, HTTP {server.http_url}, metrics {server.metrics_url}/metrics;"
            " stop with Ctrl-C"
        )
        with beside(server):
            _keep(server, restarts)


def _keep(server: TritonServer, restarts: Restarts) -> None:
    while True:
        time.sleep(_CHECK_INTERVAL_S)
        try:
            server.check()
        except (ModelProcessDiedError, ServerCrashedError) as error:
            pause_s = restarts.pause_s(str(error))
            _say_now(f"{error}\nstarting the server again" + (f" in {pause_s:g} s" if pause_s else ""))
            time.sleep(pause_s)
            server.restart()
            _say_now("ready again")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; see `run` for the exit status."""
    parser = server_parser("python -m tandem.runtime", "every model that is there")
    options, _ = parse_options(parser, arguments, os.environ)
    return run(options)


def say(line: str) -> None:
    """A line of the log."""
    print(line, file=sys.stderr, flush=True)


def _say_now(line: str) -> None:
    """A line of the log with its time, as the server's own lines have one."""
    say(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}")


def _leave(number: int, frame: FrameType | None) -> None:
    """Unwind the stack once: every context manager stops what it started, undisturbed by further signals."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
