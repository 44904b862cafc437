"""What `scripts/bench` runs once the environment is there."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from export.services import set_up
from tandem.evaluation.errors import PeerError
from tandem.evaluation.peer_servers.checkout import CheckoutServer
from tandem.evaluation.peer_servers.instances import with_instances
from tandem.evaluation.peer_servers.kinds import ARRANGEMENTS, BEST, RAPIDOCR, Peer
from tandem.evaluation.peer_servers.ours import OurServer
from tandem.evaluation.peer_servers.process import PeerServer
from tandem.evaluation.peer_servers.turns import (
    CLIENTS,
    Contestant,
    check_answers,
    measure_turns,
    others,
    table,
)
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
    parser.add_argument(
        "--clients", type=int, help="default: 4; with --peers and --beside 1, 4 and 16 in turns"
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--peers", action="store_true", help="our steps behind other servers as well")
    kind.add_argument(
        "--arrangements", choices=sorted(ARRANGEMENTS), help="every way to arrange one of these"
    )
    kind.add_argument(
        "--beside", type=Path, nargs="+", metavar="CHECKOUT", help="the servers of other checkouts as well"
    )
    options = parser.parse_args()
    try:
        pictures = load(options.pictures) if options.pictures else draw()
        set_up(["id_card"], say)
        if options.beside:
            clients = (options.clients,) if options.clients else CLIENTS
            beside_checkouts(options.beside, pictures, options.rounds, options.seconds, clients)
        elif options.peers or options.arrangements:
            peers = ARRANGEMENTS.get(options.arrangements, (*BEST, RAPIDOCR))
            clients = (options.clients,) if options.clients else CLIENTS
            over_http = options.arrangements is not None
            beside_peers(peers, pictures, options.rounds, options.seconds, clients, over_http=over_http)
        else:
            beside_rapidocr(pictures, options.rounds, options.seconds, options.clients or 4)
    except (EmbeddedServerError, PeerError) as error:
        say(f"error: {error}")
        return 1
    return 0


def start(repository: Path = REPOSITORY) -> TritonServer:
    """A server of `id_card` that isn't started yet."""
    say("starting Triton …")
    options = ServerOptions(
        model_repository=repository, services=("id_card",), grpc_port=0, http_port=0, metrics_port=0
    )
    return TritonServer(options, log=lambda _line: None)


def beside_rapidocr(pictures: Sequence[bytes], rounds: int, seconds: float, clients: int) -> None:
    """Measure and print ours under so many clients and RapidOCR in this process."""
    with start() as server:
        ours = Contender(name="Tandem", read=triton_reader(server.grpc_url), clients=clients)
        theirs = Contender(name="RapidOCR 3.10", read=rapidocr_reader(), clients=1)
        say(f"measuring {rounds} rounds of {seconds:g} s each …")
        report(compare(ours, theirs, pictures, rounds=rounds, seconds=seconds), len(pictures))


def beside_peers(
    peers: Sequence[Peer],
    pictures: Sequence[bytes],
    rounds: int,
    seconds: float,
    clients: Sequence[int],
    *,
    over_http: bool,
) -> None:
    """Measure and print ours and the peers; those with our steps must give our answers first.

    `over_http` also asks ours as the peers are asked, and not over gRPC only.
    """
    with ExitStack() as running:
        once = running.enter_context(start())
        ours = OurServer(once)
        folder = Path(running.enter_context(TemporaryDirectory())) / "models"
        twice = running.enter_context(start(with_instances(REPOSITORY, "id_card", folder, 2)))
        servers: list[Contestant] = [ours, OurServer(twice, name="Tandem, two instances a step")]
        servers += [OurServer(once, "HTTP", name="Tandem, over HTTP")] if over_http else []
        same = servers[1:]
        for peer in peers:
            say(f"starting {peer.name} …")
            servers.append(running.enter_context(PeerServer(peer)))
            same += servers[-1:] if peer.same_answers else []
        say("comparing the answers …")
        check_answers(ours, same, pictures)
        say(f"measuring {rounds} rounds of {seconds:g} s for each server and number of clients …")
        print(machine(len(pictures)), end="\n\n")
        found = measure_turns(
            servers, pictures, rounds=rounds, seconds=seconds, clients=clients, warm_up=True
        )
        print(table(found))
        least, most = others(found)
        print(f"\nother processes: {least:.2f} to {most:.2f} cores in each turn")


def beside_checkouts(
    folders: Sequence[Path], pictures: Sequence[bytes], rounds: int, seconds: float, clients: Sequence[int]
) -> None:
    """Measure and print ours and those of other checkouts, whose answers may differ."""
    with ExitStack() as running:
        servers: list[Contestant] = []
        for folder in folders:
            other = CheckoutServer(folder)
            say(f"starting {other.name} …")
            servers.append(running.enter_context(other))
        servers.append(OurServer(running.enter_context(start())))
        say(f"measuring {rounds} rounds of {seconds:g} s for each server and number of clients …")
        print(machine(len(pictures)), end="\n\n")
        print(
            table(
                measure_turns(
                    servers, pictures, rounds=rounds, seconds=seconds, clients=clients, warm_up=True
                )
            )
        )


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
    print(machine(pictures))
    for name, rates, median in zip(result.names, result.rates, result.medians, strict=True):
        print(f"{name:14} {median:6.2f} cards/s   rounds: {', '.join(f'{rate:.2f}' for rate in rates)}")
    print(f"ratio          {statistics.median(result.ratios):6.2f}           ", end="")
    print(f"rounds: {', '.join(f'{ratio:.2f}' for ratio in result.ratios)}")


def machine(pictures: int) -> str:
    """What was measured on."""
    cores = len(os.sched_getaffinity(0))
    return f"{pictures} pictures, {cores} cores, {platform.processor() or platform.machine()}"


def say(line: str) -> None:
    """Progress and errors: stdout is for the figures."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
