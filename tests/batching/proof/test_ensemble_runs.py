"""How long an ensemble is run, and which calibrations its runs are held against; without a server."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tandem.batching.errors import InvalidInputError
from tandem.batching.measure.calibrate import Calibration
from tandem.batching.measure.live_model import LiveModel
from tandem.batching.plan.measured import Measured
from tandem.batching.proof import ensemble_runs
from tandem.batching.proof.ensemble_proof import judge
from tandem.batching.proof.ensemble_runs import EnsembleSubject, record
from tandem.batching.proof.recording import Recording, Run, load_recording
from tandem.batching.service_time import ServiceTime

# So far apart that items never wait for each other.
SENT = tuple((1e4 * np.arange(50.0)).tolist())


def calibration(number: int) -> Measured:
    """One that says a lone item takes `number` seconds at each of two steps."""
    model = LiveModel(
        name="whole", max_batch=1, batches=True, instances=1, delay_us=0, on_cpu=True,
        inputs=(), outputs=(), steps=(),
    )  # fmt: skip
    step = Calibration(
        model=model, service=ServiceTime((float(number),)), spread_s=(0.0,), samples=(3,), gaps_s=(0.0,),
        slowdown=1.0, transport_s=0.0, fit=None, took_s=1.0, demand=(0.0,),
    )  # fmt: skip
    return Measured(model=model, steps=(step, step), transport_s=0.0, processors=math.inf)


@pytest.fixture
def subject(monkeypatch: pytest.MonkeyPatch) -> EnsembleSubject:
    """At 0.3 every turn's mean is the same; at 0.8 turns differ by half, and by nothing from the 13th on."""
    numbers = iter(range(1, 1000))
    heavy = iter([*([1.0, 1.5] * 6), *([1.25] * 100)])

    def run(_subject: object, calibrations: list[Measured], rate_per_s: float, _count: int) -> Run:
        mean = 1.0 if rate_per_s < 5 else next(heavy)
        return Run(
            sent_s=SENT,
            latency_s=(mean,) * len(SENT),
            slowed=0.0,
            bystanders=0.0,
            after=len(calibrations) - 1,
        )

    monkeypatch.setattr(ensemble_runs, "SETTLE_S", 0.0)
    monkeypatch.setattr(ensemble_runs, "_run", run)
    capacities = iter([(4.0, 0.0), (10.0, 0.5), (90.0, 0.0)])
    monkeypatch.setattr(ensemble_runs, "_undisturbed_capacity", lambda *_: next(capacities))
    return EnsembleSubject(
        client=None, url="", calibrate=lambda: calibration(next(numbers)), pictures=[], clock=dict
    )


def recorded(subject: EnsembleSubject, most_turns: int = 40) -> Recording:
    return record(subject, (0.3, 0.8), requests=1, seconds=1, capacity_s=1, turns=3, most_turns=most_turns)


def test_a_load_runs_until_its_mean_is_known(subject: EnsembleSubject) -> None:
    ran = recorded(subject)
    assert ran.capacity_per_s == 10.0
    light, heavy = ran.runs
    assert len(light) == 3
    assert 12 < len(heavy) < 40
    assert ensemble_runs.known(heavy)
    assert not ensemble_runs.known(heavy[:-1])
    assert len(ran.calibrations) == 3 + len(light) + len(heavy)  # and none is left out


def test_a_load_that_never_gets_steady_ends(subject: EnsembleSubject) -> None:
    assert [len(runs) for runs in recorded(subject, most_turns=5).runs] == [3, 5]
    with pytest.raises(InvalidInputError, match="0 turns"):
        record(subject, (0.3,), requests=1, seconds=1, capacity_s=1, turns=0)


def test_runs_are_held_against_the_calibrations_around_them(subject: EnsembleSubject) -> None:
    ran = recorded(subject, most_turns=5)
    light, heavy = ran.runs
    said = lambda runs: [found.steps[0].service.of(1) for found in ran.beside(runs)]  # noqa: E731
    # three, then 0.3 and 0.8 in turn with one behind each, then 0.8 alone
    assert said(light) == [3, 4, 5, 6, 7, 8]
    assert said(heavy) == [4, 5, 6, 7, 8, 9, 10, 11]
    rows = judge(ran)
    assert rows[0].calibrations == pytest.approx([6, 8, 10, 12, 14, 16])  # two steps each
    assert rows[1].full.mean_s == pytest.approx(2 * np.median(said(heavy)))


def test_a_recording_comes_back_whole(subject: EnsembleSubject, tmp_path: Path) -> None:
    ran = recorded(subject)
    ran.save(tmp_path / "whole.msgpack")
    assert load_recording(tmp_path / "whole.msgpack") == ran
    assert math.isinf(load_recording(tmp_path / "whole.msgpack").calibrations[0].processors)
