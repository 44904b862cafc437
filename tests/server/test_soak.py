"""A short soak; the long one is `scripts/soak --minutes 30`."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from tandem.evaluation.soak import Report, soak
from tandem.runtime.server import TritonServer

_LOG = logging.getLogger(__name__)
MINUTES = 5
# A leak of one thumbnail (0.4 MB) a picture would be far more at any rate; allocators move by less.
SLOPE_BYTES_PER_MINUTE = 4 * 2**20


def test_a_leak_shows_in_the_slope() -> None:
    times = [float(second) for second in range(0, 600, 10)]
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 2**20, len(times))
    leaking = [
        int(100 * 2**20 + 2**20 * second / 60 + rest) for second, rest in zip(times, noise, strict=True)
    ]
    still = [int(100 * 2**20 + rest) for rest in noise]
    slopes = Report(times_s=times, memory={"leaking": leaking, "still": still}).slopes()
    assert slopes["leaking"] == pytest.approx(2**20, rel=0.25)
    assert abs(slopes["still"]) < 2**18


@pytest.mark.slow
@pytest.mark.triton
def test_five_minutes_of_mixed_load_leak_nothing(triton_server: TritonServer) -> None:
    report = soak(triton_server, MINUTES * 60)
    _LOG.info("\n%s", "\n".join(report.lines()))
    assert set(report.outcomes) <= {"read", "no card", "BadPictureError"}
    assert report.outcomes["read"] > 0
    assert max(report.slopes().values()) < SLOPE_BYTES_PER_MINUTE
