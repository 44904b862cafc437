"""What `scripts/serve` runs: the services' set-up, then `tandem.runtime`.

For its help it needs nothing but the standard library: nothing is installed then.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from export.services import GPU_CONFIGS, SERVICES, check_known, default_services, set_up
from tandem.runtime.__main__ import run, say
from tandem.runtime.command import parse_options, server_parser
from tandem.runtime.errors import UnknownServiceError
from tandem.runtime.gpu import has_gpu
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY, ensure_ready

DOOR_PORT = 8080


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 after a signal, 1 without a server, 2 for wrong arguments."""
    parser = server_parser(
        "scripts/serve", f"{', '.join(default_services())}, which need nothing more to download"
    )
    _add_door(parser)
    parser.add_argument("--set-up-only", action="store_true", help="make what is missing, then leave")
    options, chosen = parse_options(parser, arguments, os.environ)
    others = [path for path in options.repositories if path != REPOSITORY]
    ours = len(others) < len(options.repositories)
    try:
        services = chosen_services(options.services, others, ours=ours)
    except UnknownServiceError as error:
        parser.error(str(error))

    if ours and options.config_name in GPU_CONFIGS and not has_gpu():
        say(f"error: config '{options.config_name}' needs an NVIDIA GPU, and no driver of one is here")
        return 1

    def make() -> None:
        ensure_ready()
        set_up([name for name in services if ours and name in SERVICES], say)
        if chosen.set_up_only:
            raise SystemExit(0)

    options = dataclasses.replace(options, services=services)
    return run(options, make, lambda server: _door(server, chosen))


def _add_door(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the door, for everybody else", "docs/door.md")
    group.add_argument("--door-port", type=int, default=DOOR_PORT, metavar="PORT",
        help="the page and plain HTTP, default %(default)s; 0 = a free one; -1 = no door")  # fmt: skip
    group.add_argument("--door-grpc-port", type=int, default=DOOR_PORT + 1, metavar="PORT",
        help="KServe v2 over gRPC, default %(default)s; 0 = a free one; -1 = none")  # fmt: skip
    group.add_argument(
        "--door-address", default="127.0.0.1", help="address to listen on, default %(default)s"
    )
    group.add_argument("--door-keys", type=Path, metavar="FILE",
        help="of API keys (tandem key new); needed on an address that others reach")  # fmt: skip


def _door(server: TritonServer, chosen: argparse.Namespace) -> AbstractContextManager[object]:
    """The door in front of a server that is ready; nothing where none is wanted, or none can be."""
    if chosen.door_port < 0:
        return nullcontext()
    if chosen.tls_certificate is not None:
        say("no door: this server's gRPC speaks TLS; start one by hand (tandem door --help)")
        return nullcontext()
    # Loaded late: for the help nothing is installed.
    from tandem_triton import find_services  # noqa: PLC0415

    from tandem.door.beside import DoorBeside  # noqa: PLC0415

    names = [name for name in find_services() if name in server.options.services]
    if not names:
        say("no door: none of the models is a service that it knows")
        return nullcontext()
    words = ["--triton", server.grpc_url, "--services", ",".join(names), "--address", chosen.door_address]
    words += ["--port", str(chosen.door_port), "--grpc-port", str(chosen.door_grpc_port)]
    words += ["--metrics-port", str(chosen.door_port + 2 if chosen.door_port else 0)]
    if chosen.door_keys is not None:
        words += ["--keys", str(chosen.door_keys.absolute())]
    if chosen.token_file is not None:
        words += ["--triton-token-file", str(chosen.token_file.absolute())]
    return DoorBeside(words, os.environ, say)


def chosen_services(asked: Sequence[str], others: Sequence[Path], *, ours: bool) -> tuple[str, ...]:
    """The services to serve; empty for every model of `others`.

    Args:
        asked: what the user named; empty: the default ones.
        others: repositories that aren't this checkout's; what is in them can't be set up from here.
        ours: whether this checkout's repository is served.

    Raises:
        UnknownServiceError: a name is neither a service of ours nor a model of the others.
    """
    theirs = [path.name for folder in others for path in sorted(folder.glob("*/")) if path.is_dir()]
    if asked:
        check_known(asked, [*(SERVICES if ours else ()), *theirs])
        return tuple(asked)
    return (*default_services(), *theirs) if ours else ()


if __name__ == "__main__":
    sys.exit(main())
