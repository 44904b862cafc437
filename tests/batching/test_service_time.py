from __future__ import annotations

import math

import numpy as np
import pytest

from tandem.batching.errors import InvalidServiceTimeError
from tandem.batching.service_time import ServiceTime, fit_line


def test_a_line_is_tabled() -> None:
    service = ServiceTime.linear(0.004, 0.008, 3)
    assert service.seconds == pytest.approx((0.012, 0.020, 0.028))
    assert service.capacity_per_s(2, 3) == pytest.approx(300)


@pytest.mark.parametrize(
    ("alpha", "beta", "word"),
    [
        (-1.0, 1.0, "alpha"),
        (1.0, -1.0, "beta"),
        (math.nan, 1.0, "alpha"),
        (1.0, math.inf, "beta"),
        (0, 0, "both"),
    ],
)
def test_a_line_that_cannot_be_is_refused(alpha: float, beta: float, word: str) -> None:
    with pytest.raises(InvalidServiceTimeError, match=word):
        ServiceTime.linear(alpha, beta, 2)


@pytest.mark.parametrize("seconds", [(), (0.0,), (0.01, -1.0), (math.nan,)])
def test_a_table_that_cannot_be_is_refused(seconds: tuple[float, ...]) -> None:
    with pytest.raises(InvalidServiceTimeError):
        ServiceTime(seconds)


def test_times_outside_the_table_are_not_invented() -> None:
    with pytest.raises(InvalidServiceTimeError, match="ends at 2"):
        ServiceTime((0.01, 0.02)).of(3)


def test_an_exact_line_is_found_again() -> None:
    fit = fit_line([1, 2, 4, 8], [0.005 + 0.003 * b for b in (1, 2, 4, 8)])
    assert fit.alpha_s == pytest.approx(0.005)
    assert fit.beta_s == pytest.approx(0.003)
    assert fit.worst_relative < 1e-9
    assert not fit.bad


def test_the_standard_errors_cover_the_truth() -> None:
    generator = np.random.default_rng(5)
    sizes = np.arange(1, 17)
    covered = 0
    for _ in range(400):
        fit = fit_line(sizes, (0.004 + 0.002 * sizes) * (1 + 0.02 * generator.standard_normal(16)))
        covered += abs(fit.beta_s - 0.002) < 2.145 * fit.beta_error_s  # t(14), 95 %
    assert 0.91 < covered / 400 < 0.985


def test_a_staircase_is_called_a_bad_line() -> None:
    assert fit_line([1, 2, 3, 4, 5, 6, 7, 8], [10, 10, 10, 10, 30, 30, 30, 30]).bad


def test_a_negative_alpha_is_called_bad() -> None:
    assert fit_line([1, 2, 3], [0.9, 1.95, 3.0]).bad


@pytest.mark.parametrize(("sizes", "seconds"), [([2], [0.1]), ([2, 2], [0.1, 0.1]), ([1, 2], [0.1, 0.0])])
def test_what_cannot_be_fitted_says_so(sizes: list[int], seconds: list[float]) -> None:
    with pytest.raises(InvalidServiceTimeError):
        fit_line(sizes, seconds)
