"""A latency distribution made of point masses and of smooth pieces, with exact mean and quantiles."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Relative width at which a quantile is found.
QUANTILE_TOLERANCE = 1e-7
# Pieces with less of the whole than this cannot move a figure that anyone reads.
NEGLIGIBLE_SHARE = 1e-13


def chebyshev_nodes(count: int) -> NDArray[np.float64]:
    """`(count,)` float64: Chebyshev points of the first kind, in (0, 1)."""
    nodes: NDArray[np.float64] = (np.cos(np.pi * (np.arange(count) + 0.5) / count) + 1) / 2
    return nodes


def node_count(items: float) -> int:
    """Chebyshev points that resolve, to 1e-10, a Poisson probability whose mean runs from 0 to `items`."""
    return 24 + int(1.5 * items)


class _Calculus(NamedTuple):
    """Linear maps from values at `chebyshev_nodes(n)` on a piece of length 1.

    Attributes:
        antiderivative: `(n + 1, n)` to the Chebyshev coefficients of the integral from the left end.
        to_nodes: `(n, n)` to the integral from the left end to every node.
        whole: `(n,)` to the integral.
        twice: `(n,)` to the integral of the integral.
    """

    antiderivative: NDArray[np.float64]
    to_nodes: NDArray[np.float64]
    whole: NDArray[np.float64]
    twice: NDArray[np.float64]


@lru_cache(maxsize=256)
def _calculus(nodes: int) -> _Calculus:
    order = np.arange(nodes)
    coefficients = 2 / nodes * np.cos(np.outer(order, np.pi * (order + 0.5) / nodes))
    coefficients[0] /= 2
    antiderivative = _integration(nodes) @ coefficients
    at_nodes: NDArray[np.float64] = np.cos(np.outer(np.pi * (order + 0.5) / nodes, np.arange(nodes + 1)))
    twice = _integration(nodes + 1) @ antiderivative
    # Every Chebyshev polynomial is 1 at the right end, so a value there is a sum of coefficients.
    to_nodes: NDArray[np.float64] = at_nodes @ antiderivative
    return _Calculus(antiderivative, to_nodes, antiderivative.sum(axis=0), twice.sum(axis=0))


def _integration(terms: int) -> NDArray[np.float64]:
    """`(terms + 1, terms)`: a series' coefficients to those of its integral from the left; length 1."""
    matrix = np.zeros((terms + 1, terms))
    for k in range(terms):  # ∫ T_k = T_(k+1) / (2(k+1)) - T_(k-1) / (2(k-1)); T_0 and T_1 apart
        matrix[k + 1, k] += 1.0 if k == 0 else 0.5 / (k + 1)
        if k >= 2:
            matrix[k - 1, k] -= 0.5 / (k - 1)
    matrix[0] -= ((-1.0) ** np.arange(terms + 1)) @ matrix
    return matrix / 2


def integral_to_end(values: NDArray[np.float64], length: float) -> tuple[float, NDArray[np.float64]]:
    """Integral of the polynomial through `values` over the whole piece, and from each node to the end.

    Args:
        values: `(nodes,)` at `chebyshev_nodes`.
        length: length of the piece.

    Returns:
        The whole integral, and `(nodes,)` the integrals from each node to the right end.
    """
    maps = _calculus(len(values))
    whole = float(maps.whole @ values) * length
    return whole, whole - maps.to_nodes @ values * length


