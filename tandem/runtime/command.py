"""The options of whoever starts a server by a command: the command line, and the environment behind it.

Every option has a variable: `--grpc-port` is `TANDEM_GRPC_PORT`, `--token-file` is `TANDEM_TOKEN_FILE`. The
command line wins; an empty variable counts as none. So a container is configured as a command is.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tandem.runtime import options as defaults
from tandem.runtime.access import Access, TlsFiles
from tandem.runtime.options import ServerOptions
from tandem.runtime.setup import REPOSITORY

VARIABLE_PREFIX = "TANDEM_"
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


def server_parser(prog: str, services: str) -> argparse.ArgumentParser:
    """A parser of a server's options.

    Args:
        prog: the command's name, for its help.
        services: which services are served by default, for its help.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serve model repositories on a real Triton server until stopped.",
        epilog=f"Each option may come from the environment: --grpc-port as {VARIABLE_PREFIX}GRPC_PORT.",
    )
    add = parser.add_argument
    add(
        "--services",
        type=_names,
        default=(),
        metavar="NAME,…",
        help=f"serve only these, and the models they need; default: {services}",
    )
    add(
        "--model-repository",
        type=Path,
        action="append",
        metavar="FOLDER",
        help="may be given more than once; default: the one of this checkout"
        f" (in the environment: with {os.pathsep!r} between)",
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
    for name, seconds, text in (
        ("start", defaults.DEFAULT_START_TIMEOUT_S, "until every model must be ready"),
        ("stop", defaults.DEFAULT_STOP_TIMEOUT_S, "for what is in flight when it is stopped"),
    ):
        add(
            f"--{name}-timeout",
            type=float,
            default=seconds,
            metavar="S",
            help=f"seconds {text}, default %(default)g",
        )
    add(
        "--server", type=Path, metavar="FILE", help="an installed tritonserver; default: the Python package's"
    )
    group = parser.add_argument_group("who may call what", "docs/security.md")
    for name, text in _ACCESS_FILES.items():
        group.add_argument(name, type=Path, metavar="FILE", help=text)
    return parser


def parse_options(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None, environment: Mapping[str, str]
) -> tuple[ServerOptions, argparse.Namespace]:
    """The server's options, and all that was parsed; wrong ones end the program with status 2.

    Args:
        parser: `server_parser`, perhaps with more options.
        arguments: the command line; None takes the process's.
        environment: holds defaults, see above.
    """
    _take_defaults(parser, environment)
    chosen = parser.parse_args(arguments)
    named = environment.get(f"{VARIABLE_PREFIX}MODEL_REPOSITORY", "")
    repositories = chosen.model_repository or [Path(path) for path in named.split(os.pathsep) if path]
    first, *further = [path.absolute() for path in repositories or [REPOSITORY]]
    try:
        options = ServerOptions(
            model_repository=first,
            further_repositories=tuple(further),
            services=chosen.services,
            server=chosen.server and chosen.server.absolute(),
            grpc_port=chosen.grpc_port,
            http_port=chosen.http_port,
            metrics_port=chosen.metrics_port,
            address=chosen.address,
            config_name=chosen.config_name,
            log_verbose=chosen.log_verbose,
            start_timeout_s=chosen.start_timeout,
            stop_timeout_s=chosen.stop_timeout,
            access=_access(chosen),
        )
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return options, chosen


def _take_defaults(parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
    """Make the environment's values the defaults of options that take one value."""
    for action in parser._actions:  # argparse has no public list of its options
        value = environment.get(VARIABLE_PREFIX + action.dest.upper(), "")
        if value and action.option_strings and action.nargs is None and action.dest != "model_repository":
            action.default = value  # argparse converts it as if it had been typed


def _names(text: str) -> tuple[str, ...]:
    """Names with commas between, without repetitions."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of names with commas between")
    return names


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
