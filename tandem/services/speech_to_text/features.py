"""What Whisper hears: the log-mel spectrogram of Radford et al. (arXiv 2212.04356), section 2.2.

The filters are Slaney's, as in OpenAI's own code: triangles, equal in area, linear below 1 kHz and
logarithmic above.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tandem.media.audio import SAMPLE_RATE

HOP = 160  # samples: a frame each 10 ms
FRAMES_PER_SECOND = SAMPLE_RATE // HOP
_WIDTH = 400  # samples: 25 ms
_LEAST_POWER = 1e-10
_RANGE = 8.0  # what is 80 dB below the loudest counts as silence

_LINEAR_HZ_PER_MEL = 200 / 3
_FIRST_LOG_HZ = 1000.0
_FIRST_LOG_MEL = _FIRST_LOG_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27


def log_mel(samples: NDArray[np.float32], *, frames: int, mels: int) -> NDArray[np.float32]:
    """(mels, frames) float32, about -1…1.

    Args:
        samples: (n,) float32 at 16 kHz; cut or padded with silence to `frames` of 10 ms.
        frames: how many.
        mels: bands, 80 or 128 (Whisper large-v3).
    """
    length = frames * HOP
    fitted = np.zeros(length, np.float32)
    fitted[: min(length, len(samples))] = samples[:length]
    padded = np.pad(fitted, _WIDTH // 2, mode="reflect")
    slices = np.lib.stride_tricks.sliding_window_view(padded, _WIDTH)[::HOP][:frames]
    spectrum = np.fft.rfft(slices * _hann(), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    logs = np.log10(np.maximum(_filters(mels) @ power.T, _LEAST_POWER))
    logs = np.maximum(logs, logs.max() - _RANGE)
    return np.asarray((logs + 4) / 4, np.float32)


@cache
def _hann() -> NDArray[np.float32]:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WIDTH) / _WIDTH), np.float32)


@cache
def _filters(mels: int) -> NDArray[np.float32]:
    """(mels, 201) float32: how much each band takes of each frequency."""
    hertz = np.linspace(0, SAMPLE_RATE / 2, _WIDTH // 2 + 1)
    corners = _mel_to_hz(np.linspace(0, _hz_to_mel(SAMPLE_RATE / 2), mels + 2))
    widths = np.diff(corners)
    slopes = corners[:, np.newaxis] - hertz
    rising, falling = -slopes[:-2] / widths[:-1, np.newaxis], slopes[2:] / widths[1:, np.newaxis]
    area = 2 / (corners[2:] - corners[:-2])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * area[:, np.newaxis], np.float32)


def _hz_to_mel(hertz: float) -> float:
    """Of a frequency above 1 kHz."""
    return float(_FIRST_LOG_MEL + np.log(hertz / _FIRST_LOG_HZ) / _LOG_STEP)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _FIRST_LOG_HZ * np.exp(_LOG_STEP * (mel - _FIRST_LOG_MEL))
    return np.where(mel >= _FIRST_LOG_MEL, above, mel * _LINEAR_HZ_PER_MEL)
