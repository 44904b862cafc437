"""Intervals against their definition, and thresholds on fields whose faults are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tandem.evaluation.calibration import (
    accept,
    calibration_error,
    interval,
    lowest_threshold,
    reliability,
    upper_bound,
)
from tandem.evaluation.calibration_plot import plot_calibration
from tandem.evaluation.readings import CardReading, FieldReading, PhotoReading
from tandem.evaluation.thresholds import calibration_table, numbers, threshold_table

NUMBER = "11010519491231002X"


def field(confidence: float, *, right: bool = True) -> FieldReading:
    return FieldReading(printed=NUMBER, read=NUMBER if right else "1" * 18, confidence=confidence)


@given(st.integers(1, 400), st.data())
def test_the_interval_ends_where_the_binomial_tail_says(trials: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, trials))
    low, high = interval(hits, trials)
    assert 0 <= low <= hits / trials <= high <= 1
    if hits:
        assert stats.binom.sf(hits - 1, trials, low) == pytest.approx(0.025, rel=1e-6)
    if hits < trials:
        assert stats.binom.cdf(hits, trials, high) == pytest.approx(0.025, rel=1e-6)
        assert stats.binom.cdf(hits, trials, upper_bound(hits, trials)) == pytest.approx(0.05, rel=1e-6)


def test_nothing_is_known_without_trials() -> None:
    assert interval(0, 0) == (0, 1)
    assert upper_bound(0, 0) == 1


def test_bins_hold_every_field_once() -> None:
    fields = [field(confidence, right=confidence > 0.4) for confidence in (0.0, 0.3, 0.5, 0.95, 1.0, 1.0)]
    bins = reliability(fields, (0, 0.5, 0.9, 1.0))
    assert [(own.fields, own.right) for own in bins] == [(2, 0), (1, 1), (3, 3)]
    assert bins[0].confidence == pytest.approx(0.15)


def test_the_calibration_error_of_a_reader_that_is_too_sure() -> None:
    fields = [field(0.9, right=i < 7) for i in range(10)]
    assert calibration_error(fields) == pytest.approx(0.2)
    assert calibration_error([]) == 0


def test_the_lowest_threshold_leaves_the_wrong_ones_out() -> None:
    fields = [*(field(0.999) for _ in range(6000)), *(field(0.94, right=i > 20) for i in range(500))]
    chosen = lowest_threshold(fields, offered=7000)
    assert chosen is not None
    assert (chosen.threshold, chosen.accepted, chosen.wrong) == (0.95, 6000, 0)
    assert chosen.wrong_bound < 1e-3
    assert accept(fields, 7000, 0.0).wrong == 21
    assert lowest_threshold([field(1.0, right=False)], offered=1) is None
    assert lowest_threshold([], offered=1) is None


def photos(fields: list[FieldReading], *, checksum: bool | None = True) -> list[PhotoReading]:
    return [
        PhotoReading(
            name=str(i),
            subset="numbers",
            cards=(
                CardReading(
                    side="portrait",
                    found=True,
                    read_side="portrait",
                    fields={"公民身份号码": own},
                    checks={"number_checksum": (True, checksum)},
                ),
            ),
            spare=0,
            seconds=0.1,
        )
        for i, own in enumerate(fields)
    ]


def test_a_wrong_number_whose_check_digit_is_wrong_is_not_offered_to_who_checks() -> None:
    readings = [*photos([field(0.9)]), *photos([field(0.9, right=False)], checksum=False)]
    accepted, offered = numbers(readings, checked=True)
    assert (len(accepted), offered) == (1, 2)
    accepted, offered = numbers(readings, checked=False)
    assert (len(accepted), offered) == (2, 2)


def test_a_threshold_is_judged_by_photographs_that_did_not_choose_it() -> None:
    # Every wrong one is among those that judge: whoever chose by them would choose another threshold.
    fields = [field(0.999, right=i % 5 == 0 or i > 40) for i in range(8000)]
    caption = str(threshold_table(photos(fields)).caption)
    assert "any: from 0 on, chosen by 1600 numbers" in caption
    assert "it accepts 6400, 32 of them wrong" in caption
    assert "not known to be less than one in 1,000" in caption


def test_enough_right_numbers_prove_less_than_one_in_a_thousand() -> None:
    assert ", less than one in 1,000" in str(threshold_table(photos([field(0.99)] * 4000)).caption)
    assert "not known" in str(threshold_table(photos([field(0.99)] * 3700)).caption)


def test_a_wrong_number_that_is_sure_leaves_no_threshold() -> None:
    fields = [field(1.0, right=i > 0) for i in range(8)]
    assert "a wrong number among the surest" in str(threshold_table(photos(fields)).caption)


def test_an_empty_field_is_not_among_those_read() -> None:
    empty = FieldReading(printed=NUMBER, read="", confidence=0.6)
    (row,) = zip(
        *(column.cells for column in calibration_table(photos([empty, field(0.9)])).columns), strict=True
    )
    assert row[:4] == ("公民身份号码", "2", "1", "100.00%")


def test_the_plot_is_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    fields = [field(confidence, right=bool(rng.random() < confidence)) for confidence in rng.random(200)]
    plot_calibration(photos(fields), tmp_path / "new" / "plot.png")
    assert (tmp_path / "new" / "plot.png").stat().st_size > 5000
