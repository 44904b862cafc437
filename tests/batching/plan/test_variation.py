"""How much the times of a simulated server's batches were made to vary comes out of what it tells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tandem.batching.measure.batch_statistics import Counts
from tandem.batching.measure.in_place import SPAN_S, Company
from tandem.batching.plan import variation
from tandem.batching.plan.variation import FEWEST_SPANS, unexplained
from tandem.batching.simulate.ensemble import Ensemble, ensemble_latencies
from tandem.batching.simulate.rounds import service_factors
from tests.batching.plan.test_contention import TRUTH, ensemble

RATE_PER_S = 40.0


def arrivals(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).exponential(1 / RATE_PER_S, count).cumsum()


def company(server: Ensemble, sent: np.ndarray, factors: np.ndarray) -> Company:
    """What a server of that kind tells of half seconds, and of all of them together."""
    log = np.zeros((len(server.stations), len(sent), 3))
    ensemble_latencies(server, sent, factors, log=log)
    ends = np.arange(SPAN_S, sent[-1], SPAN_S)
    spans = []
    for begin, end in zip(ends - SPAN_S, ends, strict=True):
        steps = []
        for batches in log:
            ran = batches[(batches[:, 0] > begin) & (batches[:, 0] <= end)]
            sizes = {int(size): ran[ran[:, 2] == size, 1] for size in np.unique(ran[:, 2])}
            steps.append({size: (len(took), float(took.sum())) for size, took in sizes.items()})
        spans.append((float(end), tuple(steps)))
    return Company(sent_s=tuple(sent.tolist()), ran=({},) * len(log), spans=tuple(spans))


def server() -> Ensemble:
    return replace(ensemble(), contention=TRUTH)


@pytest.mark.parametrize("spread", [0.15, 0.3, 0.5])
def test_what_was_put_in_comes_out(spread: float) -> None:
    factors = service_factors(spread, np.random.default_rng(7))
    found = unexplained(server(), [company(server(), arrivals(6000), factors)])
    assert found[:2] == pytest.approx((spread,) * 2, rel=0.25)
    # The last step takes three times as long beside others: how long those run makes it vary as well.
    assert 0.8 * spread < found[2] < spread + 0.35


def test_the_simulation_is_counted_in_the_spans_in_which_the_server_was() -> None:
    told = company(server(), arrivals(1000), np.ones(1))
    assert len(told.spans) > 40
    for real, ours in zip(variation._measured(told), variation._simulated(server(), told), strict=True):
        assert ours == pytest.approx(real)


def test_company_alone_is_no_variation() -> None:
    told = company(server(), arrivals(4000), np.ones(1))
    assert max(unexplained(server(), [told])) < 0.02


def test_a_machine_that_is_slow_for_seconds_varies_more_than_its_batches() -> None:
    told = company(server(), arrivals(4000), np.ones(1))
    # every other second takes a tenth longer: no batch differs from its neighbour, but sums do
    slow = [
        (end, tuple(
            {size: (count, took * (1.1 if int(end) % 2 else 1.0)) for size, (count, took) in step.items()}
            for step in steps
        ))
        for end, steps in told.spans
    ]  # fmt: skip
    (first, second, _) = unexplained(server(), [replace(told, spans=tuple(slow))])
    batches_a_span = RATE_PER_S * SPAN_S / 1.5
    assert first == pytest.approx(0.05 * np.sqrt(batches_a_span), rel=0.35)
    assert second > 0.1


def test_stretches_count_alike_and_those_without_spans_not_at_all() -> None:
    factors = service_factors(0.3, np.random.default_rng(8))
    told = company(server(), arrivals(3000), factors)
    full = Company(sent_s=(0.0,) * 600, in_flight=12, ran=told.ran)
    assert unexplained(server(), [full, told]) == unexplained(server(), [told])
    assert unexplained(server(), [full]) == ()
    steady = company(server(), arrivals(3000), np.ones(1))
    both = np.array(unexplained(server(), [told, steady]))
    assert both**2 == pytest.approx(np.array(unexplained(server(), [told])) ** 2 / 2, abs=1e-3)


def test_too_few_spans_tell_nothing() -> None:
    told = company(server(), arrivals(400), np.ones(1))
    few = replace(told, spans=told.spans[: FEWEST_SPANS - 1])
    assert unexplained(server(), [few]) == ()
    assert len(unexplained(server(), [replace(told, spans=told.spans[:FEWEST_SPANS])])) == 3


def test_a_server_that_did_nothing_in_all_spans_tells_no_variation() -> None:
    told = company(server(), arrivals(1000), np.ones(1))
    nothing: Counts = {}
    idle = tuple((end, (nothing,) * 3) for end, _ in told.spans)
    assert unexplained(server(), [replace(told, spans=idle)]) == (0.0, 0.0, 0.0)


def test_every_batch_is_in_the_log() -> None:
    sent = arrivals(500)
    log = np.zeros((3, len(sent), 3))
    latency, _, sizes, spent = ensemble_latencies(server(), sent, np.ones(1), log=log)
    for station in range(3):
        ran = log[station][log[station, :, 2] > 0]
        assert np.all(np.diff(ran[:, 0]) >= 0)
        for size in (1, 2):
            chosen = ran[ran[:, 2] == size]
            assert len(chosen) == sizes[station, size - 1]
            assert chosen[:, 1].sum() == pytest.approx(spent[station, size - 1])
    assert log[2, :, 0].max() == pytest.approx((sent + latency).max())


def test_a_short_log_keeps_the_first_batches() -> None:
    sent = arrivals(200)
    whole, short = np.zeros((3, len(sent), 3)), np.zeros((3, 10, 3))
    ensemble_latencies(server(), sent, np.ones(1), log=whole)
    ensemble_latencies(server(), sent, np.ones(1), log=short)
    assert np.array_equal(short, whole[:, :10])
