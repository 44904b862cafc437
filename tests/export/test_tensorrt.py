"""The engine builder up to where TensorRT itself is needed: profiles, and what is missing said clearly."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from google.protobuf import text_format
from onnx import TensorProto, helper
from tritonclient.grpc.model_config_pb2 import ModelConfig

from export import tensorrt
from export.errors import ExportError, MissingToolError
from tandem.services.id_card.geometry.lanes import LaneConfig

REPOSITORY = Path(__file__).parents[2] / "model_repository"


def onnx_with_input(path: Path, name: str) -> Path:
    value = helper.make_tensor_value_info(name, TensorProto.UINT8, [None, 4])
    out = helper.make_tensor_value_info("OUT", TensorProto.UINT8, [None, 4])
    graph = helper.make_graph([helper.make_node("Identity", [name], ["OUT"])], "g", [value], [out])
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph), path)
    return path


@pytest.mark.parametrize(("model", "name"), [("card_detector", "THUMBNAIL"), ("text_recognizer", "LANES")])
def test_profiles_are_tuned_for_batches_of_two(tmp_path, model, name):
    (profile,) = tensorrt.profiles(model, onnx_with_input(tmp_path / "model.onnx", name))
    assert profile.name == name
    assert [shape[0] for shape in profile.shapes] == [1, 2, 8]
    least, best, most = profile.shapes
    assert all(a <= b <= c for a, b, c in zip(least, best, most, strict=True))


def test_a_model_with_other_inputs_is_refused(tmp_path):
    with pytest.raises(ExportError, match="PIXELS"):
        tensorrt.profiles("card_detector", onnx_with_input(tmp_path / "model.onnx", "PIXELS"))


def test_a_missing_onnx_file_is_named(tmp_path):
    with pytest.raises(ExportError, match="export it first"):
        tensorrt.profiles("card_detector", tmp_path / "model.onnx")


def test_without_tensorrt_the_command_says_how_to_get_it(tmp_path, capsys):
    try:
        tensorrt.import_tensorrt()
    except MissingToolError:
        pass
    else:
        pytest.skip("TensorRT and a GPU are here: the command would build")
    onnx_with_input(tmp_path / "card_detector" / "1" / "model.onnx", "THUMBNAIL")
    assert tensorrt.main(["--models", "card_detector", "--repository", str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert "TensorRT is not installed" in message or "no NVIDIA GPU" in message


@pytest.mark.parametrize("model", ["card_detector", "text_recognizer"])
def test_the_served_configuration_has_the_same_profile(tmp_path, model):
    name = next(iter(tensorrt.SHAPES[model]))
    (profile,) = tensorrt.profiles(model, onnx_with_input(tmp_path / "model.onnx", name))
    written = (REPOSITORY / model / "configs" / "tensorrt.pbtxt").read_text(encoding="utf-8")
    config = text_format.Parse(written, ModelConfig())
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    for key, shape in zip(("min", "opt", "max"), profile.shapes, strict=True):
        expected = f"{name}:{'x'.join(str(side) for side in shape)}"
        assert accelerator.parameters[f"trt_profile_{key}_shapes"] == expected


def test_warm_up_uses_the_lanes_that_one_card_brings():
    lanes = LaneConfig()
    for path in (REPOSITORY / "text_recognizer").rglob("*.pbtxt"):
        config = text_format.Parse(path.read_text(encoding="utf-8"), ModelConfig())
        for warmup in config.model_warmup:
            assert list(warmup.inputs["LANES"].dims) == [lanes.lanes_per_card, 48, lanes.width, 3], path
