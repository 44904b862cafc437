"""Pairs at an ensemble's door; on the real server: tests/server/test_batches_of_two.py."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tandem.triton.pair_gate import PairGate

FINAL = 1
SECRET = "".join(["13010", "2197"])  # what an exception might quote


class Company:
    """So many others are on the way, and those whose answers are at the gate."""

    def __init__(self) -> None:
        self.others, self.here = 0, 0

    def count(self) -> int:
        return self.here + self.others if self.others else 0


class Timer:
    """Goes off when the test says so."""

    made: list[Timer]

    def __init__(self, seconds: float, function: Callable[[], None]) -> None:
        self.seconds, self.function, self.running, self.daemon = seconds, function, False, False
        self.made.append(self)

    def start(self) -> None:
        self.running = True

    def cancel(self) -> None:
        self.running = False


@pytest.fixture(autouse=True)
def timers():
    Timer.made = []
    return Timer.made


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
def sent() -> list[str]:
    return []


@pytest.fixture
def answer(sent, company) -> Callable[..., Any]:
    def make(name: str, *, bad: bool = False, gone: bool = False, items: int = 1) -> Any:
        company.here += 0 if bad else items

        def send(response: Any, flags: int) -> None:
            assert flags == FINAL
            if gone:
                raise RuntimeError(SECRET)
            sent.append(name)
            company.here -= 0 if bad else items  # it is one of the others now, or soon has left

        return SimpleNamespace(send=send), SimpleNamespace(has_error=lambda: bad), items

    return make


@pytest.fixture
def gate(company):
    gate = PairGate(company, hold_s=0.02, final=FINAL, timer=Timer)  # type: ignore[arg-type]
    yield gate
    gate.close()


def test_alone_nobody_waits(gate, answer, sent, timers):
    gate.pass_on([answer("a")])
    gate.pass_on([answer("b")])
    assert sent == ["a", "b"]
    assert timers == []


def test_in_company_a_lone_one_waits_for_a_second(gate, company, answer, sent, timers):
    company.others = 1
    gate.pass_on([answer("a")])
    assert sent == []
    gate.pass_on([answer("b")])
    assert sorted(sent) == ["a", "b"]
    assert [timer.running for timer in timers] == [False]


@pytest.mark.parametrize(("others", "seconds"), [(1, 0.02), (2, 0.04), (6, 0.12), (40, 0.12)])
def test_it_waits_the_longer_the_more_are_on_the_way(gate, company, answer, sent, timers, others, seconds):
    company.others = others
    gate.pass_on([answer("a")])
    (timer,) = timers
    assert timer.seconds == pytest.approx(seconds)
    timer.function()
    assert sent == ["a"]


def test_a_pair_is_not_held(gate, company, answer, sent, timers):
    company.others = 5
    gate.pass_on([answer("a"), answer("b")])
    assert sorted(sent) == ["a", "b"]
    assert timers == []


def test_an_odd_one_behind_a_pair_waits_anew(gate, company, answer, sent, timers):
    company.others = 5
    gate.pass_on([answer("a")])
    gate.pass_on([answer("b"), answer("c")])
    assert sorted(sent) == ["a", "b"]
    assert [timer.running for timer in timers] == [False, True]
    gate.release()
    assert sorted(sent) == ["a", "b", "c"]


def test_errors_go_at_once_and_pair_with_nobody(gate, company, answer, sent):
    company.others = 5
    gate.pass_on([answer("bad", bad=True), answer("a")])
    assert sent == ["bad"]
    gate.pass_on([answer("worse", bad=True)])
    assert sent == ["bad", "worse"]


def test_one_whose_caller_is_gone_holds_up_nobody(gate, company, answer, sent, caplog):
    gate.pass_on([answer("a", gone=True), answer("b")])
    assert sent == ["b"]
    assert SECRET not in caplog.text  # an exception's message may quote the item
    assert "RuntimeError" in caplog.text


def test_closing_answers_what_is_held(company, answer, sent, timers):
    gate = PairGate(company, hold_s=0.02, final=FINAL, timer=Timer)  # type: ignore[arg-type]
    company.others = 2
    gate.pass_on([answer("a")])
    gate.close()
    assert sent == ["a"]
    assert [timer.running for timer in timers] == [False]


def test_a_request_of_two_pictures_is_no_company_of_its_own(gate, company, answer, sent):
    company.others = 1
    company.here = -1  # nobody else, but known: count() is this request's two
    gate.pass_on([answer("a", items=2)])
    assert sent == ["a"]


def test_without_a_hold_nobody_waits(company, answer, sent):
    gate = PairGate(company, hold_s=0, final=FINAL)
    company.others = 9
    gate.pass_on([answer("a")])
    assert sent == ["a"]
    gate.close()


def test_a_real_timer_lets_it_go(company, answer):
    gone = threading.Event()
    sender = SimpleNamespace(send=lambda response, flags: gone.set())
    gate = PairGate(company, hold_s=0.01, final=FINAL)
    company.others = 1
    gate.pass_on([(sender, answer("a")[1], 1)])
    assert gone.wait(10)
    gate.close()


def test_a_negative_hold_is_refused(company):
    with pytest.raises(ValueError, match="0 or more"):
        PairGate(company, hold_s=-1, final=FINAL)
