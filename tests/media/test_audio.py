"""Recordings in, samples out: every format, every limit, broken files."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.errors import InputError
from tandem.media import audio
from tests.media.recordings import FORMATS, encoded, tone


def _loudest_hertz(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(power) * audio.SAMPLE_RATE / len(samples))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_sound(name: str) -> None:
    samples = audio.decode(encoded(tone(2.0), name))
    assert samples.dtype == np.float32
    assert len(samples) / audio.SAMPLE_RATE == pytest.approx(2.0, abs=0.1)
    assert _loudest_hertz(samples) == pytest.approx(440, abs=2)
    assert np.abs(samples).max() == pytest.approx(0.3, abs=0.15)


@pytest.mark.parametrize("rate", [4_000, 8_000, 16_000, 22_050, 44_100, 192_000])
def test_every_rate(rate: int) -> None:
    samples = audio.decode(encoded(tone(1.0, rate), "WAV", rate))
    assert len(samples) == pytest.approx(audio.SAMPLE_RATE, abs=40)
    assert _loudest_hertz(samples) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("channels", [2, 6, 8])
def test_channels_are_mixed(channels: int) -> None:
    mono = tone(1.0, 16_000)
    silent = np.zeros((len(mono), channels - 1), np.float32)
    samples = audio.decode(encoded(np.column_stack([mono, silent]), "WAV", 16_000, subtype="FLOAT"))
    assert np.abs(samples).max() == pytest.approx(0.3 / channels, rel=0.02)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_every_kind_of_sample(subtype: str) -> None:
    samples = audio.decode(encoded(tone(0.5, 16_000), "WAV", 16_000, subtype=subtype))
    assert np.abs(samples).max() == pytest.approx(0.3, abs=0.02)


def test_too_loud_samples_are_cut_off() -> None:
    samples = audio.decode(encoded(100 * tone(0.5, 16_000), "WAV", 16_000, subtype="FLOAT"))
    assert np.abs(samples).max() <= 1.2  # resampling may overshoot a little


def test_blocks_are_about_a_second() -> None:
    sizes = [len(block) for block in audio.decoded_blocks(encoded(tone(5.3, 44_100), "FLAC", 44_100))]
    assert max(sizes) <= 1.2 * audio.SAMPLE_RATE
    assert sum(sizes) == pytest.approx(5.3 * audio.SAMPLE_RATE, abs=10)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty: 0 bytes"),
        (b"this is a text, not a sound " * 9, "not a recording in a known format; WAV, FLAC, OGG"),
        (bytes(audio.MAX_BYTES + 1), r"at most 67108864 \(64 MiB\)"),
        (encoded(np.zeros((100, 48), np.float32), "WAV"), "has 48 channels; 1 to 8"),
        (encoded(np.zeros(100, np.float32), "WAV", 1_000), "has 1000 Hz; 4000 to 192000 Hz"),
        (encoded(np.zeros(0, np.float32), "WAV"), "holds no samples"),
        (
            encoded(np.zeros(8_000 * 10_800, np.float32), "FLAC", 8_000),
            "lasts 10800 s or more; at most 1800 s",
        ),
        (encoded(np.array([0, np.nan] * 9_000, np.float32), "WAV", subtype="FLOAT"), "no numbers"),
        (encoded(np.array([0, np.inf] * 9_000, np.float32), "WAV", subtype="FLOAT"), "no numbers"),
    ],
    ids=["empty", "text", "64 MiB", "48 channels", "1000 Hz", "no samples", "3 hours", "NaN", "infinite"],
)
def test_what_is_refused_says_what_is_allowed(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        audio.decode(data)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.6, 0.05])
def test_truncated_files_are_refused(name: str, share: float) -> None:
    data = encoded(tone(5.0), name)
    with pytest.raises(InputError, match="truncated"):
        audio.decode(data[: int(len(data) * share)])


def test_a_length_that_the_header_hides_is_found_on_the_way() -> None:
    data = bytearray(encoded(np.zeros(4_000 * 1_900, np.float32), "WAV", 4_000))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"  # as programs write it into a pipe
    with pytest.raises(InputError, match="at most 1800 s"):
        audio.decode(bytes(data))


def test_a_wav_from_a_pipe_has_no_length_and_is_read() -> None:
    data = bytearray(encoded(tone(1.0, 16_000), "WAV", 16_000))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert len(audio.decode(bytes(data))) == audio.SAMPLE_RATE


def test_an_mp3_without_a_length_is_read() -> None:
    data = encoded(tone(2.0), "MP3").replace(b"Xing", bytes(4)).replace(b"Info", bytes(4))
    assert len(audio.decode(data)) / audio.SAMPLE_RATE == pytest.approx(2.0, abs=0.2)


def test_without_ffmpeg_the_other_formats_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(tone(0.5), "M4A")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match="no decoder for M4A; WAV, FLAC or OGG"):
        audio.decode(data)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), name=st.sampled_from(FORMATS))
def test_flipped_bytes_never_raise_anything_else(data: st.DataObject, name: str) -> None:
    recording = bytearray(_SHORT[name])
    for _ in range(data.draw(st.integers(1, 20))):
        recording[data.draw(st.integers(0, len(recording) - 1))] = data.draw(st.integers(0, 255))
    try:
        samples = audio.decode(bytes(recording))
    except InputError:
        return
    assert np.isfinite(samples).all()


_SHORT = {name: encoded(tone(0.4), name) for name in FORMATS}
