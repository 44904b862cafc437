"""Writes an ensemble that is not ours into a model repository: PaddleOCR's text detector, as guides serve it.

Encoded picture → 3 × 384 × 384 floats → network → map of probabilities → boxes. The network is the one in
rapidocr's wheel. Nothing is tuned: floats between the steps, batches of up to four, no delay, one picture
after the other in the Python steps.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from tandem.batching.errors import InvalidInputError

NAME = "text_boxes"
#: Pixels a side of what the network sees.
SIDE = 384
MAX_BATCH = 4
_NETWORK = "PP-OCRv6_det_small.onnx"

_HEAD = """\
max_batch_size: {max_batch}
dynamic_batching {{ }}
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
"""
_PREPARE = (
    'backend: "python"\n'
    + _HEAD
    + """\
input [ {{ name: "IMAGE" data_type: TYPE_STRING dims: [ 1 ] }} ]
output [ {{ name: "PIXELS" data_type: TYPE_FP32 dims: [ 3, {side}, {side} ] }} ]
parameters {{ key: "SIDE" value: {{ string_value: "{side}" }} }}
"""
)
_DETECT = (
    'backend: "onnxruntime"\ndefault_model_filename: "model.onnx"\n'
    + _HEAD
    + """\
input [ {{ name: "x" data_type: TYPE_FP32 dims: [ 3, {side}, {side} ] }} ]
output [ {{ name: "fetch_name_0" data_type: TYPE_FP32 dims: [ 1, {side}, {side} ] }} ]
parameters {{ key: "intra_op_thread_count" value: {{ string_value: "2" }} }}
parameters {{ key: "session.intra_op.allow_spinning" value: {{ string_value: "0" }} }}
"""
)
_OUTLINE = (
    'backend: "python"\n'
    + _HEAD
    + """\
input [ {{ name: "MAP" data_type: TYPE_FP32 dims: [ 1, {side}, {side} ] }} ]
output [ {{ name: "BOXES" data_type: TYPE_STRING dims: [ 1 ] }} ]
"""
)
_WHOLE = """\
platform: "ensemble"
max_batch_size: {max_batch}
input [ {{ name: "IMAGE" data_type: TYPE_STRING dims: [ 1 ] }} ]
output [ {{ name: "BOXES" data_type: TYPE_STRING dims: [ 1 ] }} ]
ensemble_scheduling {{ step [
  {{ model_name: "text_boxes_prepare" model_version: -1
    input_map {{ key: "IMAGE" value: "IMAGE" }} output_map {{ key: "PIXELS" value: "PIXELS" }} }},
  {{ model_name: "text_boxes_detect" model_version: -1
    input_map {{ key: "x" value: "PIXELS" }} output_map {{ key: "fetch_name_0" value: "MAP" }} }},
  {{ model_name: "text_boxes_outline" model_version: -1
    input_map {{ key: "MAP" value: "MAP" }} output_map {{ key: "BOXES" value: "BOXES" }} }}
] }}
"""


def write_text_boxes(repository: Path) -> None:
    """Make the ensemble's and its steps' folders in the repository: configs, code and network.

    Args:
        repository: an existing folder, or one to be made.

    Raises:
        InvalidInputError: rapidocr's wheel, which carries the network, is not installed.
    """
    package = find_spec("rapidocr")
    if package is None or package.origin is None:
        raise InvalidInputError("the text detector is in rapidocr's wheel: pip install rapidocr==3.10.0")
    network = Path(package.origin).parent / "models" / _NETWORK
    here = Path(__file__)
    for name, config, source, target in (
        ("text_boxes_prepare", _PREPARE, here.with_name("text_boxes_prepare.py"), "model.py"),
        ("text_boxes_detect", _DETECT, network, "model.onnx"),
        ("text_boxes_outline", _OUTLINE, here.with_name("text_boxes_outline.py"), "model.py"),
        (NAME, _WHOLE, None, ""),
    ):
        version = repository / name / "1"
        version.mkdir(parents=True, exist_ok=True)
        if source:
            shutil.copyfile(source, version / target)
        text = f'name: "{name}"\n' + config.format(side=SIDE, max_batch=MAX_BATCH)
        (version.parent / "config.pbtxt").write_text(text, encoding="utf-8")
