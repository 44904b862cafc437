"""The ONNX backend inside the real server, held against ONNX Runtime alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tritonclient.grpc
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from tests.conftest import AddModel, StartTriton

pytestmark = pytest.mark.triton

# UINT8 in, two outputs of other types; the number of columns is free.
GRAPH = """classify (uint8[n,k] X) => (float[n,k] P, int64[n] I) {
    F = Cast<to = 1>(X)
    P = Softmax<axis = -1>(F)
    I = ArgMax<axis = -1, keepdims = 0>(P)
}"""
CONFIG = """
max_batch_size: 4
input [ { name: "X" data_type: TYPE_UINT8 dims: [ -1 ] } ]
output [
  { name: "P" data_type: TYPE_FP32 dims: [ -1 ] },
  { name: "I" data_type: TYPE_INT64 dims: [ 1 ] reshape { shape: [] } }
]
parameters { key: "intra_op_thread_count" value { string_value: "1" } }
"""
LOOK_UP = """look_up (int64[n,1] X) => (float[n,1] Y) {
    T = Constant<value = float[3] {10, 20, 30}>()
    Y = Gather(T, X)
}"""
LOOK_UP_CONFIG = """
max_batch_size: 2
input [ { name: "X" data_type: TYPE_INT64 dims: [ 1 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 1 ] } ]
dynamic_batching { preferred_batch_size: [ 2 ] max_queue_delay_microseconds: 1000000 }
"""
TIMEOUT_S = 60.0


class Asker:
    """Asks one model of one server."""

    def __init__(self, url: str, model: str, data_type: str) -> None:
        self.client = tritonclient.grpc.InferenceServerClient(url)
        self._model, self._data_type = model, data_type

    def ask(
        self, array: NDArray[np.generic], outputs: list[str] | None = None
    ) -> tritonclient.grpc.InferResult:
        tensor = tritonclient.grpc.InferInput("X", list(array.shape), self._data_type)
        tensor.set_data_from_numpy(array)
        wanted = [tritonclient.grpc.InferRequestedOutput(name) for name in outputs] if outputs else None
        return self.client.infer(self._model, [tensor], outputs=wanted, client_timeout=TIMEOUT_S)

    def batch_sizes(self) -> dict[int, int]:
        """Batch size → number of executions."""
        statistics = self.client.get_inference_statistics(self._model, as_json=True)["model_stats"][0]
        return {
            int(entry["batch_size"]): int(entry["compute_infer"]["count"])
            for entry in statistics["batch_stats"]
        }


def local(repository: Path, name: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        str(repository / name / "1" / "model.onnx"), providers=["CPUExecutionProvider"]
    )


def test_same_numbers_as_onnx_runtime_alone(add_model: AddModel, start_triton: StartTriton) -> None:
    repository = add_model("classify", GRAPH, CONFIG)
    session = local(repository, "classify")
    asker = Asker(start_triton(repository).grpc_url, "classify", "UINT8")
    rng = np.random.default_rng(1)
    for shape in ((1, 5), (2, 5), (3, 11)):
        picture = rng.integers(0, 9, shape, dtype=np.uint8)
        answer = asker.ask(picture)
        probabilities, best = session.run(["P", "I"], {"X": picture})
        np.testing.assert_array_equal(answer.as_numpy("P"), probabilities)
        np.testing.assert_array_equal(answer.as_numpy("I"), best[:, None])
    only = asker.ask(picture, outputs=["P"])
    assert [output.name for output in only.get_response().outputs] == ["P"]


def test_two_that_wait_run_as_one_batch(add_model: AddModel, start_triton: StartTriton) -> None:
    repository = add_model("look_up", LOOK_UP, LOOK_UP_CONFIG)
    # The batcher starts when four wait, so the batches are the same each time.
    server = start_triton(repository, environment={"TRITONSERVER_DELAY_SCHEDULER": "4"})
    asker = Asker(server.grpc_url, "look_up", "INT64")
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda i: asker.ask(np.array([[i]], np.int64)), (0, 1, 2, 0)))
    assert [float(answer.as_numpy("Y")[0, 0]) for answer in answers] == [10, 20, 30, 10]
    assert asker.batch_sizes() == {2: 2}


def test_one_bad_item_harms_no_neighbour_in_its_batch(add_model: AddModel, start_triton: StartTriton) -> None:
    repository = add_model("look_up", LOOK_UP, LOOK_UP_CONFIG)
    server = start_triton(repository, environment={"TRITONSERVER_DELAY_SCHEDULER": "2"})
    asker = Asker(server.grpc_url, "look_up", "INT64")
    with ThreadPoolExecutor(2) as threads:
        good, bad = (threads.submit(asker.ask, np.array([[i]], np.int64)) for i in (2, 7))
        assert float(good.result().as_numpy("Y")[0, 0]) == 30
        with pytest.raises(InferenceServerException, match="INVALID_ARGUMENT"):
            bad.result()


def test_a_tensor_of_the_wrong_shape_is_refused_and_harms_no_neighbour(
    add_model: AddModel, start_triton: StartTriton
) -> None:
    asker = Asker(start_triton(add_model("look_up", LOOK_UP, LOOK_UP_CONFIG)).grpc_url, "look_up", "INT64")
    with ThreadPoolExecutor(3) as threads:
        shapes = ([[1]], [[1, 2]], [[0]])
        first, wrong, second = (threads.submit(asker.ask, np.array(rows, np.int64)) for rows in shapes)
        assert float(first.result().as_numpy("Y")[0, 0]) == 20
        assert float(second.result().as_numpy("Y")[0, 0]) == 10
        with pytest.raises(InferenceServerException, match="shape"):
            wrong.result()