class LatencyDistribution:
    """Sum of weighted atoms and densities; weights need not sum to 1, they are normalised at the end.

    A piece is a density on [start, start + length] given at Chebyshev points; its integral is exact for the
    polynomial through them.
    """

    def __init__(self) -> None:
        self._atoms: list[tuple[float, float]] = []
        self._pieces: list[tuple[NDArray[np.float64], float, NDArray[np.float64]]] = []
        self._first_moment = 0.0
        self._mass = 0.0

    def add_atom(self, latency_s: float, weight: float) -> None:
        """Put `weight` at one latency."""
        self._atoms.append((latency_s, weight))
        self._mass += weight
        self._first_moment += weight * latency_s

    def add_uniform(self, start_s: float, length_s: float, weight: float) -> None:
        """Spread `weight` (which may be negative: a correction) evenly over [start, start + length]."""
        self.add_pieces(np.array([start_s]), length_s, np.full((2, 1), weight / length_s))

    def add_pieces(
        self, starts_s: NDArray[np.float64], length_s: float, densities: NDArray[np.float64]
    ) -> None:
        """Add pieces of one length.

        Args:
            starts_s: `(pieces,)` where each begins, seconds.
            length_s: common length, seconds, above 0.
            densities: `(nodes, pieces)` weight a second at start + length × `chebyshev_nodes(nodes)`.
        """
        maps = _calculus(len(densities))
        masses = maps.whole @ densities * length_s
        keep = np.abs(masses) > NEGLIGIBLE_SHARE * max(np.abs(masses).max(initial=0.0), self._mass)
        if not keep.any():
            return
        densities, masses, starts = densities[:, keep], masses[keep], starts_s[keep]
        self._mass += float(masses.sum())
        self._first_moment += float(
            masses @ (starts + length_s) - (maps.twice @ densities).sum() * length_s**2
        )
        self._pieces.append((starts, length_s, maps.antiderivative @ densities * length_s))

    @property
    def mass(self) -> float:
        """Sum of all weights."""
        return self._mass

    @property
    def mean_s(self) -> float:
        """Mean latency, seconds."""
        return self._first_moment / self._mass

    def quantiles(self, *shares: float) -> list[float]:
        """Latencies, seconds, below which each share (0-1, rising) of the items stays."""
        degree = max((len(integral) for _, _, integral in self._pieces), default=1)
        integral = np.zeros((degree, sum(len(starts) for starts, _, _ in self._pieces)))
        starts, lengths = np.zeros(integral.shape[1]), np.ones(integral.shape[1])
        column = 0
        for begin, length, coefficients in self._pieces:
            block = slice(column, column + len(begin))
            starts[block], lengths[block], integral[: len(coefficients), block] = begin, length, coefficients
            column += len(begin)
        atoms, masses, order = np.array(self._atoms).reshape(-1, 2), integral.sum(axis=0), np.arange(degree)

        def cumulative(latency_s: float) -> float:
            place = (latency_s - starts) / lengths
            inside = (place > 0) & (place < 1)
            angle = np.arccos(2 * place[inside] - 1)
            partial = (np.cos(order[:, None] * angle) * integral[:, inside]).sum()
            point = atoms[atoms[:, 0] <= latency_s, 1].sum()
            return float(masses[place >= 1].sum() + partial + point) / self._mass

        top = max(float((starts + lengths).max(initial=0.0)), float(atoms[:, 0].max(initial=0.0)))
        found = [0.0]
        for share in shares:
            found.append(invert(cumulative, share, found[-1], top))
        return found[1:]


def invert(cumulative: Callable[[float], float], share: float, low: float, high: float) -> float:
    """Smallest latency whose cumulative share reaches `share`, found inside [low, high].

    Regula falsi with the Illinois rule, and a bisection every fourth step, which a jump of the distribution
    needs.
    """
    below, above = cumulative(low) - share, cumulative(high) - share
    if below >= 0:
        return low
    if above <= 0:
        return high
    side, step, tolerance = 0, 0, QUANTILE_TOLERANCE * high
    while high - low > tolerance:
        step += 1
        middle = (low + high) / 2 if step % 4 == 0 else (low * above - high * below) / (above - below)
        middle = min(max(middle, low + tolerance / 4), high - tolerance / 4)
        value = cumulative(middle) - share
        if value >= 0:
            high, above, below = middle, value, below / 2 if side == 1 else below
            side = 1
        else:
            low, below, above = middle, value, above / 2 if side == -1 else above
            side = -1
    return high
