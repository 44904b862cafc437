"""`--watch`: what counters tell, and a real server whose load triples."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tandem.batching.__main__ import main
from tandem.batching.commands.watch import judge, metrics_text, verdict_text
from tandem.batching.measure.caller import Caller
from tandem.batching.measure.live_model import LiveModel, Tensor, connect, describe_model
from tandem.batching.measure.samples import make_samples
from tandem.batching.measure.traffic_counts import Interval, Look, add_counts, between, service_from
from tandem.batching.proof.reference import ReferenceModel, write_reference_model
from tandem.runtime.server import TritonServer
from tests.conftest import StartTriton


def model(max_batch: int, delay_us: int = 0) -> LiveModel:
    return LiveModel(
        name="m", max_batch=max_batch, batches=True, instances=1, delay_us=delay_us, on_cpu=True,
        inputs=(Tensor(name="X", datatype="FP32", shape=(1,)),), outputs=(), steps=(),
    )  # fmt: skip


def interval(rate: float) -> Interval:
    return Interval(seconds=10, items=round(10 * rate), queued_s=0.004, batches={1: (100, 1.2), 2: (50, 1.0)})


def test_two_looks_make_an_interval() -> None:
    before = Look(items=100, queued_s=1.0, batches={1: (100, 1.2)})
    after = Look(items=400, queued_s=4.0, batches={1: (200, 2.4), 2: (100, 2.0)})
    found = between(before, after, 10)
    assert found.rate_per_s == 30
    assert found.queued_s == pytest.approx(0.01)
    assert {size: runs for size, (runs, _) in found.batches.items()} == {1: 100, 2: 100}
    assert [seconds for _, seconds in found.batches.values()] == pytest.approx([1.2, 2.0])
    assert found.mean_batch == pytest.approx(1.5)


def test_larger_batches_follow_from_the_line_through_those_that_were_seen() -> None:
    service, line = service_from({1: (100, 1.2), 2: (50, 1.0)}, 4)
    assert line is not None
    assert service.seconds == pytest.approx((0.012, 0.020, 0.028, 0.036))


def test_one_size_promises_nothing_of_larger_ones() -> None:
    service, line = service_from({2: (50, 1.0)}, 4)
    assert line is None
    assert service.seconds == pytest.approx((0.010, 0.020, 0.030, 0.040))


def test_old_batches_count_less() -> None:
    assert add_counts({1: (10.0, 1.0)}, {1: (4, 2.0), 2: (1, 0.1)}, 0.5) == {1: (9, 2.5), 2: (1, 0.1)}


@pytest.mark.parametrize(
    ("rate", "right", "words"),
    [
        (45, True, "is right"),
        (75, False, "CHANGE"),
        (105, False, "does not keep up"),
        (500, True, "add instances"),
    ],
)
def test_a_setting_is_right_until_the_load_grows(rate: float, right: bool, words: str) -> None:
    """alpha 4, beta 8 ms: two is within 5 % of the best at 45 a second, not at 75, and full at 100."""
    seen = interval(rate)
    verdict = judge(model(2), seen, {**seen.batches}, "mean", 4)
    assert verdict.right is right
    assert words in verdict_text(verdict, "mean")
    if rate == 75:
        assert verdict.regret == pytest.approx(0.061, abs=0.003)
        assert "max_batch_size: 4" in verdict_text(verdict, "mean")


def test_a_verdict_is_a_metric_too() -> None:
    seen = interval(75)
    text = metrics_text("m", judge(model(2), seen, {**seen.batches}, "mean", 4))
    values = {
        family.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values["tandem_plan_regret_ratio"] == pytest.approx(0.061, abs=0.003)
    assert values["tandem_plan_right"] == 0
    assert values["tandem_plan_best_batch"] == 4
    assert values["tandem_plan_rate_per_second"] == 75
    full = interval(105)
    assert 'ratio{model="m"} +Inf' in metrics_text("m", judge(model(2), full, {**full.batches}, "mean", 4))


def send(url: str, name: str, rates: list[float], seconds: float) -> tuple[int, float]:
    """Poisson arrivals, one rate after the other, the same at every call.

    Returns:
        How many, and their mean latency, seconds.
    """
    client = connect(url)
    served = describe_model(client, name)
    caller, generator = Caller(client, served, make_samples(served, [], {})), np.random.default_rng(1)
    sent: list[float] = []
    for rate in rates:
        until, due = time.monotonic() + seconds, time.monotonic()
        while due < until:
            time.sleep(max(due - time.monotonic(), 0.0))
            sent.append(time.perf_counter())
            caller.send()
            due += generator.exponential(1 / rate)
    answered = [caller.receive() for _ in sent]  # in any order: the mean needs no pairs
    return len(sent), float(np.mean(answered) - np.mean(sent))


def watch_a_load_that_triples(server: TritonServer, folder: Path) -> int:
    """Watch `served` while its load triples; gives how many items were sent."""
    sent: list[int] = []
    sender = threading.Thread(target=lambda: sent.append(send(server.grpc_url, "served", [9, 27], 12)[0]))
    sender.start()
    where = ["--url", server.grpc_url, "--model", "served", "--metrics-file", str(folder / "plan.prom")]
    assert main(["plan", "--watch", *where, "--every-s", "4", "--for-s", "23"]) == 0
    sender.join()
    return sent[0]


@pytest.mark.triton
def test_a_server_whose_load_triples_is_told_what_to_change(
    tmp_path: Path, start_triton: StartTriton, capsys: pytest.CaptureFixture[str]
) -> None:
    write_reference_model(tmp_path, ReferenceModel(name="served", alpha_ms=36, beta_ms=9, max_batch=2))
    server = start_triton(tmp_path)
    sent = watch_a_load_that_triples(server, tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert "served" not in lines[0]
    assert "is right" in lines[1]  # 9 a second: a load of 0.4, two is enough
    assert any("CHANGE: greedy, batches up to 2" in line for line in lines[3:])
    assert "tandem_plan_regret_ratio" in (tmp_path / "plan.prom").read_text()
    client = connect(server.grpc_url)
    answered = client.get_inference_statistics("served").model_stats[0].inference_count
    assert answered == sent  # the watcher itself asked for nothing


@pytest.mark.triton
@pytest.mark.slow
def test_what_it_says_runs_within_five_per_cent_of_a_sweeps_best(
    tmp_path: Path, start_triton: StartTriton, capsys: pytest.CaptureFixture[str]
) -> None:
    """The recommendation is applied: a model with its setting runs, beside models with all others."""
    before = ReferenceModel(name="served", alpha_ms=36, beta_ms=9, max_batch=2)
    write_reference_model(tmp_path / "one", before)
    watch_a_load_that_triples(start_triton(tmp_path / "one"), tmp_path)
    said = [line for line in capsys.readouterr().out.splitlines() if "CHANGE" in line][-1]
    found = re.search(r"max_batch_size: (\d+)  dynamic_batching \{ preferred_batch_size: \[ \1 ] }", said)
    assert found, said
    sizes = sorted({2, 3, 4, 6, 8, 16, int(found[1])})  # one by one does not keep up
    for size in sizes:
        model = ReferenceModel(name=f"m{size}", alpha_ms=36, beta_ms=9, max_batch=size)
        write_reference_model(tmp_path / "all", model)
    server = start_triton(tmp_path / "all")
    with ThreadPoolExecutor(len(sizes)) as pool:  # the models wait, they don't compute
        runs = pool.map(lambda size: send(server.grpc_url, f"m{size}", [27], 60)[1], sizes)
        means = dict(zip(sizes, runs, strict=True))
    assert means[int(found[1])] <= 1.05 * min(means.values()), means


def test_what_cannot_be_watched_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--watch"]) == 1
    assert "--url and --model" in capsys.readouterr().err
