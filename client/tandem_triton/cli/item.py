"""`tandem <service>`: items in, one line of JSON an item out; for services without a command of their own."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tandem_triton.cli.connection import add_connection_arguments, connection_options
from tandem_triton.cli.exits import EXIT_FAILED, EXIT_USAGE
from tandem_triton.core.client import Client
from tandem_triton.core.errors import BadItemError, TandemError
from tandem_triton.core.options import DEFAULT_URLS, ClientOptions
from tandem_triton.core.service import Service

_IN_FLIGHT = 8  # fills batches of two on four instances; more would only hold items in memory
STDIN = "-"


class ItemCommand:
    """The command of one service (see `main.Command`).

    Args:
        service: which.

    Attributes:
        SUMMARY: one line.
    """

    def __init__(self, service: Service[Any]) -> None:
        self.SUMMARY = service.summary
        self._service = service

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """See `main.Command`."""
        add = parser.add_argument
        add("items", nargs="+", metavar="FILE", help="a file with one item; - is standard input")
        add(
            "--option",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help=f"of the service; there are: {', '.join(self._known_options()) or 'none'}",
        )
        add("--protocol", choices=list(DEFAULT_URLS), default="grpc")
        add("--timeout", type=float, default=30.0, metavar="S", help="seconds for an item (default 30)")
        add("--in-flight", type=int, default=_IN_FLIGHT, metavar="N", help="items on their way (default 8)")
        add_connection_arguments(parser)

    def run(self, arguments: argparse.Namespace) -> int:
        """See `main.Command`."""
        name = self._service.name
        try:
            given = _options(arguments.option)
            self._service.encode_options(given)
            options = ClientOptions(
                timeout_s=arguments.timeout,
                max_in_flight=arguments.in_flight,
                **connection_options(arguments),
            )
            client = Client(arguments.url, protocol=arguments.protocol, options=options)
        except (ValueError, BadItemError, OSError) as error:
            print(f"tandem {name}: {error}", file=sys.stderr)
            return EXIT_USAGE
        failed = False
        with client:
            results = client.call_many(_of_files(self._service), arguments.items, **given)
            for path, result in zip(arguments.items, results, strict=True):
                if result.error is not None:
                    failed = True
                    print(f"{path}: {result.error}", file=sys.stderr)
                _print_line(_failure(result.error) if result.error else result.json)
        return EXIT_FAILED if failed else 0

    def _known_options(self) -> Sequence[str]:
        return () if self._service.options is None else self._service.options.__struct_fields__


def _of_files(service: Service[Any]) -> Service[Any]:
    """The service, with the names of files as items."""

    def encode(path: str) -> bytes:
        if path == STDIN:
            return service.encode(sys.stdin.buffer.read())
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise service.bad_item(f"can't read the file: {error.strerror or type(error).__name__}") from None
        return service.encode(content)

    return replace(service, encode=encode)


def _options(words: Sequence[str]) -> dict[str, Any]:
    """The options, each value as JSON if it is that, else as text.

    Raises:
        ValueError: a word is not NAME=VALUE.
    """
    options: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise ValueError("--option must be NAME=VALUE")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options


def _failure(error: TandemError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": str(error)}}


def _print_line(answer: dict[str, Any]) -> None:
    print(json.dumps(answer, ensure_ascii=False), flush=True)
