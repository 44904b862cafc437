"""The encoded bytes of whatever a caller calls a recording."""

from __future__ import annotations

import io
import os
import wave
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tandem_triton.core.errors import BadItemError, ItemTypeError

Audio: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | tuple[NDArray[Any], int]"
"""A path, the bytes of an encoded recording, or samples and their rate in Hz."""

AUDIO_TYPES = ("audio/", "video/mp4", "video/webm", "application/ogg")
"""Content types of encoded recordings; phones and browsers call an M4A or a WebM a video."""

MAX_CHANNELS = 8
_SAMPLE_BYTES = 2
_FULL_SCALE = 2**15 - 1
_TWO_AXES = 2


def encode_audio(audio: Audio) -> bytes:
    """The encoded recording to send.

    Args:
        audio: a path (the file is sent as it is); encoded bytes (sent as they are); or `(samples, rate)`:
            `(n,)` or `(n, channels)`, floats in -1…1 or int16, sent as a WAV of 16 bits.

    Raises:
        BadItemError: the file can't be read, or the samples' shape, dtype or values are none of those.
        ItemTypeError: none of the kinds above.
    """
    if isinstance(audio, (bytes, bytearray, memoryview)):
        return bytes(audio)
    if isinstance(audio, (str, os.PathLike)):
        try:
            return Path(audio).read_bytes()
        except OSError as error:
            raise BadItemError(f"can't read the file: {error.strerror or type(error).__name__}") from error
    if isinstance(audio, tuple) and len(audio) == _TWO_AXES and isinstance(audio[0], np.ndarray):
        return _wav(audio[0], audio[1])
    raise ItemTypeError(
        f"not a recording: {type(audio).__name__}; give a path, bytes, or (samples, rate) with a numpy array"
    )


def _wav(samples: NDArray[Any], rate: int) -> bytes:
    channels = samples.shape[1] if samples.ndim == _TWO_AXES else 1
    if samples.ndim not in (1, _TWO_AXES) or samples.size == 0 or not 1 <= channels <= MAX_CHANNELS:
        raise BadItemError(
            f"samples must be (n,) or (n, channels), 1 to {MAX_CHANNELS} channels, not {samples.shape}"
        )
    if np.issubdtype(samples.dtype, np.floating):
        if not np.isfinite(samples).all():
            raise BadItemError("samples must be numbers, not NaN or infinite")
        samples = np.rint(np.clip(samples, -1, 1) * _FULL_SCALE)
    elif samples.dtype != np.int16:
        raise BadItemError(f"samples must be floats in -1…1 or int16, not {samples.dtype}")
    encoded = io.BytesIO()
    with wave.open(encoded, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(int(rate))
        file.writeframes(np.ascontiguousarray(samples, "<i2").tobytes())
    return encoded.getvalue()


SILENT_RECORDING = _wav(np.zeros(800, np.int16), 8000)
"""A WAV of a tenth of a second: a well-formed recording in which nobody speaks."""
