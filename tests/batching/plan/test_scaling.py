"""When to start the next replica."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tandem.batching.__main__ import main
from tandem.batching.outcome import Station
from tandem.batching.plan.scaling import LOADS, Scaling, plan_scaling, scaling_addition
from tandem.batching.rules import greedy
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.climb import ramp

PAIRS = Station(service=ServiceTime.linear(0.004, 0.008, 2), rule=greedy(2))
KNOWN = ["plan", "--alpha-ms", "4", "--beta-ms", "8", "--rule", "greedy", "--max-batch", "2"]


def scaling(replica_s: float, limit_s: float = 0.08) -> Scaling:
    return plan_scaling(PAIRS, ramp(40.0, 6.0, 200.0), replica_s=replica_s, limit_s=limit_s)


def answer(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert main([*KNOWN, *options, "--json"]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_the_later_replicas_come_the_earlier_they_must_be_started() -> None:
    soon, late = scaling(5.0), scaling(60.0)
    assert soon.chosen
    assert late.chosen
    assert late.chosen.threshold_per_s < soon.chosen.threshold_per_s
    assert soon.at_once
    assert soon.at_once.threshold_per_s >= soon.chosen.threshold_per_s


def test_the_chosen_one_keeps_the_limit_and_the_next_does_not() -> None:
    found = scaling(30.0)
    assert found.chosen
    place = found.tried.index(found.chosen)
    assert found.tried[place].worst_p95_s <= found.limit_s < found.tried[place + 1].worst_p95_s
    assert [each.threshold_per_s for each in found.tried] == pytest.approx([load * 100 for load in LOADS])


def test_where_no_threshold_helps_the_answer_says_so() -> None:
    found = scaling(30.0, limit_s=0.011)  # less than a single item takes
    assert found.chosen is None
    said = scaling_addition(found)
    assert said.lines[0].startswith("scale out    no threshold keeps p95 within 11 ms")
    assert said.json["chosen"] is None


def test_the_command_says_it_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*KNOWN, "--rate", "40", "--ramp", "4,120", "--replica-s", "20"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].startswith("scale out    at ")
    assert "items/s per replica" in lines[3]
    assert "a new one takes 20 s" in lines[3]
    assert lines[4].startswith("the delay    costs ")


def test_the_limit_is_the_slo_and_else_follows_from_the_usual_rate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    climb = ["--rate", "40", "--ramp", "4,120"]
    without = answer(capsys, *climb)
    assert without["scaling"]["limit_ms"] == pytest.approx(2 * without["recommended"]["p95_ms"], abs=0.01)
    assert answer(capsys, *climb, "--slo-ms", "90")["scaling"]["limit_ms"] == 90


def test_a_file_of_rates_is_taken(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    day = tmp_path / "day.csv"
    day.write_text("# seconds, items a second\n0,30\n600,30\n\n900,150\n1500,150\n")
    result = answer(capsys, "--rates", str(day))
    assert result["scaling"]["chosen"]["replicas_last"] > result["scaling"]["chosen"]["replicas_first"]
    assert result["recommended"]["utilization"] == pytest.approx(30 / 83, abs=0.03)  # the first rate's


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ramp", "4,300"], "give it"),
        (["--rate", "40", "--ramp", "4"], "FACTOR,SECONDS is wanted"),
        (["--rate", "40", "--ramp", "1,300"], "must be above 1"),
        (["--rate", "40", "--ramp", "4,300", "--burst", "2,1,0.1"], "give one of"),
        (["--rate", "40", "--ramp", "4,300", "--replica-s", "-1"], "a new replica takes -1 s"),
        (["--rates", "day.txt"], "can't be read"),
    ],
)
def test_wrong_questions_are_answered_in_one_line(
    capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main([*KNOWN, *options]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("content", ["0 30\n10\n", "0 thirty\n", "0 30 40\n10 30 40\n"])
def test_a_line_that_is_no_pair_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str
) -> None:
    day = tmp_path / "day.txt"
    day.write_text(content)
    assert main([*KNOWN, "--rates", str(day)]) == 1
    assert ", line " in capsys.readouterr().err
