"""What the page says of two, from the solvers; the page has the tables as they are printed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tandem.batching.__main__ import main
from tandem.batching.exact.single import greedy_mean_s
from tandem.batching.plan.regret_of_two import (
    RATIOS,
    best_and_regret,
    full_at,
    means_s,
    service_of,
    strict_mean_s,
)

PAGE = Path(__file__).parents[3] / "docs" / "batching.md"


def test_two_is_full_where_batches_of_two_arrive_as_fast_as_they_are_served() -> None:
    assert full_at(1.0) == pytest.approx(4 / 3)  # s(2) = 1.5 s(1)
    assert 2 in means_s(1.0, 1.33)
    assert 2 not in means_s(1.0, 1.34)


def test_regret_is_against_the_best_that_keeps_up() -> None:
    best, regret = best_and_regret({1: 2.0, 2: 1.1, 4: 1.0})
    assert best == 4
    assert regret == pytest.approx(0.1)
    assert best_and_regret({2: 1.00005, 4: 1.0})[0] == 2  # a tie goes to the smaller
    assert best_and_regret({4: 1.0}) == (4, math.inf)
    assert best_and_regret({}) == (0, math.inf)


def test_means_are_the_solvers() -> None:
    assert means_s(0.5, 0.8)[4] == greedy_mean_s(service_of(0.5), 0.8, 4)


def test_strict_pays_its_waiting_at_light_load() -> None:
    """An item waits half an arrival interval for its partner, on average, and no queue stands at 0.02."""
    service = service_of(1.0)
    lone = strict_mean_s(service, 0.02, 1)
    assert strict_mean_s(service, 0.02, 2) - lone == pytest.approx(1 / 0.04 + service.of(2) - 1, abs=0.02)
    assert best_and_regret(means_s(1.0, 0.75, (1, 2, 3, 4), strict_mean_s))[0] == 1
    assert best_and_regret(means_s(1.0, 0.90, (1, 2, 3, 4), strict_mean_s))[0] == 2


@pytest.mark.slow
def test_the_page_has_the_tables_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["two"]) == 0
    page = PAGE.read_text(encoding="utf-8")
    for line in filter(None, capsys.readouterr().out.splitlines()):
        assert line in page


def test_the_page_has_a_row_for_every_ratio() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    for ratio in RATIOS:
        assert sum(line.startswith(f"| {ratio:g} |") for line in rows) == 3
