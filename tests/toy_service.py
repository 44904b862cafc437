"""A service as a stranger would add it, without a change of ours: one that reverses a text.

Its folder holds what its author would write: a model, a `Service` value, an entry point.
"""

from __future__ import annotations

from pathlib import Path

SERVICE = """
import msgspec
from tandem_triton import BadItemError, Service


class Reversed(msgspec.Struct):
    text: str


class Options(msgspec.Struct):
    upper: bool = False
    times: int = 1


def encode(text):
    return text.encode() if isinstance(text, str) else bytes(text)


SERVICE = Service(
    name="reverse_text",
    summary="Reverses a text.",
    input="TEXT",
    content_types=("text/plain",),
    answer=Reversed,
    encode=encode,
    probe=b"probe",
    empty=lambda answer: not answer.text,
    options=Options,
)
"""
MODEL = """
import json

import numpy as np
import triton_python_backend_utils as pb_utils

from tandem.errors import InputError
from tandem.triton.responder import Responder


class TritonPythonModel:
    def initialize(self, args):
        name = args["model_name"]
        self._responder = Responder(pb_utils, model_name=name, inputs=["TEXT"], optional=["OPTIONS"])

    def execute(self, requests):
        return self._responder.respond_to_items(requests, reverse)


def reverse(inputs):
    options = json.loads(inputs["OPTIONS"][0]) if "OPTIONS" in inputs else {}
    try:
        text = inputs["TEXT"][0].decode()[::-1]
    except UnicodeDecodeError:
        raise InputError("the text is not UTF-8") from None
    text = (text.upper() if options.get("upper") else text) * options.get("times", 1)
    return {"RESULT": np.array([json.dumps({"text": text}).encode()], np.object_)}
"""
CONFIG = """
backend: "python"
max_batch_size: 2
input [
  { name: "TEXT", data_type: TYPE_STRING, dims: [ 1 ] },
  { name: "OPTIONS", data_type: TYPE_STRING, dims: [ 1 ], optional: true }
]
output [ { name: "RESULT", data_type: TYPE_STRING, dims: [ 1 ] } ]
dynamic_batching { preferred_batch_size: [ 2 ] }
"""


def write_service(folder: Path) -> None:
    """Write the service into a folder: its package for `PYTHONPATH`, its model into `models`."""
    write_entry_point(folder, "reverse_text", SERVICE)
    version = folder / "models" / "reverse_text" / "1"
    version.mkdir(parents=True)
    (version / "model.py").write_text(MODEL)
    (version.parent / "config.pbtxt").write_text(CONFIG)


def write_entry_point(folder: Path, name: str, source: str) -> None:
    """Write an installed package whose entry point is a service.

    Args:
        folder: for `PYTHONPATH`.
        name: of the service.
        source: of a module with the value `SERVICE`.
    """
    module = f"{name}_service"
    (folder / f"{module}.py").write_text(source)
    package = folder / f"{module}-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n"
    )
    (package / "entry_points.txt").write_text(f"[tandem.services]\n{name} = {module}:SERVICE\n")
