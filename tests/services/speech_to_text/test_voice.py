from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.services.speech_to_text.voice import (
    CONTEXT,
    FRAME,
    FRAMES_PER_SECOND,
    Region,
    framed,
    speech_regions,
    voice_of,
)


def probabilities(*parts: tuple[float, float]) -> np.ndarray:
    """(seconds, probability) one behind the other."""
    return np.concatenate([np.full(round(s * FRAMES_PER_SECOND), p, np.float32) for s, p in parts])


def test_each_frame_is_seen_with_the_samples_before_it() -> None:
    samples = np.arange(3 * FRAME, dtype=np.float32)
    before = np.full(CONTEXT, -1, np.float32)
    frames = framed(samples, before)
    assert frames.shape == (3, CONTEXT + FRAME)
    assert (frames[0, :CONTEXT] == -1).all()
    assert (frames[1, :CONTEXT] == samples[FRAME - CONTEXT : FRAME]).all()
    assert (frames[2, CONTEXT:] == samples[2 * FRAME :]).all()


def test_speech_ends_after_enough_silence_only() -> None:
    regions = speech_regions(
        probabilities((1, 0.1), (2, 0.9), (0.1, 0.1), (1, 0.9), (1, 0.1), (1, 0.9), (1, 0.1)), is_last=True
    )
    spans = [(region.start / FRAMES_PER_SECOND, region.end / FRAMES_PER_SECOND) for region in regions]
    assert spans == [pytest.approx((1.0, 4.1), abs=0.1), pytest.approx((5.1, 6.1), abs=0.1)]


def test_doubtful_frames_neither_begin_nor_end_speech() -> None:
    assert speech_regions(probabilities((2, 0.45)), is_last=True) == []
    (region,) = speech_regions(probabilities((1, 0.9), (1, 0.4), (1, 0.1)), is_last=True)
    assert region.frames == pytest.approx(2 * FRAMES_PER_SECOND, abs=2)


def test_a_click_is_no_speech() -> None:
    assert speech_regions(probabilities((1, 0.0), (0.1, 0.9), (1, 0.0)), is_last=True) == []


@pytest.mark.parametrize("is_last", [True, False])
def test_what_reaches_the_end_may_go_on(is_last: bool) -> None:
    assert speech_regions(probabilities((1, 0.0), (1, 0.9)), is_last=is_last) == [
        Region(start=31, end=62, is_open=not is_last)
    ]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32), max_size=300), st.booleans())
def test_regions_are_in_order_and_apart(values: list[float], is_last: bool) -> None:
    regions = speech_regions(np.array(values, np.float32), is_last=is_last)
    ends = [0, *(region.end for region in regions)]
    assert all(region.start < region.end <= len(values) for region in regions)
    assert all(region.start >= end for region, end in zip(regions, ends, strict=False))


def test_the_networks_state_goes_from_call_to_call() -> None:
    asked = []

    def ask(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        asked.append(inputs["h"][0, 0, 0])
        return {"speech_probs": np.zeros(1), "hn": inputs["h"] + 1, "cn": inputs["c"]}

    voice, other = voice_of(ask), voice_of(ask)
    for each in (voice, voice, other, voice):
        each(np.zeros((1, FRAME + CONTEXT), np.float32))
    assert asked == [0, 1, 0, 2]
