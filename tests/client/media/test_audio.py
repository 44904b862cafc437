from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tandem_triton import BadItemError, ItemTypeError
from tandem_triton.media.audio import SILENT_RECORDING, encode_audio

from tandem.media.audio import SAMPLE_RATE, decode


def test_files_and_bytes_are_sent_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(b"anything")
    assert (
        encode_audio(path) == encode_audio(str(path)) == encode_audio(memoryview(b"anything")) == b"anything"
    )
    with pytest.raises(BadItemError, match="can't read the file"):
        encode_audio(tmp_path / "missing.wav")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("channels", [None, 1, 2])
def test_samples_are_what_the_server_decodes(dtype: Any, channels: int | None) -> None:
    sine = 0.5 * np.sin(np.arange(SAMPLE_RATE) / 20)
    samples = sine if channels is None else np.repeat(sine[:, None], channels, axis=1)
    scaled = (samples * 32767).astype(dtype) if dtype == np.int16 else samples.astype(dtype)
    decoded = decode(encode_audio((scaled, SAMPLE_RATE)))
    np.testing.assert_allclose(decoded, sine, atol=1e-3)


def test_too_loud_samples_are_cut_off_not_wrapped() -> None:
    decoded = decode(encode_audio((np.full(SAMPLE_RATE, 3.0), SAMPLE_RATE)))
    assert decoded.min() > 0.9


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        ((np.zeros(0), 8000), "samples must be"),
        ((np.zeros((2, 9)), 8000), "1 to 8 channels"),
        ((np.zeros((2, 2, 2)), 8000), "samples must be"),
        ((np.zeros(9, np.int32), 8000), "floats in -1…1 or int16, not int32"),
        ((np.array([np.nan]), 8000), "not NaN"),
    ],
)
def test_what_is_no_recording_is_refused(audio: Any, message: str) -> None:
    with pytest.raises(BadItemError, match=message):
        encode_audio(audio)


@pytest.mark.parametrize("audio", [None, 3, np.zeros(3), (1, 2)])
def test_other_types_are_named(audio: Any) -> None:
    with pytest.raises(ItemTypeError, match="not a recording"):
        encode_audio(audio)


def test_the_probe_is_a_recording() -> None:
    assert len(decode(SILENT_RECORDING)) == pytest.approx(0.1 * SAMPLE_RATE, abs=10)
