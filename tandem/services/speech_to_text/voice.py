"""Where somebody speaks: frames for the voice activity network, and its probabilities made into regions.

The network (Silero VAD) gives a probability for each frame of 32 ms; each frame is seen with the last 4 ms
before it. The rule from probabilities to regions is Silero's own: speech begins above one threshold and
ends below a lower one for long enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FRAME = 512  # samples at 16 kHz: 32 ms
CONTEXT = 64  # samples of the frame before
FRAMES_PER_SECOND = 16_000 / FRAME

#: (n, 576) frames → (n,) probabilities of speech. It is called with a recording's frames in order.
Voice = Callable[[NDArray[np.float32]], NDArray[np.float32]]

VOICE_OUTPUTS = ("speech_probs", "hn", "cn")
_STATE = 128
_SPEECH, _SILENCE = 0.5, 0.35  # speech begins at the first probability and ends below the second
_MIN_SILENCE_S = 0.3
_MIN_SPEECH_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Region:
    """Frames `start` to `end` (not included) in which somebody speaks; open: it may go on behind them."""

    start: int
    end: int
    is_open: bool = False

    @property
    def frames(self) -> int:
        """How many."""
        return self.end - self.start


def framed(samples: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 576) float32: whole frames, each with the 64 samples before it.

    Args:
        samples: (n * 512,) float32 at 16 kHz.
        before: (64,) float32, what came before them.
    """
    frames = samples.reshape(-1, FRAME)
    heads = np.concatenate([before[np.newaxis], frames[:-1, -CONTEXT:]])
    return np.concatenate([heads, frames], axis=1)


def speech_regions(probabilities: NDArray[np.float32], *, is_last: bool) -> list[Region]:
    """The regions in which somebody speaks, in order, none of them touching another.

    Args:
        probabilities: (n,) float32, one a frame.
        is_last: the recording ends with the last frame; else a region near it is open.
    """
    regions = list(_regions(probabilities, is_last=is_last))
    least = _MIN_SPEECH_S * FRAMES_PER_SECOND
    return [region for region in regions if region.is_open or region.frames >= least]


def _regions(probabilities: NDArray[np.float32], *, is_last: bool) -> Iterator[Region]:
    least_silence = round(_MIN_SILENCE_S * FRAMES_PER_SECOND)
    start: int | None = None
    quiet: int | None = None  # where the silence began that may end the region
    for i, probability in enumerate(probabilities.tolist()):
        if probability >= _SPEECH:
            start = i if start is None else start
            quiet = None
        elif start is not None and probability < _SILENCE:
            quiet = i if quiet is None else quiet
            if i + 1 - quiet >= least_silence:
                yield Region(start=start, end=quiet)
                start = quiet = None
    if start is not None:
        end = len(probabilities) if quiet is None else quiet
        yield Region(start=start, end=end, is_open=not is_last)


def voice_of(ask: Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]) -> Voice:
    """A voice activity network that has heard nothing yet and keeps its state between calls.

    Args:
        ask: runs Silero's network: `input`, `h`, `c` → `VOICE_OUTPUTS`.
    """
    state = {name: np.zeros((1, 1, _STATE), np.float32) for name in ("h", "c")}

    def voice(frames: NDArray[np.float32]) -> NDArray[np.float32]:
        answer = ask({"input": frames, **state})
        state.update(h=answer["hn"], c=answer["cn"])
        return np.asarray(answer["speech_probs"], np.float32)

    return voice
