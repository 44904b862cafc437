"""The table of pairs, and one short run on the real server."""

from __future__ import annotations

import pytest

from tandem.evaluation import pairs
from tandem.evaluation.throughput import Answers

LOAD = pairs.Load(
    clients=8,
    answers=Answers(latencies_s=(0.3, 0.5, 0.7, 0.4, 0.6), elapsed_s=2.0),
    counts={"first": {1: (3, 0.3), 2: (1, 0.2)}, "second": {2: (2, 0.5)}, "third": {1: (5, 0.0)}},
)


def test_a_line_of_the_table() -> None:
    assert LOAD.row() == "| 8 | 2.5 | 500 | 200 | 25% | 100% | 0% |"


@pytest.mark.triton
def test_one_caller_never_makes_a_pair_and_its_steps_work_most_of_its_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert pairs.main(["--clients", "1", "--seconds", "1", "--rounds", "1"]) == 0
    head, _, line = capsys.readouterr().out.strip().splitlines()
    steps = [cell.strip() for cell in head.split("|")[5:-1]]
    assert steps[0] == "decode_image"
    assert steps[-1] == "parse_fields"
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    assert cells[4:] == ["0%"] * len(steps)
    median, own = float(cells[2]), float(cells[3])
    assert 0 < own < median
