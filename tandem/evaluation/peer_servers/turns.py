"""Servers measured in turns on the same pictures: a machine that drifts drifts for all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tandem.evaluation.errors import PeerError
from tandem.evaluation.processor_use import machine_busy_s
from tandem.evaluation.throughput import measure_answers

#: How many clients each server is measured with.
CLIENTS = (1, 4, 16)
# Each worker process of a server has then seen a few pictures.
_AT_ONCE, _WARM_UP_S = 4, 2.0


class Contestant(Protocol):
    """A running server."""

    @property
    def name(self) -> str:
        """As in the table."""

    @property
    def read(self) -> Callable[[bytes], bytes]:
        """Encoded picture → answer; called from many threads."""

    def processor_s(self) -> float:
        """Processor time of all its processes so far, seconds."""

    def asleep(self) -> AbstractContextManager[None]:
        """Within, it uses no processor."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What one server did in one round.

    Attributes:
        cards_per_s: pictures answered a second.
        processor_ms: processor time of all the server's processes a picture, ms.
        p50_ms: median time from question to answer, ms.
        p95_ms: what 95 % of the answers took at most, ms.
        client_ms: processor time of the clients, which share the server's cores, a picture, ms.
        others_s: processor time of processes that are neither the server's nor ours, a second.
    """

    cards_per_s: float
    processor_ms: float
    p50_ms: float
    p95_ms: float
    client_ms: float
    others_s: float


Rounds = Mapping[tuple[int, str], Sequence[Turn]]


def measure_turn(server: Contestant, clients: int, pictures: Sequence[bytes], seconds: float) -> Turn:
    """One server, so many clients; arguments as of `measure_answers`."""
    busy_before, ours_before, before = machine_busy_s(), time.process_time(), server.processor_s()
    answers = measure_answers(server.read, clients, pictures, seconds)
    used_s = server.processor_s() - before
    client_s = time.process_time() - ours_before
    others_s = machine_busy_s() - busy_before - used_s - client_s
    p50, p95 = np.quantile(answers.latencies_s, (0.5, 0.95))
    return Turn(
        cards_per_s=answers.rate,
        processor_ms=used_s / len(answers.latencies_s) * 1e3,
        p50_ms=float(p50) * 1e3,
        p95_ms=float(p95) * 1e3,
        client_ms=client_s / len(answers.latencies_s) * 1e3,
        others_s=max(others_s, 0) / answers.elapsed_s,
    )


def measure_turns(
    servers: Sequence[Contestant],
    pictures: Sequence[bytes],
    *,
    rounds: int,
    seconds: float,
    clients: Sequence[int] = CLIENTS,
    warm_up: bool = False,
) -> dict[tuple[int, str], list[Turn]]:
    """Every server with every number of clients, `rounds` times; while one is measured the others sleep.

    Args:
        servers: whom to measure, in this order.
        pictures: encoded pictures, sent round robin.
        rounds: how many turns each has with each number of clients.
        seconds: how long a turn is, more by the answers under way at its end.
        clients: numbers of clients.
        warm_up: whether each server is first asked once by some clients at once, which is not measured.

    Returns:
        By number of clients and server's name, a `Turn` a round.
    """
    for server in servers if warm_up else ():
        measure_answers(server.read, _AT_ONCE, pictures, _WARM_UP_S)
    found: dict[tuple[int, str], list[Turn]] = {(n, one.name): [] for n in clients for one in servers}
    for _ in range(rounds):
        for number in clients:
            for server in servers:
                with ExitStack() as sleeping:
                    for other in servers:
                        if other is not server:
                            sleeping.enter_context(other.asleep())
                    found[number, server.name].append(measure_turn(server, number, pictures, seconds))
    return found


def check_answers(ours: Contestant, others: Sequence[Contestant], pictures: Sequence[bytes]) -> None:
    """Return if the others give our answers to every picture, byte for byte; each has then seen all of them.

    Raises:
        PeerError: one doesn't; the message tells the picture's number, never what was read.
    """
    wanted = [ours.read(picture) for picture in pictures]
    for other in others:
        for number, (picture, answer) in enumerate(zip(pictures, wanted, strict=True), start=1):
            if other.read(picture) != answer:
                raise PeerError(f"{other.name} answers otherwise than {ours.name} to picture {number}")


def table(rounds: Rounds) -> str:
    """Medians over the rounds as a table in Markdown, and every round's cards a second."""
    lines = [
        "| clients | server | cards/s | rounds | CPU a card, ms | of the clients, ms | p50, ms | p95, ms |",
        "| ---: | --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for (clients, name), turns in rounds.items():
        rates = ", ".join(f"{turn.cards_per_s:.1f}" for turn in turns)
        cells = [
            f"{statistics.median(turn.cards_per_s for turn in turns):.1f}",
            rates,
            f"{statistics.median(turn.processor_ms for turn in turns):.0f}",
            f"{statistics.median(turn.client_ms for turn in turns):.0f}",
            f"{statistics.median(turn.p50_ms for turn in turns):.0f}",
            f"{statistics.median(turn.p95_ms for turn in turns):.0f}",
        ]
        lines.append(f"| {clients} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def others(rounds: Rounds) -> tuple[float, float]:
    """Processor time of other processes in the quietest and the busiest turn, seconds a second."""
    shares = [turn.others_s for turns in rounds.values() for turn in turns]
    return min(shares), max(shares)
