"""Sounds as files of every format, made by the libraries that read them."""

from __future__ import annotations

from io import BytesIO

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

_SNDFILE = {"WAV": None, "FLAC": None, "OGG": "VORBIS", "OPUS": "OPUS"}
_FFMPEG = {
    "MP3": ("mp3", "libmp3lame"),
    "M4A": ("ipod", "aac"),
    "ALAC": ("ipod", "alac"),
    "WEBM": ("webm", "libopus"),
}
FORMATS = (*_SNDFILE, *_FFMPEG)


def tone(seconds: float, rate: int = 48_000, hertz: float = 440.0) -> NDArray[np.float32]:
    """A quiet sine."""
    at = np.arange(int(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


def encoded(
    samples: NDArray[np.float32], name: str, rate: int = 48_000, *, subtype: str | None = None
) -> bytes:
    """(n,) or (n, channels) samples as a file."""
    out = BytesIO()
    if name in _SNDFILE:
        kind = "OGG" if name == "OPUS" else name
        soundfile.write(out, samples, rate, format=kind, subtype=subtype or _SNDFILE[name])
        return out.getvalue()
    container_name, codec = _FFMPEG[name]
    with av.open(out, "w", format=container_name) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            format=stream.codec_context.format.name,
            layout="mono",
            rate=rate,
            frame_size=stream.codec_context.frame_size or 1024,
        )
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(part))
    return out.getvalue()
