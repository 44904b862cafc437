from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from tandem.services.speech_to_text.turns import PATIENCE, FairSteps, Turn

TIMEOUT_S = 20.0


def ask(fair: FairSteps[str, str], turn: Turn, item: str) -> Future[str]:
    (answer,) = fair.ask(turn, [item])
    return answer


class Steps:
    """Records each step; a step ends when `let_go` is called."""

    def __init__(self) -> None:
        self.taken: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self._go = threading.Semaphore(0)

    def __call__(self, items: Sequence[str]) -> list[str | BaseException]:
        self.taken.append(list(items))
        self.begun.release()
        assert self._go.acquire(timeout=TIMEOUT_S)
        if "broken" in items:
            raise ZeroDivisionError
        return [ValueError(item) if item == "bad" else item.upper() for item in items]

    def let_go(self, steps: int = 1) -> None:
        self._go.release(steps)

    def wait(self) -> None:
        assert self.begun.acquire(timeout=TIMEOUT_S)


@pytest.fixture
def steps() -> Steps:
    return Steps()


def test_two_travel_together_and_get_their_own_answers(steps: Steps) -> None:
    fair = FairSteps(steps)
    first = ask(fair, Turn(), "first")
    steps.wait()  # alone: nobody else was there
    others = [ask(fair, Turn(), name) for name in ("a", "b", "c")]
    steps.let_go(3)
    fair.close()
    assert steps.taken == [["first"], ["a", "b"], ["c"]]
    assert [answer.result() for answer in (first, *others)] == ["FIRST", "A", "B", "C"]


def test_what_is_asked_for_together_travels_together(steps: Steps) -> None:
    fair = FairSteps(steps)
    fair.ask(Turn(), ["a", "b"])
    steps.let_go(2)
    fair.close()
    assert steps.taken == [["a", "b"]]


def test_two_steps_run_at_a_time_and_a_newcomer_is_in_the_one_after_the_first_that_ends(steps: Steps) -> None:
    fair = FairSteps(steps, at_once=2)
    assert fair.places == 4
    fair.ask(Turn(), ["a", "b", "c", "d"])
    steps.wait()
    steps.wait()  # neither has been let go
    assert sorted(map(sorted, steps.taken)) == [["a", "b"], ["c", "d"]]
    long = Turn(asked=4)
    fair.ask(long, ["e", "f"])
    (short,) = fair.ask(Turn(), ["short"])
    steps.let_go()
    steps.wait()
    assert "short" in steps.taken[2]
    steps.let_go(9)
    fair.close()
    assert short.result() == "SHORT"


def test_a_short_recording_waits_for_the_step_that_runs_and_no_more(steps: Steps) -> None:
    fair = FairSteps(steps)
    long, other = Turn(), Turn()
    for i in range(2):
        ask(fair, long, f"long {i}")
        ask(fair, other, f"other {i}")
    for i in range(2, 6):
        steps.wait()
        ask(fair, long, f"long {i}")
        ask(fair, other, f"other {i}")
        steps.let_go()
    steps.wait()
    ask(fair, Turn(), "short")
    running = len(steps.taken)
    steps.let_go(9)
    fair.close()
    assert "short" in steps.taken[running], "it is in the very next step"


def test_a_long_recording_is_not_starved_by_short_ones(steps: Steps) -> None:
    fair = FairSteps(steps)
    ask(fair, Turn(), "start")
    steps.wait()
    ask(fair, Turn(asked=1000), "long")
    for i in range(3 * PATIENCE):
        ask(fair, Turn(), f"short {i}.0")
        ask(fair, Turn(), f"short {i}.1")
        steps.let_go()
        steps.wait()
    steps.let_go(100)
    fair.close()
    at = next(i for i, step in enumerate(steps.taken) if "long" in step)
    assert PATIENCE - 1 <= at <= PATIENCE + 2


def test_one_that_fails_harms_no_other(steps: Steps) -> None:
    fair = FairSteps(steps)
    ask(fair, Turn(), "start")
    steps.wait()
    bad, good, broken, beside, later = (
        ask(fair, Turn(), name) for name in ("bad", "good", "broken", "beside", "later")
    )
    steps.let_go(9)
    fair.close()
    assert good.result() == "GOOD"
    assert isinstance(bad.exception(), ValueError)
    assert isinstance(broken.exception(), ZeroDivisionError)
    assert isinstance(beside.exception(), ZeroDivisionError), (
        "JointResponder tries them one by one; a step can't"
    )
    assert later.result() == "LATER"


def test_who_has_gone_takes_no_place(steps: Steps) -> None:
    fair = FairSteps(steps)
    ask(fair, Turn(), "start")
    steps.wait()
    gone, stays = ask(fair, Turn(), "gone"), ask(fair, Turn(), "stays")
    assert gone.cancel()
    steps.let_go(9)
    fair.close()
    assert stays.result() == "STAYS"
    assert ["gone"] not in steps.taken
    assert steps.taken == [["start"], ["stays"]]


@pytest.mark.parametrize(("size", "at_once"), [(0, 1), (2, 0)])
def test_steps_that_could_take_nothing_are_refused(steps: Steps, size: int, at_once: int) -> None:
    with pytest.raises(ValueError, match="at least one step of one is needed"):
        FairSteps(steps, size=size, at_once=at_once)


def test_after_the_end_nothing_is_taken(steps: Steps) -> None:
    fair = FairSteps(steps)
    fair.close()
    with pytest.raises(RuntimeError, match="no steps"):
        ask(fair, Turn(), "late")
