"""Stationary distribution of chains that lose `skip` and gain a Poisson number of items at every step."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tandem.batching.poisson import poisson_length, poisson_pmf

# exp(-TAIL) is the probability that is cut off behind the last state.
TAIL = 36.0
# Up to so many states a dense solve is faster than importing scipy for a banded one.
DENSE_STATES = 500


def tail_decay(arrivals: float, skip: int) -> float:
    """Logarithm ln z of the root z > 1 of z^skip = exp(arrivals (z - 1)): the tail falls like z^-n.

    Args:
        arrivals: mean number gained a step, 0 < arrivals < skip.
        skip: number lost a step.
    """
    low, high = 0.0, 1.0
    while skip * high > arrivals * math.expm1(high):
        low, high = high, 2 * high
    for _ in range(100):  # bisection in ln z: never leaves the bracket, and 100 halvings exhaust a double
        middle = (low + high) / 2
        low, high = (middle, high) if skip * middle > arrivals * math.expm1(middle) else (low, middle)
    return high


def stationary(boundary: NDArray[np.float64], skip: int, arrivals: float) -> NDArray[np.float64]:
    """Stationary probabilities of states 0, 1, 2 …, `(n,)` float64, sum 1.

    From state i ≥ len(boundary) the chain goes to i - skip + Poisson(arrivals); from state i < len(boundary)
    to j with probability boundary[i, j].

    Args:
        boundary: `(m, width)` rows that sum to 1, m ≥ skip.
        skip: items lost a step, 1 or more.
        arrivals: mean number gained a step, below `skip`.
    """
    pmf = poisson_pmf(arrivals, poisson_length(arrivals))
    depth = math.ceil(TAIL / tail_decay(arrivals, skip))
    states = boundary.shape[0] + boundary.shape[1] + len(pmf) + depth
    solve = _solve_dense if states <= DENSE_STATES else _solve_banded
    weights = np.maximum(solve(boundary, skip, pmf, states, _likely_state(boundary)), 0.0)
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _likely_state(boundary: NDArray[np.float64]) -> int:
    """A state of the boundary near the middle of the mass: where the chain's mean drift comes to rest.

    The solvers fix its weight to 1 and drop its equation; a state that is hardly ever visited would make all other
    weights overflow.
    """
    drift = boundary @ np.arange(boundary.shape[1])
    state = 0
    for _ in range(len(boundary)):
        following = min(round(float(drift[state])), len(boundary) - 1)
        if following <= state:
            break
        state = following
    return state


def _solve_dense(
    boundary: NDArray[np.float64], skip: int, pmf: NDArray[np.float64], states: int, anchor: int
) -> NDArray[np.float64]:
    """Solution of p = pP with p[anchor] = 1, by elimination."""
    matrix = np.zeros((states, states))
    rows, width = boundary.shape
    matrix[:rows, :width] = boundary
    origin = np.arange(rows, states)
    for gain, probability in enumerate(pmf):
        target = np.minimum(origin - skip + gain, states - 1)
        matrix[origin, target] += probability
    system = np.eye(states) - matrix.T
    system[anchor] = 0.0
    system[anchor, anchor] = 1.0
    right = np.zeros(states)
    right[anchor] = 1.0
    solution: NDArray[np.float64] = np.linalg.solve(system, right)
    return solution


def _solve_banded(
    boundary: NDArray[np.float64], skip: int, pmf: NDArray[np.float64], states: int, anchor: int
) -> NDArray[np.float64]:
    """The same with O(states) work: the transposed system has `skip` diagonals above and the gains below."""
    from scipy.linalg import solve_banded  # noqa: PLC0415 - a late import: most questions need no scipy

    rows, width = boundary.shape
    lower, upper = max(len(pmf) - 1 - skip, width - 1, 0), max(skip, rows - 1)
    bands = np.zeros((lower + upper + 1, states))  # bands[upper + j - i, i] = system[j, i]
    bands[upper] = 1.0
    for row in range(rows):
        reached = np.arange(width)
        bands[upper + reached - row, row] -= boundary[row]
    origin = np.arange(rows, states)
    for gain, probability in enumerate(pmf):
        target = np.minimum(origin - skip + gain, states - 1)
        np.subtract.at(bands, (upper + target - origin, origin), probability)
    column = np.arange(max(anchor - lower, 0), min(anchor + upper + 1, states))
    bands[upper + anchor - column, column] = 0.0
    bands[upper, anchor] = 1.0
    right = np.zeros(states)
    right[anchor] = 1.0
    solution: NDArray[np.float64] = solve_banded((lower, upper), bands, right)
    return solution
