"""A batch run slice by slice: the same answers, each slice by itself, side by side."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from tandem.runtime.onnx_backend.session import OnnxSession
from tandem.runtime.onnx_backend.settings import parse_settings
from tandem.runtime.onnx_backend.signature import parse_signature
from tandem.runtime.onnx_backend.slices import SliceRunner
from tests.conftest import AddModel

# Every value less the largest of the tensor that it came in: tells how much was run at once.
LESS_THE_LARGEST = """less (float[b,l,w] X) => (float[b,l,w] Y) {
    most = ReduceMax<keepdims = 0>(X)
    Y = Sub(X, most)
}"""
CONFIG: dict[str, Any] = {
    "max_batch_size": 2,
    "input": [{"name": "X", "data_type": "TYPE_FP32", "dims": [-1, -1]}],
    "output": [{"name": "Y", "data_type": "TYPE_FP32", "dims": [-1, -1]}],
}
SLICED = {**CONFIG, "parameters": {"slice_thread_count": {"string_value": "2"}}}


def answer(add_model: AddModel, config: dict[str, Any], *requests: np.ndarray) -> list[Any]:
    path = add_model("less", LESS_THE_LARGEST, "") / "less" / "1" / "model.onnx"
    session = OnnxSession(path, parse_settings(config, kind="CPU", device_id=0), parse_signature(config))
    return session.run_all([{"X": request} for request in requests], ["Y"])


def values(items: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(items, 3, 4)).astype(np.float32)


def test_each_slice_is_run_by_itself(add_model: AddModel) -> None:
    first, second = values(2, 1), values(1, 2)
    one, other = answer(add_model, SLICED, first, second)
    for given, got in ((first, one["Y"]), (second, other["Y"])):
        np.testing.assert_array_equal(got, given - given.max(axis=2, keepdims=True))


def test_without_the_parameter_a_batch_is_one_tensor(add_model: AddModel) -> None:
    first, second = values(1, 1), values(1, 2)
    most = max(first.max(), second.max())
    one, other = answer(add_model, CONFIG, first, second)
    np.testing.assert_array_equal(one["Y"], first - most)
    np.testing.assert_array_equal(other["Y"], second - most)


def test_as_many_slices_run_at_once_as_there_are_threads() -> None:
    both_there = threading.Barrier(2, timeout=10)

    def run(feeds: Any, outputs: Any) -> dict[str, Any]:
        both_there.wait()  # a single thread would wait here for ever
        return {"Y": feeds["X"] * 2}

    given = values(2, 3)[:, :2]
    np.testing.assert_array_equal(SliceRunner(run, 2)({"X": given}, ["Y"])["Y"], given * 2)


def test_what_a_slice_raises_is_the_batchs() -> None:
    def run(feeds: Any, outputs: Any) -> dict[str, Any]:
        if feeds["X"].max() == 5:
            raise ValueError("five")
        return {"Y": feeds["X"]}

    with pytest.raises(ValueError, match="five"):
        SliceRunner(run, 2)({"X": np.arange(6, dtype=np.float32).reshape(2, 3, 1)}, ["Y"])


def test_inputs_that_do_not_share_their_first_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="first dimensions"):
        SliceRunner(lambda feeds, outputs: {}, 1)({"X": np.zeros((2, 3)), "Z": np.zeros((2, 4))}, ["Y"])


def test_nothing_to_slice_is_the_models_own_affair() -> None:
    def run(feeds: Any, outputs: Any) -> dict[str, Any]:
        return {"Y": feeds["X"] + 1}

    assert SliceRunner(run, 1)({"X": np.zeros((1, 0, 4))}, ["Y"])["Y"].shape == (1, 0, 4)
