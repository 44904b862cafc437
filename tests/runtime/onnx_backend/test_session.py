from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tandem.runtime.errors import OnnxModelError
from tandem.runtime.onnx_backend.session import OnnxSession
from tandem.runtime.onnx_backend.settings import parse_settings
from tandem.runtime.onnx_backend.signature import parse_signature
from tests.conftest import AddModel

GATHER = """look_up (int64[n,2] I) => (float[n,2] O) {
    T = Constant<value = float[3] {10, 20, 30}>()
    O = Gather(T, I)
}"""
ECHO = "echo (string[n,k] S) => (string[n,k] R) { R = Identity(S) }"
CONFIG = {
    "max_batch_size": 4,
    "input": [{"name": "I", "data_type": "TYPE_INT64", "dims": [2]}],
    "output": [{"name": "O", "data_type": "TYPE_FP32", "dims": [2]}],
}


def load(repository: Path, name: str, config: dict[str, Any], kind: str = "CPU") -> OnnxSession:
    path = repository / name / "1" / "model.onnx"
    return OnnxSession(path, parse_settings(config, kind=kind, device_id=0), parse_signature(config))


@pytest.fixture
def look_up(add_model: AddModel) -> OnnxSession:
    return load(add_model("look_up", GATHER, ""), "look_up", CONFIG)


def indices(*rows: list[int]) -> dict[str, Any]:
    return {"I": np.array(rows, np.int64)}


def test_each_request_gets_its_own_rows(look_up: OnnxSession) -> None:
    first, second = look_up.run_all([indices([0, 1], [2, 2]), indices([1, 0])], ["O"])
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["O"].tolist() == [[10, 20], [30, 30]]
    assert second["O"].tolist() == [[20, 10]]


def test_a_request_that_fails_harms_no_other(look_up: OnnxSession) -> None:
    good, bad, also_good = look_up.run_all([indices([0, 0]), indices([7, 7]), indices([2, 0])], ["O"])
    assert isinstance(bad, Exception)
    assert "out of" in str(bad)
    assert isinstance(good, dict)
    assert isinstance(also_good, dict)
    assert good["O"].tolist() == [[10, 10]]
    assert also_good["O"].tolist() == [[30, 10]]


def test_text_goes_in_and_out_as_bytes(add_model: AddModel) -> None:
    config = {
        "max_batch_size": 2,
        "input": [{"name": "S", "data_type": "TYPE_STRING", "dims": [-1]}],
        "output": [{"name": "R", "data_type": "TYPE_STRING", "dims": [-1]}],
    }
    session = load(add_model("echo", ECHO, ""), "echo", config)
    text = np.array([["汉".encode(), b""]], dtype=object)
    good, bad = session.run_all([{"S": text}, {"S": np.array([[b"\xff", b""]], dtype=object)}], ["R"])
    assert isinstance(good, dict)
    assert good["R"].tolist() == text.tolist()
    assert isinstance(bad, UnicodeDecodeError)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OnnxModelError, match=r"there is no file .*scripts/demo"):
        load(tmp_path, "nothing", CONFIG)


def test_a_file_that_is_no_model_is_named(add_model: AddModel) -> None:
    repository = add_model("broken", None, "")
    (repository / "broken" / "1" / "model.onnx").write_bytes(b"no model")
    with pytest.raises(OnnxModelError, match=r"can't load .*model\.onnx"):
        load(repository, "broken", CONFIG)


def test_a_gpu_that_is_not_there_is_said_not_worked_around(add_model: AddModel) -> None:
    import onnxruntime  # noqa: PLC0415

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(OnnxModelError, match="onnxruntime-gpu"):
        load(add_model("look_up", GATHER, ""), "look_up", CONFIG, kind="GPU")
