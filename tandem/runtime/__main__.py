"""`python -m tandem.runtime`: serve a model repository until stopped."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tandem.runtime import options as defaults
from tandem.runtime.errors import EmbeddedServerError
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer

REPOSITORY = Path(__file__).parents[2] / "model_repository"
_CHECK_INTERVAL_S = 0.5


def parse_arguments(arguments: Sequence[str] | None = None) -> ServerOptions:
    """The command line as options."""
    parser = argparse.ArgumentParser(
        prog="scripts/serve", description="Serve the model repository on a real Triton server until stopped."
    )
    add = parser.add_argument
    add("--model-repository", type=Path, default=REPOSITORY, help="default: the one of this checkout")
    add(
        "--grpc-port",
        type=int,
        default=defaults.DEFAULT_GRPC_PORT,
        help="default %(default)s; 0 = a free one",
    )
    add(
        "--http-port",
        type=int,
        default=defaults.DEFAULT_HTTP_PORT,
        help="default %(default)s; 0 = a free one",
    )
    add(
        "--metrics-port",
        type=int,
        default=defaults.DEFAULT_METRICS_PORT,
        help="default %(default)s; 0 = a free one",
    )
    add("--address", default=defaults.DEFAULT_ADDRESS, help="address to listen on, default %(default)s")
    add("--config-name", help="use configs/NAME.pbtxt of the models that have one, e.g. gpu or tensorrt")
    add(
        "--log-verbose",
        type=int,
        default=0,
        help="0 = warnings and errors, 1 = information, 2… = Triton's levels",
    )
    add(
        "--start-timeout",
        type=float,
        default=defaults.DEFAULT_START_TIMEOUT_S,
        help="seconds, default %(default)s",
    )
    chosen = parser.parse_args(arguments)
    try:
        return ServerOptions(
            model_repository=chosen.model_repository.resolve(),
            grpc_port=chosen.grpc_port,
            http_port=chosen.http_port,
            metrics_port=chosen.metrics_port,
            address=chosen.address,
            config_name=chosen.config_name,
            log_verbose=chosen.log_verbose,
            start_timeout_s=chosen.start_timeout,
        )
    except ValueError as error:
        parser.error(str(error))


def serve(options: ServerOptions) -> None:
    """Serve until a signal or the server's end.

    Raises:
        EmbeddedServerError: the server couldn't start, or ended by itself.
    """
    with TritonServer(options, log=lambda line: print(line, file=sys.stderr, flush=True)) as server:
        print(
            f"ready: gRPC {server.grpc_url}, HTTP {server.http_url}, metrics {server.metrics_url}/metrics;"
            " stop with Ctrl-C",
            file=sys.stderr,
            flush=True,
        )
        while True:
            time.sleep(_CHECK_INTERVAL_S)
            server.check()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 after a signal, 1 when there is no server."""
    options = parse_arguments(arguments)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    try:
        serve(options)
    except EmbeddedServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _leave(number: int, frame: FrameType | None) -> None:
    """Unwind the stack once: every context manager stops what it started, undisturbed by further signals."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
