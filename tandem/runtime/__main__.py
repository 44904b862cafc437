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
from tandem.runtime.access import Access, TlsFiles
from tandem.runtime.errors import EmbeddedServerError, ModelProcessDiedError, ServerCrashedError
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY, ensure_ready

_CHECK_INTERVAL_S = 0.5
_PORTS = {
    "grpc": defaults.DEFAULT_GRPC_PORT,
    "http": defaults.DEFAULT_HTTP_PORT,
    "metrics": defaults.DEFAULT_METRICS_PORT,
}
_ACCESS_FILES = {
    "--token-file": "holds the token that every caller of the models must send; default: no token",
    "--admin-token-file": "opens model control, shared memory, tracing and logging; default: closed",
    "--tls-certificate": "PEM; gRPC speaks TLS only, and HTTP serves no models any more",
    "--tls-key": "PEM; the certificate's private key",
    "--tls-client-authorities": "PEM; gRPC callers must show a certificate that one of these has signed",
}


def parse_arguments(arguments: Sequence[str] | None = None) -> tuple[ServerOptions, bool]:
    """The command line: the server's options, and whether only to make what is missing."""
    parser = argparse.ArgumentParser(
        prog="scripts/serve", description="Serve the model repository on a real Triton server until stopped."
    )
    add = parser.add_argument
    add(
        "--model-repository",
        type=Path,
        default=REPOSITORY,
        metavar="FOLDER",
        help="default: the one of this checkout",
    )
    for name, port in _PORTS.items():
        add(f"--{name}-port", type=int, default=port, metavar="PORT", help=f"default {port}; 0 = a free one")
    add("--address", default=defaults.DEFAULT_ADDRESS, help="address to listen on, default %(default)s")
    add(
        "--config-name",
        metavar="NAME",
        help="use configs/NAME.pbtxt of the models that have one, e.g. gpu or tensorrt",
    )
    add("--log-verbose", type=int, default=0, metavar="N", help="0 = warnings, 1 = information, 2… = all")
    timeout_s = defaults.DEFAULT_START_TIMEOUT_S
    add("--start-timeout", type=float, default=timeout_s, metavar="S", help="seconds, default %(default)g")
    _add_access(parser)
    add("--set-up-only", action="store_true", help="make what is missing, then leave")
    chosen = parser.parse_args(arguments)
    try:
        options = ServerOptions(
            model_repository=chosen.model_repository.resolve(),
            grpc_port=chosen.grpc_port,
            http_port=chosen.http_port,
            metrics_port=chosen.metrics_port,
            address=chosen.address,
            config_name=chosen.config_name,
            log_verbose=chosen.log_verbose,
            start_timeout_s=chosen.start_timeout,
            access=_access(chosen),
        )
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return options, chosen.set_up_only


def _add_access(parser: argparse.ArgumentParser) -> None:
    """Who may call what: see docs/security.md."""
    group = parser.add_argument_group("who may call what")
    for name, text in _ACCESS_FILES.items():
        group.add_argument(name, type=Path, metavar="FILE", help=text)


def _access(chosen: argparse.Namespace) -> Access:
    """The access that the arguments ask for.

    Raises:
        ValueError: they don't fit each other, or a token is too weak.
        OSError: a token's file can't be read.
    """
    if (chosen.tls_certificate is None) != (chosen.tls_key is None):
        raise ValueError("--tls-certificate and --tls-key go together")
    if chosen.tls_client_authorities is not None and chosen.tls_certificate is None:
        raise ValueError("--tls-client-authorities needs --tls-certificate")
    tls = chosen.tls_certificate and TlsFiles(
        certificate=chosen.tls_certificate.resolve(),
        key=chosen.tls_key.resolve(),
        client_authorities=chosen.tls_client_authorities and chosen.tls_client_authorities.resolve(),
    )
    caller = chosen.token_file and chosen.token_file.read_text("utf-8").strip()
    if chosen.admin_token_file is None:
        return Access(caller_token=caller, tls=tls)
    admin = chosen.admin_token_file.read_text("utf-8").strip()
    return Access(admin_token=admin, caller_token=caller, tls=tls)


def serve(options: ServerOptions) -> None:
    """Serve until a signal or the end; starts again when the server crashed or a model's process has ended.

    Raises:
        EmbeddedServerError: the server couldn't start, or ended by itself with an exit status.
    """
    with TritonServer(options, log=_say) as server:
        _say(
            f"ready: gRPC {server.grpc_url}, HTTP {server.http_url}, metrics {server.metrics_url}/metrics;"
            " stop with Ctrl-C"
        )
        while True:
            time.sleep(_CHECK_INTERVAL_S)
            try:
                server.check()
            except (ModelProcessDiedError, ServerCrashedError) as error:
                _say(f"{error}\nstarting the server again")
                server.restart()
                _say("ready again")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 after a signal, 1 when there is no server."""
    options, set_up_only = parse_arguments(arguments)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    try:
        if set_up_only or options.model_repository == REPOSITORY:
            ensure_ready(_say)
        if not set_up_only:
            serve(options)
    except EmbeddedServerError as error:
        _say(f"error: {error}")
        return 1
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _leave(number: int, frame: FrameType | None) -> None:
    """Unwind the stack once: every context manager stops what it started, undisturbed by further signals."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
