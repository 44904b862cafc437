"""The arguments that say how to reach a server, for every command that asks one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tandem_triton.core.options import TlsOptions


def add_connection_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--url`, TLS, token and headers to a command's parser."""
    group = parser.add_argument_group("the server")
    add = group.add_argument
    add("--url", metavar="HOST:PORT", help="of the server (default: this machine, the usual port)")
    add(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="holds the token that the server asks of its callers",
    )
    add("--tls", action="store_true", help="encrypt the connection; the next three imply it")
    add("--tls-roots", type=Path, metavar="PEM", help="authorities to trust instead of the system's")
    add("--tls-certificate", type=Path, metavar="PEM", help="this caller's certificate, with --tls-key")
    add("--tls-key", type=Path, metavar="PEM", help="its private key")
    add(
        "--header",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="sent along, for a proxy in between; a secret belongs in --token-file",
    )


def connection_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """`tls`, `token` and `metadata` of `ClientOptions` as the command line has them.

    Raises:
        ValueError: the arguments don't fit each other, or a file can't be read.
    """
    headers = [header.partition("=") for header in arguments.header]
    if any(not (name and equals) for name, equals, _ in headers):
        raise ValueError("--header must be NAME=VALUE")
    if (arguments.tls_certificate is None) != (arguments.tls_key is None):
        raise ValueError("--tls-certificate and --tls-key go together")
    files = (arguments.tls_roots, arguments.tls_certificate, arguments.tls_key)
    for path in filter(None, files):
        _read(path)  # now, and with its name, instead of by the TLS library without it
    tls = TlsOptions(
        root_certificates=arguments.tls_roots,
        private_key=arguments.tls_key,
        certificate_chain=arguments.tls_certificate,
    )
    token = arguments.token_file and _read(arguments.token_file).decode("utf-8", "replace").strip()
    return {
        "tls": tls if arguments.tls or any(files) else None,
        "token": token,
        "metadata": tuple((name.lower(), value) for name, _, value in headers),
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"can't read {path}: {error.strerror or type(error).__name__}") from None
