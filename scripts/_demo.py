"""What `scripts/demo` runs once the environment is there: photos → Triton → one line of JSON a photo."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from tandem_triton import Client
from tandem_triton.core.errors import TandemError

from export.services import set_up
from tandem.runtime.errors import EmbeddedServerError
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import CHECKOUT, REPOSITORY

SAMPLE = CHECKOUT / "docs" / "images" / "sample.jpg"
SERVICE = "id_card"
# Two photos in flight fill a batch, two more keep the next one ready.
IN_FLIGHT = 4


def main(photos: Sequence[str]) -> int:
    """Exit status: 0 if every photo could be read, 1 if not or if there is no server."""
    paths = [Path(photo) for photo in photos] or [SAMPLE]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    try:
        set_up([SERVICE], say)
        say("starting Triton …")
        options = ServerOptions(
            model_repository=REPOSITORY, services=(SERVICE,), grpc_port=0, http_port=0, metrics_port=0
        )
        with TritonServer(options, log=say) as server:
            say(f"ready: reading {len(paths)} photo{'s' if len(paths) > 1 else ''} …")
            return read(server.grpc_url, paths)
    except EmbeddedServerError as error:
        say(f"error: {error}")
        return 1


def read(url: str, paths: Sequence[Path]) -> int:
    """Print each photo's answer, in order; exit status as `main`."""
    status = 0
    with Client(url) as client, ThreadPoolExecutor(IN_FLIGHT) as threads:
        for path, answer in zip(paths, threads.map(partial(ask, client), paths), strict=True):
            print(json.dumps(answer, ensure_ascii=False), flush=True)
            if "error" in answer:
                say(f"error: {path}: {answer['error']['message']}")
                status = 1
    return status


def ask(client: Client, path: Path) -> dict[str, Any]:
    """The photo's answer as the contract has it, or what was wrong with it."""
    try:
        return client.recognize_json(path)
    except TandemError as error:
        return {"error": {"code": error.code, "message": str(error)}}


def say(line: str) -> None:
    """Progress and errors: stdout is for the answers."""
    print(line, file=sys.stderr, flush=True)


def leave(number: int, frame: FrameType | None) -> None:
    """Unwind once, so that the server is stopped in order."""
    for other in (signal.SIGTERM, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
