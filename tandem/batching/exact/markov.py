"""Stationary distribution of chains that lose `skip` and gain a Poisson number of items at every step."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tandem.batching.exact.poisson import poisson_length, poisson_pmf

# exp(-TAIL) is the probability that is cut off behind the last state.
TAIL = 32.0


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

    States are censored from the last to the first (Grassmann, Taksar and Heyman, Oper. Res. 33, 1985):
    without a subtraction, so every probability keeps its relative accuracy, however small; and within the
    band, so the work is proportional to the number of states.

    Args:
        boundary: `(m, width)` rows that sum to 1, m ≥ skip.
        skip: items lost a step, 1 or more.
        arrivals: mean number gained a step, below `skip`.
    """
    pmf = poisson_pmf(arrivals, poisson_length(arrivals))
    rows, width = boundary.shape
    states = rows + width + len(pmf) + math.ceil(TAIL / tail_decay(arrivals, skip))
    down, up = max(skip, rows - 1), max(len(pmf) - 1 - skip, width - 1)
    moves = _banded_view(states, down, up)
    moves[:rows, :width] = boundary
    band = np.arange(rows, states)
    for gain, probability in enumerate(pmf):
        target = band - skip + gain
        inside = target < states
        moves[band[inside], target[inside]] += probability
    # What would jump behind the last state stays out: censoring divides each row by what it keeps.
    for state in range(states - 1, 0, -1):
        low, first = max(state - down, 0), max(state - up, 0)
        fall = moves[state, low:state]
        rise = moves[first:state, state]
        rise /= fall.sum()
        moves[first:state, low:state] += rise[:, None] * fall
    weights = np.zeros(states)
    weights[0] = 1.0
    for state in range(1, states):
        first = max(state - up, 0)
        weights[state] = weights[first:state] @ moves[first:state, state]
    return weights / float(weights.sum())


def _banded_view(states: int, down: int, up: int) -> NDArray[np.float64]:
    """A zero `(states, states)` matrix; only its band -down ≤ column - row ≤ up is stored, and may be used.

    Row i of the storage holds columns i - down … i + up; read with a stride one shorter, the same memory is a
    matrix.
    """
    stride = down + up
    memory = np.zeros(states * (stride + 1) + states + down)
    size = memory.itemsize
    return np.lib.stride_tricks.as_strided(memory[down:], (states, states), (stride * size, size))
