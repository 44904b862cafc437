"""A recording cut at its pauses into windows that the recogniser can take: up to 27 s of speech each.

Whisper may stop at a pause and leave out what follows, and short windows answer sooner and let others in
between; but each is padded to ten seconds. So a window is closed at a clear pause, unless what follows
still fits into its ten seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.media.audio import SAMPLE_RATE
from tandem.services.speech_to_text.voice import (
    CONTEXT,
    FRAME,
    FRAMES_PER_SECOND,
    Region,
    Voice,
    framed,
    speech_regions,
)

MAX_WINDOW_S = 27.0  # of speech: Whisper hears 30 s, of which two are the margins and one stays silent
_ENOUGH_S = 8.0  # of speech: with its margins it fills the ten seconds that a window is padded to
_CLEAR_PAUSE_S = 0.5
#: Heard before and behind the speech, where there is as much. Closer cuts lose more characters of Mandarin.
_MARGIN_S = 1.0
_MARGIN = round(_MARGIN_S * FRAMES_PER_SECOND)
_FULL_VOICE, _MAX_GAIN = 0.5, 30.0
_AROUND = round(1.5 * FRAMES_PER_SECOND)
#: A token lasts about this long; so much speech behind the last one was left out, in another region or its
#: own.
_TOKEN_S, _LEAST_UNHEARD_S, _LONG_UNHEARD_S = 0.4, 0.4, 2.5
_MOST_AGAIN = 3
_STRIDE_S = 16.0  # how much is decoded before the next cut is looked for


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Frames `first` to `last` (not included), and the regions of speech in them."""

    first: int
    last: int
    regions: tuple[Region, ...]


@dataclass(frozen=True, kw_only=True)
class Window:
    """A part of a recording.

    Attributes:
        start_s: where it starts in the recording, seconds.
        samples: (n,) float32, 16 kHz.
        speech_s: (start, end) of each region of speech in it, seconds of the recording, in order.
        again: how many times the recogniser left out its end before.
    """

    start_s: float
    samples: NDArray[np.float32]
    speech_s: tuple[tuple[float, float], ...]
    again: int = 0


def windows_of(blocks: Iterator[NDArray[np.float32]], voice: Voice) -> Iterator[Window]:
    """The windows of a recording, in order; only what is not yet cut is kept.

    Args:
        blocks: (n,) float32 samples at 16 kHz, one behind the other.
        voice: the voice activity network.
    """
    samples = np.zeros(0, np.float32)
    probabilities = np.zeros(0, np.float32)
    before = np.zeros(CONTEXT, np.float32)
    offset = 0  # frames of the recording before `samples`
    for fresh, is_last in _strides(blocks):
        probabilities = np.concatenate([probabilities, voice(_audible(framed(fresh, before)))])
        before = fresh[-CONTEXT:]
        samples = np.concatenate([samples, fresh])
        cuts, used = find_cuts(probabilities, is_last=is_last)
        yield from (_window(cut, samples, offset) for cut in cuts)
        samples, probabilities = samples[used * FRAME :], probabilities[used:]
        offset += used


def find_cuts(probabilities: NDArray[np.float32], *, is_last: bool) -> tuple[list[Cut], int]:
    """The windows that are complete, and how many frames are done with: a later call starts behind them.

    Args:
        probabilities: (n,) float32, one a frame.
        is_last: the recording ends with the last frame.
    """
    groups: list[list[Region]] = []
    for region in _no_longer_than_a_window(speech_regions(probabilities, is_last=is_last), probabilities):
        if groups and _belongs(groups[-1], region):
            groups[-1].append(region)
        else:
            groups.append([region])
    cuts = _with_margins(groups, len(probabilities))
    if is_last:
        return cuts, len(probabilities)
    if not cuts:
        return [], max(0, len(probabilities) - _MARGIN)
    return cuts[:-1], cuts[-1].first


