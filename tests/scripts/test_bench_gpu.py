"""The model repositories that `scripts/bench_gpu` measures: every model's batch, copies of the CPU steps."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from scripts import _bench_gpu as bench
from tandem.runtime.repository import read_config
from tandem.runtime.setup import REPOSITORY

COPIED = ("id_card", "decode_image", "rectify_cards", "text_recognizer", "translator")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five of the models, their configs alone."""
    for path in REPOSITORY.rglob("*.pbtxt"):
        name = path.relative_to(REPOSITORY).parts[0]
        if name in COPIED:
            target = tmp_path / "shipped" / path.relative_to(REPOSITORY)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    monkeypatch.setattr(bench, "REPOSITORY", tmp_path / "shipped")
    return tmp_path


def test_every_model_takes_the_batch_and_the_cpu_steps_have_copies(repository: Path) -> None:
    made = bench.with_batches(repository / "made", "gpu", 8, 3)
    decode = read_config(made / "decode_image" / "config.pbtxt")
    assert (decode.max_batch_size, decode.instance_group[0].count) == (8, 3)
    assert decode.parameters["workers"].string_value == "8"
    assert read_config(made / "id_card" / "config.pbtxt").max_batch_size == 8
    network = read_config(made / "text_recognizer" / "configs" / "gpu.pbtxt")
    assert (network.max_batch_size, network.instance_group[0].count) == (8, 1)
    assert list(network.dynamic_batching.preferred_batch_size) == [8]
    assert len(network.model_warmup) == 2


def test_a_python_network_on_the_gpu_gets_no_copies(repository: Path) -> None:
    made = bench.with_batches(repository / "made", "gpu", 2, 4)
    assert read_config(made / "translator" / "configs" / "gpu.pbtxt").instance_group[0].count == 1


def test_a_batch_of_one_has_no_warm_up_of_two(repository: Path) -> None:
    made = bench.with_batches(repository / "made", bench.DEFAULT, 1, 1)
    network = read_config(made / "text_recognizer" / "config.pbtxt")
    assert [warmup.batch_size for warmup in network.model_warmup] == [1]


def test_numbers_that_make_no_sense_are_refused() -> None:
    assert bench.counts("1,2,8", least=1) == [1, 2, 8]
    assert bench.counts("0", least=0) == [0]
    for wrong in ("0", "-1", "1,,2", "two", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="whole numbers of 1 or more"):
            bench.counts(wrong, least=1)


def test_the_shipped_repository_stays_as_it_is(repository: Path) -> None:
    before = {path: path.read_bytes() for path in (repository / "shipped").rglob("*.pbtxt")}
    bench.with_batches(repository / "made", "gpu", 8, 3)
    assert {path: path.read_bytes() for path in (repository / "shipped").rglob("*.pbtxt")} == before
