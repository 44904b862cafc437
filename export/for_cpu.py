"""The file that CPUs serve of a network: in 8-bit integers where this CPU adds those without overflow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx

from export.files import write_atomically
from tandem.runtime.processor import FAST_INTEGERS, NEEDS, has_fast_integers

CPU_FILE = "model.cpu.onnx"  # what config.pbtxt names; configs/gpu.pbtxt names model.onnx itself

Quantize = Callable[[onnx.ModelProto], onnx.ModelProto]


def write_for_cpu(folder: Path, plain: onnx.ModelProto, quantize: Quantize | None) -> Path:
    """Writes the file, and beside it what a CPU needs to run it; gives its path.

    Args:
        folder: the model's version.
        plain: in float32.
        quantize: makes the same in 8-bit integers; None: it has no such form.
    """
    out = folder / CPU_FILE
    needs = out.with_name(out.name + NEEDS)
    if quantize is not None and has_fast_integers():
        write_atomically(needs, " ".join(FAST_INTEGERS).encode())  # a server elsewhere must not run it
        write_atomically(out, quantize(plain).SerializeToString())
    else:
        write_atomically(out, plain.SerializeToString())
        needs.unlink(missing_ok=True)
    return out