def _with_margins(groups: list[list[Region]], count: int) -> list[Cut]:
    """Each group with the silence around it, a pause between two groups shared by both."""
    starts = [group[0].start for group in groups]
    ends = [group[-1].end for group in groups]
    middles = [0, *((end + start) // 2 for end, start in zip(ends, starts[1:], strict=False)), count]
    return [
        Cut(
            first=max(start - _MARGIN, middles[i]),
            last=min(end + _MARGIN, middles[i + 1]),
            regions=tuple(group),
        )
        for i, (start, end, group) in enumerate(zip(starts, ends, groups, strict=True))
    ]


def _audible(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """The frames made louder where all around is quiet: the network would take a low voice for silence."""
    loudest = np.abs(frames).max(axis=1)
    around = np.pad(loudest, _AROUND, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(around, 2 * _AROUND + 1).max(axis=1)
    gain = np.clip(_FULL_VOICE / np.maximum(around, 1e-6), 1.0, _MAX_GAIN)
    return np.asarray(frames * gain[:, np.newaxis], np.float32)


def _belongs(group: list[Region], region: Region) -> bool:
    """Whether the region goes into the window that the group makes."""
    pause = (region.start - group[-1].end) / FRAMES_PER_SECOND
    whole = (region.end - group[0].start) / FRAMES_PER_SECOND
    return whole <= (_ENOUGH_S if pause >= _CLEAR_PAUSE_S else MAX_WINDOW_S)


def _no_longer_than_a_window(regions: list[Region], probabilities: NDArray[np.float32]) -> Iterator[Region]:
    """The regions, those that are too long split where speech is least likely."""
    longest = int(MAX_WINDOW_S * FRAMES_PER_SECOND)
    for region in regions:
        rest = region
        while rest.frames > longest:
            first = rest.start + longest // 2
            at = first + int(np.argmin(probabilities[first : rest.start + longest]))
            yield Region(start=rest.start, end=at)
            rest = Region(start=at, end=rest.end, is_open=rest.is_open)
        yield rest


def unheard(window: Window, last_s: float) -> list[Window]:
    """What is left of a window whose last token begins at `last_s`, as one window; none if it is little.

    Args:
        window: as it was asked about.
        last_s: seconds of the recording.
    """
    follows = [region for region in window.speech_s if region[0] > last_s + _TOKEN_S]
    inside = next((region for region in window.speech_s if region[0] <= last_s < region[1]), None)
    if inside is not None and inside[1] - last_s > _LONG_UNHEARD_S:
        follows.insert(0, (last_s + _TOKEN_S, inside[1]))
    # Music may never be heard to its end: who sends it must not keep others waiting.
    if window.again == _MOST_AGAIN or sum(end - start for start, end in follows) < _LEAST_UNHEARD_S:
        return []
    first = max(last_s + _TOKEN_S, follows[0][0] - _MARGIN_S)
    skipped = int((first - window.start_s) * SAMPLE_RATE)
    return [
        Window(
            start_s=first,
            samples=window.samples[skipped:],
            speech_s=tuple(follows),
            again=window.again + 1,
        )
    ]


def _window(cut: Cut, samples: NDArray[np.float32], offset: int) -> Window:
    def seconds(frame: int) -> float:
        return (offset + frame) / FRAMES_PER_SECOND

    return Window(
        start_s=seconds(cut.first),
        samples=samples[cut.first * FRAME : cut.last * FRAME],
        speech_s=tuple((seconds(region.start), seconds(region.end)) for region in cut.regions),
    )


def _strides(blocks: Iterator[NDArray[np.float32]]) -> Iterator[tuple[NDArray[np.float32], bool]]:
    """(whole frames, whether they are the last): about 16 s each, the last padded to a whole frame."""
    kept: list[NDArray[np.float32]] = []
    length = 0
    for block in blocks:
        kept.append(block)
        length += len(block)
        if length >= _STRIDE_S * SAMPLE_RATE:
            whole = np.concatenate(kept)
            frames = length // FRAME * FRAME
            yield whole[:frames], False
            kept, length = [whole[frames:]], length - frames
    rest = np.concatenate([*kept, np.zeros(-length % FRAME, np.float32)])
    if len(rest) == 0:
        rest = np.zeros(FRAME, np.float32)
    yield rest, True
