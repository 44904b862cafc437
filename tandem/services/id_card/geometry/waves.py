"""Waves over a picture (moiré), of a monitor's pixels and a camera's: seen in its spectrum, taken out.

A wave is a peak of the spectrum that stands alone; text has no such peaks but those of its rows, one above
the other. What is more than a peak's surroundings is cut off (notches; Sidorov and Kokaram, "Suppression of
moiré patterns via spectral analysis", 2002).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: A peak is so many times as high as the median of the spectrum around it, and that is so wide, bins.
_PEAK, _AROUND = 5.0, 21
#: Longer waves are light and shadow: cycles a px.
_LONGEST = 0.05
#: Waves that run from top to bottom so straight are rows of text.
_ROWS = 0.012
#: Peaks are this wide, bins: waves widen where the camera was tilted.
_NOTCH = 5
#: The spectrum is ranked in so many steps a factor of e.
_STEPS = 16.0


def without_waves(channel: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture without its waves.

    Args:
        channel: (h, w) uint8, of a level card.
    """
    mean = float(channel.mean())
    spectrum = np.fft.rfft2(channel - np.float32(mean))
    height = np.log1p(np.abs(spectrum))
    around = _median(height)
    down, across = np.fft.fftfreq(channel.shape[0])[:, None], np.fft.rfftfreq(channel.shape[1])
    peaks = (height - around > np.log(_PEAK)) & (np.hypot(down, across) > _LONGEST) & (across > _ROWS)
    notches = cv2.dilate(peaks.astype(np.uint8), np.ones((_NOTCH, _NOTCH), np.uint8)) > 0
    share = np.minimum(np.expm1(around) / np.maximum(np.expm1(height), 1e-6), 1)
    level = np.fft.irfft2(np.where(notches, spectrum * share, spectrum), s=channel.shape) + mean
    return np.asarray(np.clip(np.rint(level), 0, 255), np.uint8)


def _median(height: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median around each bin; the spectrum goes on at its top where it ends at its bottom."""
    ranked = np.clip(height * _STEPS, 0, 255).astype(np.uint8)
    rolled = np.concatenate([ranked[-_AROUND:], ranked, ranked[:_AROUND]])
    return np.asarray(cv2.medianBlur(rolled, _AROUND)[_AROUND:-_AROUND] / _STEPS, np.float64)
