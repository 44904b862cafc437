"""What an ensemble did, kept in a file, so that a changed model can be judged on the same minutes.

A virtual machine is never the same again: two runs differ by more than most changes of the model make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import InvalidInputError
from tandem.batching.measure.perf_analyzer import Trace
from tandem.batching.plan.measured import Measured

BOOTSTRAP = 2000

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A load in one turn.

    Attributes:
        sent_s: when each request was sent, seconds from the first, rising.
        latency_s: until its answer, seconds.
        slowed: by how much batches took longer than just before, as a share, averaged over the steps.
        bystanders: processors that others used.
        after: the place of the calibration just before it; the next one was made just after it.
    """

    sent_s: tuple[float, ...]
    latency_s: tuple[float, ...]
    slowed: float
    bystanders: float
    after: int

    @property
    def trace(self) -> Trace:
        """Its requests."""
        return Trace(np.array(self.sent_s), np.array(self.latency_s))

    @property
    def mean_s(self) -> float:
        """Mean latency, seconds; with the start: the prediction begins on an empty server, too."""
        return float(np.mean(self.latency_s))


@dataclass(frozen=True, kw_only=True)
class Recording:
    """An ensemble's calibrations and runs, which took turns.

    Attributes:
        capacity_per_s: measured items a second of the full server.
        capacity_bystanders: processors that others used meanwhile.
        calibrations: all, in order; the first `before` of them were made beside the measured capacity.
        before: how many.
        loads: shares of the capacity.
        runs: for each load those of every turn.
    """

    capacity_per_s: float
    capacity_bystanders: float
    calibrations: tuple[Measured, ...]
    before: int
    loads: tuple[float, ...]
    runs: tuple[tuple[Run, ...], ...]

    def beside(self, runs: Sequence[Run]) -> tuple[Measured, ...]:
        """The calibrations before, between and after a load's runs."""
        return self.calibrations[runs[0].after : runs[-1].after + 2]

    def save(self, path: Path) -> None:
        """Write it to a file (MessagePack)."""
        path.write_bytes(msgspec.msgpack.encode(self))


def half_width_s(means: Floats) -> float:
    """Half of the 95 % interval of the turns' median, were other turns drawn from those that ran."""
    draws = np.random.default_rng(0).integers(0, len(means), (BOOTSTRAP, len(means)))
    low, high = np.quantile(np.median(means[draws], axis=1), (0.025, 0.975))
    return float(high - low) / 2


def load_recording(path: Path) -> Recording:
    """A recording that was saved.

    Raises:
        InvalidInputError: there is none, or the file holds something else.
    """
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Recording)
    except OSError as error:
        raise InvalidInputError(f"no recording at {path}: {error.strerror}; --out DIR makes one") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise InvalidInputError(f"{path} is no recording of this version: {error}") from None
