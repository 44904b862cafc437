"""Servers in turns: readers whose speed is known, and a table that can be checked by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tandem.evaluation.errors import PeerError
from tandem.evaluation.peer_servers.turns import (
    Turn,
    check_answers,
    measure_turn,
    measure_turns,
    others,
    table,
)

SECONDS = 0.3


class Waiting:
    """Answers after a while with what it was asked; says that it works 5 ms a picture."""

    def __init__(self, name: str, seconds: float = 0.01, asked: list[str] | None = None) -> None:
        self.name = name
        self.is_asleep = False
        self._seconds = seconds
        self._asked = [] if asked is None else asked
        self._count = 0

    def read(self, data: bytes) -> bytes:
        assert not self.is_asleep
        if self._asked[-1:] != [self.name]:
            self._asked.append(self.name)
        self._count += 1
        time.sleep(self._seconds)
        return data

    def processor_s(self) -> float:
        return self._count * 0.005

    @contextmanager
    def asleep(self) -> Iterator[None]:
        self.is_asleep = True
        yield
        self.is_asleep = False


class Loud(Waiting):
    def read(self, data: bytes) -> bytes:
        return super().read(data).upper()


def turn(cards_per_s: float, *, others_s: float = 0.0) -> Turn:
    return Turn(
        cards_per_s=cards_per_s,
        processor_ms=150.0,
        p50_ms=200.4,
        p95_ms=301.0,
        client_ms=2.6,
        others_s=others_s,
    )


def test_a_turn_has_rate_processor_time_and_latencies() -> None:
    found = measure_turn(Waiting("one", 0.02), 2, [b"a", b"b"], SECONDS)
    assert 60 < found.cards_per_s <= 100
    assert found.processor_ms == pytest.approx(5)
    assert 20 <= found.p50_ms <= found.p95_ms


def test_everyone_has_a_turn_before_anyone_has_a_second_one_while_the_others_sleep() -> None:
    asked: list[str] = []
    servers = [Waiting("a", asked=asked), Waiting("b", asked=asked)]
    found = measure_turns(servers, [b"x"], rounds=2, seconds=0.05, clients=(1, 3))
    assert asked == ["a", "b"] * 4
    assert list(found) == [(1, "a"), (1, "b"), (3, "a"), (3, "b")]
    assert all(len(turns) == 2 for turns in found.values())
    assert not any(server.is_asleep for server in servers)


def test_the_table_has_medians_and_every_round() -> None:
    rounds = {(1, "A"): [turn(4.0), turn(6.0), turn(11.0)], (16, "B"): [turn(8.25)]}
    assert table(rounds).splitlines()[2:] == [
        "| 1 | A | 6.0 | 4.0, 6.0, 11.0 | 150 | 3 | 200 | 301 |",
        "| 16 | B | 8.2 | 8.2 | 150 | 3 | 200 | 301 |",
    ]


def test_what_other_processes_use_is_told() -> None:
    assert others({(1, "A"): [turn(1, others_s=0.1), turn(1, others_s=0.7)]}) == (0.1, 0.7)


def test_another_answer_than_ours_is_refused_without_quoting_it() -> None:
    check_answers(Waiting("ours"), [Waiting("same")], [b"a", b"b"])
    with pytest.raises(PeerError, match=r"^loud answers otherwise than ours to picture 2$"):
        check_answers(Waiting("ours"), [Waiting("same"), Loud("loud")], [b"A", b"secret"])
