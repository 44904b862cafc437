"""How long a batch of b items occupies an instance: s(b), a line alpha + beta b or a measured table."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.batching.errors import InvalidServiceTimeError

# A line whose worst residual is above this share of the measured time is called bad: a 10 % error of s(b)
# near 85 % load moves the predicted wait by more than half.
LINEAR_TOLERANCE = 0.10


@dataclass(frozen=True, kw_only=True)
class LinearFit:
    """alpha + beta b fitted to a table by least squares.

    Attributes:
        alpha_s: cost of a batch, seconds (the patent's zeta).
        beta_s: cost of an item, seconds (the patent's xi).
        alpha_error_s: standard error of `alpha_s`; nan for fewer than three points.
        beta_error_s: standard error of `beta_s`; nan for fewer than three points.
        worst_relative: largest |fit - measured| / measured, 0 or more.
    """

    alpha_s: float
    beta_s: float
    alpha_error_s: float
    beta_error_s: float
    worst_relative: float

    @property
    def bad(self) -> bool:
        """True where the table should be used instead of the line."""
        return self.worst_relative > LINEAR_TOLERANCE or self.alpha_s < 0 or self.beta_s < 0


@dataclass(frozen=True)
class ServiceTime:
    """Service times of batches of 1 to `max_batch` items.

    Attributes:
        seconds: `seconds[b - 1]` is s(b) in seconds; positive and finite.
    """

    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.seconds:
            raise InvalidServiceTimeError("a service time needs at least s(1)")
        for size, value in enumerate(self.seconds, start=1):
            if not (math.isfinite(value) and value > 0):
                raise InvalidServiceTimeError(
                    f"s({size}) = {value} s is not a positive time; measure again or give alpha + beta > 0"
                )

    @classmethod
    def linear(cls, alpha_s: float, beta_s: float, max_batch: int) -> ServiceTime:
        """s(b) = alpha + beta b for b = 1 to `max_batch`.

        Raises:
            InvalidServiceTimeError: alpha or beta is negative or not finite, or both are zero.
        """
        for name, value in (("alpha", alpha_s), ("beta", beta_s)):
            if not (math.isfinite(value) and value >= 0):
                raise InvalidServiceTimeError(f"{name} = {value * 1e3:g} ms; it must be 0 or more")
        if alpha_s + beta_s <= 0:
            raise InvalidServiceTimeError("alpha and beta are both 0; at least one must be above 0")
        if max_batch < 1:
            raise InvalidServiceTimeError(f"the largest batch is {max_batch}; it must be 1 or more")
        return cls(tuple(alpha_s + beta_s * size for size in range(1, max_batch + 1)))

    @property
    def max_batch(self) -> int:
        """Largest batch whose time is known."""
        return len(self.seconds)

    def of(self, size: int) -> float:
        """s(size) in seconds.

        Raises:
            InvalidServiceTimeError: size is not in 1 to `max_batch`.
        """
        if not 1 <= size <= self.max_batch:
            raise InvalidServiceTimeError(f"s({size}) is not known; the table ends at {self.max_batch}")
        return self.seconds[size - 1]

    def table(self, max_batch: int) -> NDArray[np.float64]:
        """`(max_batch,)` float64: s(1) to s(max_batch), seconds."""
        self.of(max_batch)
        return np.asarray(self.seconds[:max_batch], np.float64)

    def capacity_per_s(self, max_batch: int, instances: int) -> float:
        """Items a second that `instances` can serve in batches of `max_batch`: c M / s(M)."""
        return instances * max_batch / self.of(max_batch)


def fit_line(sizes: ArrayLike, seconds: ArrayLike) -> LinearFit:
    """Least-squares alpha and beta with standard errors.

    Residuals are weighted by 1/s, so that a relative error counts the same at every batch size.

    Args:
        sizes: `(n,)` batch sizes, at least two different ones.
        seconds: `(n,)` measured service times, seconds, positive.

    Raises:
        InvalidServiceTimeError: fewer than two sizes, or times that are not positive.
    """
    size, time = np.asarray(sizes, np.float64), np.asarray(seconds, np.float64)
    if len(np.unique(size)) < 2:
        raise InvalidServiceTimeError(
            "alpha and beta need the times of at least two batch sizes; raise max_batch_size"
        )
    if not (np.isfinite(time).all() and (time > 0).all()):
        raise InvalidServiceTimeError("a measured service time is not positive; measure again")
    design = np.stack([np.ones_like(size), size], axis=1) / time[:, None]  # (n, 2)
    normal = np.linalg.inv(design.T @ design)
    alpha, beta = normal @ design.sum(axis=0)
    residual = (alpha + beta * size) / time - 1
    free = len(size) - 2
    errors = np.sqrt(np.diag(normal) * (residual @ residual) / free) if free > 0 else np.full(2, np.nan)
    return LinearFit(
        alpha_s=float(alpha),
        beta_s=float(beta),
        alpha_error_s=float(errors[0]),
        beta_error_s=float(errors[1]),
        worst_relative=float(np.abs(residual).max()),
    )
