"""The published table: Wilson's interval, and what counts as wrong and sure."""

from __future__ import annotations

import pytest
from rich.console import Console

from tandem.evaluation.overview import overview_table, wilson
from tandem.evaluation.readings import CardReading, FieldReading, PhotoReading


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    # Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_those_of_the_literature(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=1e-4)


def reading(name: str, read: str, confidence: float, *, found: bool = True) -> PhotoReading:
    fields = {
        "姓名": FieldReading(printed="张三", read="张三" if found else "", confidence=0.99),
        "公民身份号码": FieldReading(printed="1", read=read, confidence=confidence),
    }
    card = CardReading(
        side="portrait", found=found, read_side="portrait" if found else "", fields=fields, corner_error=0.01
    )
    return PhotoReading(name=name, subset="paper", cards=(card,), spare=0, seconds=0.1)


def cells(ours: list[PhotoReading], peer: list[PhotoReading]) -> dict[str, str]:
    table = overview_table(ours, peer)
    Console(quiet=True).print(table)
    return {str(column.header): str(next(iter(column.cells))) for column in table.columns}


def test_a_card_that_is_not_found_counts_as_not_read() -> None:
    row = cells([reading("a", "1", 1.0), reading("b", "", 0.0, found=False)], [reading("a", "2", 1.0)])
    assert row["found"] == "50.0%"
    assert row["number exact (95 %)"].startswith("50.0% (")
    assert row["all fields (95 %)"].startswith("50.0% (")
    assert row["peer: number"] == "0.0%"


def test_only_wrong_text_that_is_sure_is_counted_as_such() -> None:
    own = [reading("a", "2", 0.95), reading("b", "2", 0.5), reading("c", "", 0.95), reading("d", "1", 0.95)]
    assert cells(own, [])["wrong ≥ 0.9"] == "1/8"
