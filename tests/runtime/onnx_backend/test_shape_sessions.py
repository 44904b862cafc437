"""Each shape of a model's inputs has a session of its own, up to so many."""

from __future__ import annotations

from itertools import count
from threading import Thread
from typing import Any

import numpy as np
import onnx
import pytest

from tandem.runtime.onnx_backend.session import OnnxSession
from tandem.runtime.onnx_backend.settings import parse_settings
from tandem.runtime.onnx_backend.shape_sessions import ShapeSessions
from tandem.runtime.onnx_backend.signature import parse_signature
from tandem.runtime.repository import read_config
from tandem.runtime.setup import REPOSITORY
from tests.conftest import AddModel

DOUBLE = "double (float[n,w] X) => (float[n,w] Y) { Y = Add(X, X) }"
CONFIG: dict[str, Any] = {
    "max_batch_size": 4,
    "input": [{"name": "X", "data_type": "TYPE_FP32", "dims": [-1]}],
    "output": [{"name": "Y", "data_type": "TYPE_FP32", "dims": [-1]}],
}
GPU_CONFIGS = sorted(REPOSITORY.glob("*/configs/gpu.pbtxt"))


def rows(items: int, width: int = 3) -> dict[str, Any]:
    return {"X": np.arange(items * width, dtype=np.float32).reshape(items, width)}


def test_a_shape_keeps_its_session_while_others_come() -> None:
    sessions = ShapeSessions(count().__next__, 3)
    first, second, third = (sessions.of(rows(items)) for items in (1, 2, 4))
    assert len({first, second, third}) == 3
    assert [sessions.of(rows(items)) for items in (2, 1, 4, 2)] == [second, first, third, second]


def test_names_count_as_well_as_shapes() -> None:
    sessions = ShapeSessions(count().__next__, 4)
    one, two = np.zeros((1, 2)), np.zeros((2, 1))
    assert sessions.of({"A": one, "B": two}) != sessions.of({"A": two, "B": one})
    assert sessions.of({"A": one, "B": two}) == sessions.of({"B": two, "A": one})


def test_one_shape_too_many_takes_over_what_was_not_used_for_longest() -> None:
    made = count()
    sessions = ShapeSessions(made.__next__, 2)
    first, second = sessions.of(rows(1)), sessions.of(rows(2))
    assert sessions.of(rows(1)) == first
    assert sessions.of(rows(3)) == second
    assert sessions.of(rows(1)) == first
    assert next(made) == 2  # so many were made


def test_with_one_session_all_shapes_share_it() -> None:
    made = count()
    sessions = ShapeSessions(made.__next__, 1)
    assert {sessions.of(rows(items)) for items in (1, 2, 3, 1)} == {0}
    assert next(made) == 1


def test_threads_that_ask_at_once_make_no_session_too_many() -> None:
    made, beside = count(), list[int]()
    other = Thread(target=lambda: beside.append(sessions.of(rows(2))))

    def make() -> int:
        number = next(made)
        if number == 1:  # the second session is being made: somebody else asks for the same shape
            other.start()
            other.join(timeout=0.3)
        return number

    sessions = ShapeSessions(make, 3)
    sessions.of(rows(1))
    assert sessions.of(rows(2)) == 1
    other.join()
    assert beside == [1]
    assert next(made) == 2


def test_a_model_that_cannot_be_loaded_says_so_at_once() -> None:
    def broken() -> None:
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"):
        ShapeSessions(broken, 4)


@pytest.mark.parametrize("most", ["1", "2", "8"])
def test_each_batch_gets_its_answers_however_many_sessions_there_are(add_model: AddModel, most: str) -> None:
    config = {**CONFIG, "parameters": {"shape_sessions": {"string_value": most}}}
    path = add_model("double", DOUBLE, "") / "double" / "1" / "model.onnx"
    session = OnnxSession(path, parse_settings(config, kind="CPU", device_id=0), parse_signature(config))
    for requests in ([rows(1)], [rows(1), rows(2)], [rows(1, 5)], [rows(4)], [rows(1)]):
        outcomes = session.run_all(requests, ["Y"])
        for request, outcome in zip(requests, outcomes, strict=True):
            assert isinstance(outcome, dict)
            assert np.array_equal(outcome["Y"], 2 * request["X"])


def test_every_network_with_convolutions_is_ready_for_batches_that_change_on_a_gpu() -> None:
    checked = []
    for path in GPU_CONFIGS:
        model = path.parents[1] / "1" / "model.onnx"
        config = read_config(path)
        if config.backend != "onnxruntime" or not model.exists():
            continue  # text_embedder's file is made only where its service was asked for
        convolves = any(node.op_type == "Conv" for node in onnx.load(model).graph.node)
        parameters = {name: entry.string_value for name, entry in config.parameters.items()}
        assert (parameters.get("cudnn_conv_algo_search") == "1") == convolves, path
        assert (int(parameters.get("shape_sessions", "1")) >= 2 * config.max_batch_size) == convolves, path
        checked.append(convolves)
    assert sum(checked) == 5
