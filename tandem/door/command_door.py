"""`tandem door`: serve the door in front of a Triton until stopped."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, multiprocess, start_http_server, values
from tandem_triton import TandemError, TlsOptions
from tandem_triton.cli.environment import take_environment
from tandem_triton.cli.exits import EXIT_FAILED, EXIT_USAGE

from tandem.door.options import DoorOptions, ServerTls
from tandem.door.server import Places, run_one, take_places

SUMMARY = "Serve the door in front of a Triton: the page, plain HTTP, KServe v2 over HTTP and gRPC."

_DEFAULTS = DoorOptions()
_MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See `tandem_triton.cli.main.Command`."""
    add = parser.add_argument
    add("--triton", default=_DEFAULTS.triton_url, metavar="HOST:PORT", help="its gRPC (default %(default)s)")
    add("--triton-token-file", type=Path, metavar="FILE", help="the token that the Triton asks for")
    add("--triton-tls-roots", type=Path, metavar="PEM", help="authorities of a Triton that speaks TLS")
    add("--triton-tls-certificate", type=Path, metavar="PEM", help="the door's own certificate for it")
    add("--triton-tls-key", type=Path, metavar="PEM", help="its private key")
    add("--address", default=_DEFAULTS.address, help="to listen on (default %(default)s)")
    add("--port", type=int, default=_DEFAULTS.http_port, help="HTTP (default %(default)s; 0: a free one)")
    add(
        "--grpc-port",
        type=int,
        default=_DEFAULTS.grpc_port,
        help="gRPC (default %(default)s; 0: a free one; -1: none)",
    )
    add(
        "--metrics-port",
        type=int,
        default=_DEFAULTS.metrics_port,
        help="/metrics (default %(default)s; -1: none)",
    )
    add("--metrics-address", default=_DEFAULTS.metrics_address, help="default %(default)s")
    add("--services", default="", metavar="NAME,…", help="default: all that are known")
    add("--keys", type=Path, metavar="FILE", help="of API keys (tandem key new); default: nobody needs one")
    add("--anybody", action="store_true", help="needs no keys even on an address that others reach")
    add(
        "--processes",
        type=int,
        default=_DEFAULTS.processes,
        metavar="N",
        help="that share the ports (default 1)",
    )
    _add_limits(parser)
    # As scripts/serve has them: its --door-port is this --port, and both are TANDEM_DOOR_PORT.
    take_environment(parser, "TANDEM_DOOR_")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--max-in-flight",
        type=int,
        default=_DEFAULTS.max_in_flight,
        metavar="N",
        help="items at Triton, a process",
    )
    add(
        "--timeout",
        type=float,
        default=_DEFAULTS.timeout_s,
        metavar="S",
        help="for an answer (default %(default)g)",
    )
    add(
        "--head-timeout",
        type=float,
        default=_DEFAULTS.head_timeout_s,
        metavar="S",
        help="for a request's head",
    )
    add("--body-timeout", type=float, default=_DEFAULTS.body_timeout_s, metavar="S", help="for a whole body")
    add("--tls-certificate", type=Path, metavar="FILE", help="PEM; both ports speak TLS only")
    add("--tls-key", type=Path, metavar="FILE", help="PEM; its private key")


def run(arguments: argparse.Namespace) -> int:
    """See `tandem_triton.cli.main.Command`."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        options = _options(arguments)
    except (ValueError, OSError) as error:
        print(f"tandem door: {error}", file=sys.stderr)
        return EXIT_USAGE
    try:
        places = take_places(options)
        with tempfile.TemporaryDirectory(prefix="tandem-door-") as folder:
            return _serve(options, places, folder)
    except (TandemError, ValueError, OSError) as error:
        print(f"tandem door: {error}", file=sys.stderr)
        return EXIT_FAILED


def _options(arguments: argparse.Namespace) -> DoorOptions:
    if (arguments.tls_certificate is None) != (arguments.tls_key is None):
        raise ValueError("--tls-certificate and --tls-key go together")
    token = arguments.triton_token_file and arguments.triton_token_file.read_text("utf-8").strip()
    return DoorOptions(
        triton_url=arguments.triton,
        triton_token=token,
        triton_tls=_triton_tls(arguments),
        address=arguments.address,
        http_port=arguments.port,
        grpc_port=None if arguments.grpc_port < 0 else arguments.grpc_port,
        metrics_port=None if arguments.metrics_port < 0 else arguments.metrics_port,
        metrics_address=arguments.metrics_address,
        services=tuple(filter(None, arguments.services.split(","))),
        keys=arguments.keys,
        anybody=arguments.anybody,
        processes=arguments.processes,
        max_in_flight=arguments.max_in_flight,
        timeout_s=arguments.timeout,
        head_timeout_s=arguments.head_timeout,
        body_timeout_s=arguments.body_timeout,
        tls=arguments.tls_certificate
        and ServerTls(certificate=arguments.tls_certificate, key=arguments.tls_key),
    )


def _triton_tls(arguments: argparse.Namespace) -> TlsOptions | None:
    key, certificate = arguments.triton_tls_key, arguments.triton_tls_certificate
    if (key is None) != (certificate is None):
        raise ValueError("--triton-tls-certificate and --triton-tls-key go together")
    files = [path for path in (arguments.triton_tls_roots, key, certificate) if path is not None]
    for path in files:
        if not path.is_file():
            raise ValueError(f"there is no file {path}: TLS needs PEM files")
    if not files:
        return None
    return TlsOptions(
        root_certificates=arguments.triton_tls_roots, private_key=key, certificate_chain=certificate
    )


def _serve(options: DoorOptions, places: Places, folder: str) -> int:
    registry = CollectorRegistry()
    say = _announcement(options, places)
    if options.processes == 1:
        _metrics(options, registry)
        run_one(options, places, registry, say)
        return 0
    # Its files hold counts by key and service, nothing else.
    os.environ[_MULTIPROCESS] = folder
    return _serve_by_several(options, places, registry, say)


def _serve_by_several(
    options: DoorOptions, places: Places, registry: CollectorRegistry, say: Callable[[], None]
) -> int:
    """Fork the processes before anything of gRPC runs, begin those anew that end, until a signal."""
    children = {_forked(options, places) for _ in range(options.processes)}
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    _metrics(options, registry)
    stopping = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    say()
    while children:
        ended, status = os.wait()
        children.discard(ended)
        multiprocess.mark_process_dead(ended)  # type: ignore[no-untyped-call]
        if not stopping:
            print(f"a process of the door ended with status {status}; starting another", file=sys.stderr)
            children.add(_forked(options, places))
    return 0


def _forked(options: DoorOptions, places: Places) -> int:
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call] # what the variable chooses
        run_one(options, places, CollectorRegistry())
    except BaseException as error:
        print(f"tandem door: {error}", file=sys.stderr, flush=True)
        os._exit(EXIT_FAILED)
    os._exit(0)


def _metrics(options: DoorOptions, registry: CollectorRegistry) -> None:
    if options.metrics_port is not None:
        server, _ = start_http_server(options.metrics_port, options.metrics_address, registry)
        print(f"metrics: {options.metrics_address}:{server.server_port}/metrics", file=sys.stderr, flush=True)


def _announcement(options: DoorOptions, places: Places) -> Callable[[], None]:
    scheme = "http" if options.tls is None else "https"
    grpc_text = "" if places.grpc_port is None else f", gRPC {options.address}:{places.grpc_port}"

    def say() -> None:
        print(
            f"door: {scheme}://{options.address}:{places.http_port}/{grpc_text}", file=sys.stderr, flush=True
        )

    return say
