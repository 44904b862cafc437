"""Does confidence mean something? Accuracy by confidence, and from which one on a field may be believed.

Shares are given with the exact (Clopper–Pearson) interval: Clopper and Pearson, "The use of confidence or
fiducial limits illustrated in the case of the binomial", Biometrika 26 (1934).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from tandem.evaluation.readings import FieldReading, PhotoReading

LEVEL = 0.95  # of the intervals
# Most fields have a confidence near 1, and it is there that a user's threshold lies: so the bins get finer
# towards it.
BIN_EDGES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
# Thresholds that are tried: 0 (all that was read), then ever closer to 1.
THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.985, 0.99, 0.993, 0.995, 0.997, 0.998, 0.999)


def interval(hits: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """The two-sided exact confidence interval of a share; (0, 1) without trials.

    >>> low, high = interval(0, 100)
    >>> low, round(high, 4)
    (0.0, 0.0362)
    """
    if trials == 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, hits, trials - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(1 - tail, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high


def upper_bound(hits: int, trials: int, level: float = LEVEL) -> float:
    """The one-sided exact upper bound of a share: of none in n it is about 3 / n ("rule of three").

    >>> round(upper_bound(0, 2995), 6)
    0.001
    """
    return interval(hits, trials, 1 - 2 * (1 - level))[1]


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Fields whose confidence lies in one range.

    Attributes:
        low: of the range, inclusive.
        high: exclusive, but for 1.
        confidence: their mean confidence.
        right: how many were read as printed.
        fields: how many there are.
    """

    low: float
    high: float
    confidence: float
    right: int
    fields: int


def read_fields(readings: Iterable[PhotoReading], name: str) -> list[FieldReading]:
    """The readings of a field that are not empty and not under a stamp: those that a user could accept."""
    return [
        card.fields[name]
        for reading in readings
        for card in reading.cards
        if name in card.fields and name not in card.covered and card.fields[name].read
    ]


def reliability(fields: Sequence[FieldReading], edges: Sequence[float] = BIN_EDGES) -> list[Bin]:
    """Accuracy by confidence; empty ranges are left out."""
    confidences = np.array([field.confidence for field in fields])
    right = np.array([field.right for field in fields], bool)
    places = np.clip(np.searchsorted(edges, confidences, side="right") - 1, 0, len(edges) - 2)
    return [
        Bin(
            low=low,
            high=high,
            confidence=float(confidences[places == i].mean()),
            right=int(right[places == i].sum()),
            fields=int((places == i).sum()),
        )
        for i, (low, high) in enumerate(pairwise(edges))
        if (places == i).any()
    ]


def calibration_error(fields: Sequence[FieldReading]) -> float:
    """Expected calibration error: |accuracy - confidence| of the bins, weighted by their fields (0-1).

    Source: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
    2015.
    """
    bins = reliability(fields)
    total = sum(own.fields for own in bins)
    return sum(abs(own.right / own.fields - own.confidence) * own.fields for own in bins) / max(total, 1)


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What accepting a field from a confidence on means.

    Attributes:
        threshold: the confidence.
        accepted: how many fields have it.
        offered: how many fields there were, empty ones included.
        wrong: how many of the accepted ones are not as printed.
    """

    threshold: float
    accepted: int
    offered: int
    wrong: int

    @property
    def wrong_bound(self) -> float:
        """The upper bound (95 %, one-sided, exact) of the share of wrong ones among the accepted."""
        return upper_bound(self.wrong, self.accepted)


def accept(fields: Iterable[FieldReading], offered: int, threshold: float) -> Acceptance:
    """Accept the fields that were read with at least this confidence."""
    accepted = [field for field in fields if field.read and field.confidence >= threshold]
    return Acceptance(
        threshold=threshold,
        accepted=len(accepted),
        offered=offered,
        wrong=sum(not field.right for field in accepted),
    )


def lowest_threshold(fields: Sequence[FieldReading], offered: int) -> Acceptance | None:
    """The lowest of `THRESHOLDS` from which on no accepted field is wrong; None if there is none.

    Choosing among several thresholds flatters the one chosen: judge it by photographs that it was not
    chosen by (`accept`).
    """
    tried = (accept(fields, offered, threshold) for threshold in THRESHOLDS)
    return next((own for own in tried if own.accepted and not own.wrong), None)
