"""What the recogniser is asked about one window, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Listen:
    """What the recogniser is asked.

    Attributes:
        samples: (n,) float32 at 16 kHz.
        language: None: detect it.
        task: `transcribe` or `translate`.
    """

    samples: NDArray[np.float32]
    language: str | None
    task: str


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A window as heard.

    Attributes:
        tokens: (n,) int32, text only.
        times_s: (n,) float32, when each token begins, seconds of the window.
        probabilities: (n,) float32, of each token, above 0.
        language: given or detected.
        language_probability: 1 where it was given.
        no_speech: probability that nobody speaks.
        score: mean log-probability of the tokens.
    """

    tokens: NDArray[np.int32]
    times_s: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    language: str
    language_probability: float
    no_speech: float
    score: float
