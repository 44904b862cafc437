from __future__ import annotations

import numpy as np
import pytest

from tandem.batching.exact import markov
from tandem.batching.exact.poisson import poisson_length, poisson_pmf


def chain_of_single_items(load: float) -> np.ndarray:
    pmf = poisson_pmf(load, poisson_length(load))
    return markov.stationary((pmf / pmf.sum())[None], 1, load)


@pytest.mark.parametrize("load", [0.05, 0.6, 0.97])
def test_the_chain_of_md1_has_its_known_law(load: float) -> None:
    law = chain_of_single_items(load)
    assert law.sum() == pytest.approx(1)
    assert law[0] == pytest.approx(1 - load, rel=1e-9)
    assert law[1] == pytest.approx((1 - load) * (np.exp(load) - 1), rel=1e-9)
    assert law @ np.arange(len(law)) == pytest.approx(load + load**2 / (2 * (1 - load)), rel=1e-9)


def test_the_law_is_that_of_the_same_chain_as_a_full_matrix() -> None:
    """Boundary rows of their own, three lost a step; a power of the transition matrix is the reference."""
    generator = np.random.default_rng(8)
    boundary = generator.random((4, 7))
    boundary /= boundary.sum(axis=1, keepdims=True)
    law = markov.stationary(boundary, 3, 1.2)
    states = 80
    moves = np.zeros((states, states))
    moves[:4, :7] = boundary
    pmf = poisson_pmf(1.2, 40)
    for state in range(4, states):
        for gain, probability in enumerate(pmf):
            moves[state, min(state - 3 + gain, states - 1)] += probability
    reference = np.linalg.matrix_power(moves, 4096)[0]
    np.testing.assert_allclose(law[:states], reference[: len(law[:states])], atol=1e-12)


@pytest.mark.parametrize(("arrivals", "skip"), [(0.5, 1), (1.9, 2), (15.9, 16)])
def test_the_tail_decays_by_the_root(arrivals: float, skip: int) -> None:
    log_root = markov.tail_decay(arrivals, skip)
    assert log_root > 0
    assert skip * log_root == pytest.approx(arrivals * np.expm1(log_root), rel=1e-9)
