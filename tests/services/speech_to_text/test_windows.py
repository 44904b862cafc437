from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.services.speech_to_text.voice import CONTEXT, FRAME, FRAMES_PER_SECOND
from tandem.services.speech_to_text.windows import MAX_WINDOW_S, Window, unheard, windows_of

RATE = 16_000
LOUD = 0.3


def sound(*parts: tuple[float, float]) -> np.ndarray:
    """(seconds, loudness) one behind the other; each sample tells its place in its last digits."""
    loud = np.concatenate([np.full(round(s * RATE), level, np.float32) for s, level in parts])
    return loud + 1e-6 * np.arange(len(loud), dtype=np.float32) / len(loud)


def blocks(samples: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


def loudness(frames: np.ndarray) -> np.ndarray:
    """A voice activity network for the tests: loud is speech."""
    return (np.abs(frames[:, CONTEXT:]).mean(axis=1) > 0.1).astype(np.float32)


def cut(samples: np.ndarray, block: int = RATE) -> list[Window]:
    return list(windows_of(blocks(samples, block), loudness))


def test_a_short_recording_is_one_window_with_the_silence_around_it() -> None:
    (window,) = cut(sound((0.5, 0), (2, LOUD), (0.4, 0)))
    assert window.start_s == 0
    assert len(window.samples) / RATE == pytest.approx(2.9, abs=0.05)
    ((start, end),) = window.speech_s
    assert start == pytest.approx(0.5, abs=0.04)
    assert end == pytest.approx(2.5, abs=0.04)


def test_long_silence_is_left_out() -> None:
    (window,) = cut(sound((40, 0), (2, LOUD), (40, 0)))
    assert window.start_s == pytest.approx(39, abs=0.1)
    assert len(window.samples) / RATE == pytest.approx(4, abs=0.1)


def test_silence_alone_gives_no_window() -> None:
    assert cut(sound((70, 0))) == []
    assert cut(np.zeros(0, np.float32)) == []


def test_a_window_ends_at_a_clear_pause_unless_more_fits_into_its_ten_seconds() -> None:
    windows = cut(sound(*[(3, LOUD), (0.8, 0)] * 7, *[(0.5, LOUD), (0.8, 0)] * 2))
    assert [len(window.speech_s) for window in windows] == [2, 2, 2, 3]
    assert all(len(window.samples) <= 10 * RATE for window in windows)


def test_a_window_goes_on_over_a_short_pause() -> None:
    (window,) = cut(sound(*[(4, LOUD), (0.4, 0)] * 5))
    assert len(window.speech_s) == 5


def test_a_pause_is_shared_by_the_windows_beside_it() -> None:
    first, second = cut(sound((12, LOUD), (0.8, 0), (12, LOUD)))
    assert second.start_s == pytest.approx(first.start_s + len(first.samples) / RATE, abs=0.04)
    assert second.start_s == pytest.approx(12.4, abs=0.1)


def test_speech_without_a_pause_is_cut_where_it_must() -> None:
    windows = cut(sound((100, LOUD)))
    assert all(len(window.samples) / RATE <= MAX_WINDOW_S + 2 for window in windows)
    assert sum(len(window.samples) for window in windows) / RATE == pytest.approx(100, abs=0.1)


def test_a_quiet_voice_beside_a_loud_one_is_heard() -> None:
    windows = cut(sound((3, LOUD), (3, 0), (3, 0.01), (3, 0), (3, LOUD)))
    assert len(windows) == 3


def test_what_the_recogniser_left_out_is_asked_about_again() -> None:
    (window,) = cut(sound((3, LOUD), (0.8, 0), (3, LOUD)))
    assert unheard(window, 6.5) == [], "all was heard"
    (rest,) = unheard(window, 2.8)
    assert rest.speech_s == window.speech_s[1:]
    assert rest.start_s == pytest.approx(3.2, abs=0.05)
    assert len(rest.samples) / RATE == pytest.approx(6.8 - 3.2, abs=0.1)
    (inside,) = unheard(window, 0.3)
    assert inside.speech_s[0][0] == pytest.approx(0.7, abs=0.05)


def test_asking_again_comes_to_an_end() -> None:
    left = cut(sound((20, LOUD)))
    asked = 0
    while left:
        left = unheard(left[0], left[0].start_s)  # the recogniser gives one token each time
        asked += 1
    assert asked == 4


def test_a_quiet_voice_is_made_louder_for_the_network_alone() -> None:
    (window,) = cut(sound((0.5, 0), (2, 0.01), (0.5, 0)))
    assert np.abs(window.samples).max() == pytest.approx(0.01, rel=0.01)


@settings(max_examples=30, deadline=None)
@given(
    parts=st.lists(st.tuples(st.floats(0.4, 20), st.sampled_from([0.0, LOUD])), min_size=1, max_size=12),
    block=st.sampled_from([1_000, RATE, 7 * RATE]),
)
def test_no_speech_is_lost_or_heard_twice(parts: list[tuple[float, float]], block: int) -> None:
    samples = sound(*parts)
    windows = cut(samples, block)
    heard = np.zeros(len(samples) + FRAME, np.int64)
    for window in windows:
        first = round(window.start_s * RATE)
        assert first % FRAME == 0
        inside = samples[first : first + len(window.samples)]
        np.testing.assert_array_equal(window.samples[: len(inside)], inside)
        heard[first : first + len(window.samples)] += 1
        assert len(window.samples) <= (MAX_WINDOW_S + 2.1) * RATE
    assert heard.max(initial=0) <= 1
    # the first and last frame of a stretch may be half silent
    edge = 2 * FRAME
    at = 0
    for seconds, level in parts:
        length = round(seconds * RATE)
        if level and length > 2 * edge:
            assert heard[at + edge : at + length - edge].all()
        at += length
    assert FRAMES_PER_SECOND == RATE / FRAME
