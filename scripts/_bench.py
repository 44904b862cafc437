"""What `scripts/bench` runs once the environment is there."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from pathlib import Path

from export.services import set_up
from tandem.evaluation.peers import rapidocr_reader
from tandem.evaluation.photo_sets import draw_photos
from tandem.evaluation.served import triton_reader
from tandem.evaluation.throughput import Comparison, Contender, compare
from tandem.runtime.errors import EmbeddedServerError
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY

PICTURES, SEED = 24, 30_000


def main() -> int:
    """Exit status: 0 if both were measured."""
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--pictures", type=Path, help="a folder of JPEG or PNG pictures, each of one card")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each round and reader")
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    try:
        pictures = load(options.pictures) if options.pictures else draw()
        set_up(["id_card"], say)
        say("starting Triton …")
        server_options = ServerOptions(
            model_repository=REPOSITORY, services=("id_card",), grpc_port=0, http_port=0, metrics_port=0
        )
        with TritonServer(server_options, log=lambda _line: None) as server:
            ours = Contender(name="Tandem", read=triton_reader(server.grpc_url), clients=options.clients)
            theirs = Contender(name="RapidOCR 3.10", read=rapidocr_reader(), clients=1)
            say(f"measuring {options.rounds} rounds of {options.seconds:g} s each …")
            report(
                compare(ours, theirs, pictures, rounds=options.rounds, seconds=options.seconds), len(pictures)
            )
    except EmbeddedServerError as error:
        say(f"error: {error}")
        return 1
    return 0


def load(folder: Path) -> list[bytes]:
    """The encoded pictures of a folder."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not files:
        raise SystemExit(f"error: no JPEG or PNG pictures in {folder}")
    return [path.read_bytes() for path in files]


def draw() -> list[bytes]:
    """Synthetic photographs of one card each."""
    say(f"drawing {PICTURES} photographs …")
    return [photo.data for photo in draw_photos("upright", PICTURES, SEED)]


def report(result: Comparison, pictures: int) -> None:
    """Print medians, every round, and the ratio."""
    cores = len(os.sched_getaffinity(0))
    print(f"{pictures} pictures, {cores} cores, {platform.processor() or platform.machine()}")
    for name, rates, median in zip(result.names, result.rates, result.medians, strict=True):
        print(f"{name:14} {median:6.2f} cards/s   rounds: {', '.join(f'{rate:.2f}' for rate in rates)}")
    print(f"ratio          {statistics.median(result.ratios):6.2f}           ", end="")
    print(f"rounds: {', '.join(f'{ratio:.2f}' for ratio in result.ratios)}")


def say(line: str) -> None:
    """Progress and errors: stdout is for the figures."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
