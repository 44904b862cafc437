"""What a card costs, step by step: the real server's own processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tandem.evaluation.processor_use import SERVER, Use
from tandem.evaluation.step_cost import ALL, RoundCost, main, table
from tandem.runtime.setup import CHECKOUT

SAMPLE = CHECKOUT / "docs" / "images" / "sample.jpg"
STEPS = {"decode_image", "card_detector", "rectify_cards", "text_recognizer", "parse_fields"}


def test_uses_are_added_and_taken_from_each_other() -> None:
    before = Use(user_s=1.0, system_s=0.5, faults=10)
    after = before + Use(user_s=0.25, system_s=0.125, faults=3)
    assert after - before == Use(user_s=0.25, system_s=0.125, faults=3)
    assert (after - before).processor_s == 0.375


def test_a_table_has_medians_the_dearest_first() -> None:
    rounds = [
        RoundCost(steps_ms={"a": a, "b": b}, latency_ms=0) for a, b in ((1.0, 9.0), (2.0, 30.0), (3.0, 10.0))
    ]
    assert table(rounds) == {"b": 10.0, "a": 2.0, ALL: 13.0}
    assert list(table(rounds)) == ["b", "a", ALL]


def test_every_steps_process_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "cost.json"
    assert main([str(SAMPLE), "--count", "10", "--rounds", "1", "--json", str(written)]) == 0
    found = json.loads(written.read_text("utf-8"))
    costs = found["steps_ms"]
    assert set(costs) >= {*STEPS, SERVER, ALL}
    assert sum(cost for name, cost in costs.items() if name != ALL) == pytest.approx(costs[ALL])
    # The kernel counts in hundredths of a second: ten cards' rows are more than one of them.
    assert costs["text_recognizer"] > 10
    assert found["latency_ms"] > 0
    assert "text_recognizer" in capsys.readouterr().out
