"""The voice activity network, taken out of its own package's wheel: python -m export.voice_activity.set_up.

It is the variant that takes many frames in one call, with the state between calls as tensors. The package
itself needs torch and stays away; the file is all that is used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from export.files import locked, write_atomically
from export.package_weights import PackageWeights, Part, WeightFile, Wheel, ensure_weights
from tandem.runtime.setup import REPOSITORY

_MODEL = "speech_to_text"
_FILE = "silero_vad_16k_sequence.onnx"
_SERVED = "voice.onnx"

SILERO_VAD = PackageWeights(
    title="Silero VAD",
    licence="MIT",
    wheels=(
        Wheel(
            package="silero-vad",
            version="6.2.3",
            sha256="7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
            size=11_317_527,
        ),
    ),
    files=(
        WeightFile(
            name=_FILE,
            sha256="9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
            size=1_246_165,
            parts=(Part(package="silero-vad", member=f"silero_vad/data/{_FILE}"),),
        ),
    ),
)


def make_voice_activity(say: Callable[[str], None], repository: Path = REPOSITORY) -> None:
    """Make the network's file in the model repository, unless it is there.

    Args:
        say: gets lines if it has to be made: a download of 11 MB.
        repository: where the model `speech_to_text` is.

    Raises:
        ExportError: the weights can't be had or are others; the message says what to do.
    """
    version = repository / _MODEL / "1"
    stamp = version / f"{_SERVED}.made-from.txt"
    made_from = f"weights {SILERO_VAD.sha256}\n"
    with locked(version):  # two commands may be started at once
        if stamp.exists() and stamp.read_text("utf-8") == made_from and (version / _SERVED).exists():
            return
        folder = ensure_weights(SILERO_VAD, say=say)
        write_atomically(version / _SERVED, (folder / _FILE).read_bytes())
        write_atomically(stamp, made_from.encode())


if __name__ == "__main__":
    make_voice_activity(lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
