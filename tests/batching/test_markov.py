from __future__ import annotations

import numpy as np
import pytest

from tandem.batching import markov
from tandem.batching.poisson import poisson_length, poisson_pmf


def chain_of_single_items(load: float) -> np.ndarray:  # type: ignore[type-arg]
    pmf = poisson_pmf(load, poisson_length(load))
    return markov.stationary((pmf / pmf.sum())[None], 1, load)


@pytest.mark.parametrize("load", [0.05, 0.6, 0.97])
def test_the_chain_of_md1_has_its_known_law(load: float) -> None:
    law = chain_of_single_items(load)
    assert law.sum() == pytest.approx(1)
    assert law[0] == pytest.approx(1 - load, rel=1e-9)
    assert law[1] == pytest.approx((1 - load) * (np.exp(load) - 1), rel=1e-9)
    assert law @ np.arange(len(law)) == pytest.approx(load + load**2 / (2 * (1 - load)), rel=1e-9)


def test_dense_and_banded_solutions_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = chain_of_single_items(0.7)
    monkeypatch.setattr(markov, "DENSE_STATES", 0)
    np.testing.assert_allclose(chain_of_single_items(0.7), dense, atol=1e-14)


@pytest.mark.parametrize(("arrivals", "skip"), [(0.5, 1), (1.9, 2), (15.9, 16)])
def test_the_tail_decays_by_the_root(arrivals: float, skip: int) -> None:
    log_root = markov.tail_decay(arrivals, skip)
    assert log_root > 0
    assert skip * log_root == pytest.approx(arrivals * np.expm1(log_root), rel=1e-9)
