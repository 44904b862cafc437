"""The committed classifier, corner refiner and document detector are what their weights give, and small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

torch = pytest.importorskip("torch", reason="exporting needs torch")

from export import corner_refiner as refiner_export  # noqa: E402
from export import detector as detector_export  # noqa: E402
from export.document_classifier.__main__ import drawn_views  # noqa: E402
from export.document_classifier.served import check, load  # noqa: E402
from export.errors import ExportError, ParityError  # noqa: E402
from export.half_weights import store_in_half  # noqa: E402

ROOT = Path(__file__).parents[2]
WEIGHTS, MODELS = ROOT / "export/weights", ROOT / "model_repository"
MOST_BYTES = 4 * 2**20
CLASSIFIER = MODELS / "document_classifier/1/model.onnx"


@pytest.fixture(scope="module")
def views() -> np.ndarray:
    return drawn_views(10)


def test_the_classifier_is_its_weights(views: np.ndarray) -> None:
    assert check(load(WEIGHTS / "document_classifier.pt"), CLASSIFIER, views) < 1e-4
    assert CLASSIFIER.stat().st_size <= MOST_BYTES


def test_another_classifier_is_told_apart(views: np.ndarray) -> None:
    classifier = load(WEIGHTS / "document_classifier.pt")
    with torch.no_grad():
        classifier.network.decide.bias += torch.linspace(0, 1, len(classifier.network.decide.bias))
    with pytest.raises(ParityError, match="differs"):
        check(classifier, CLASSIFIER, views)


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="document_classifier"):
        load(tmp_path / "nothing.pt")
    with pytest.raises(ExportError, match="another network"):
        load(WEIGHTS / "card_detector.pt")


@pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")  # torch's exporter warns of itself
def test_what_may_not_be_served_is_not_left_beside_what_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served = tmp_path / "model.onnx"
    served.write_bytes(b"served")
    monkeypatch.setattr(refiner_export, "TOLERANCE", dict.fromkeys(refiner_export.TOLERANCE, 0.0))
    assert refiner_export.main(["--weights", str(WEIGHTS / "corner_refiner.pt"), "--out", str(served)]) == 1
    assert "differs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [served]
    assert served.read_bytes() == b"served"


def test_the_document_detector_is_its_weights() -> None:
    model = MODELS / "document_detector/1/model.onnx"
    thumbnails = np.random.default_rng(1).integers(0, 256, (5, 320, 320, 3), np.uint8)
    detector_export.check(detector_export.load(WEIGHTS / "document_detector.pt"), model, thumbnails)


def test_the_corner_refiner_is_its_weights() -> None:
    model = MODELS / "corner_refiner/1/model.onnx"
    views, refiner = refiner_export.drawn_views(5), refiner_export.load(WEIGHTS / "corner_refiner.pt")
    refiner_export.check(refiner, model, views)
    assert model.stat().st_size <= MOST_BYTES
    with torch.no_grad():
        refiner.network.decide.bias += 0.01
    with pytest.raises(ParityError, match="OFFSETS"):
        refiner_export.check(refiner, model, views)


def test_a_refiners_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="corner_refiner"):
        refiner_export.load(tmp_path / "nothing.pt")
    with pytest.raises(ExportError, match="another network"):
        refiner_export.load(WEIGHTS / "card_detector.pt")


def test_half_weights_change_the_file_not_the_answer(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(512, 32)).astype(np.float16).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 512])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, 32])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    x = rng.normal(size=(3, 512)).astype(np.float32)
    size = len(model.SerializeToString())
    assert store_in_half(model) == 1
    onnx.checker.check_model(model, full_check=True)
    assert len(model.SerializeToString()) < 0.65 * size
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert np.allclose(session.run(None, {"x": x})[0], x @ weights, atol=1e-5)
