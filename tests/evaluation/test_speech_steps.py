from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tandem.evaluation.speech_steps import BATCHES, measure, speech_of
from tandem.services.speech_to_text.listening import Listen

RATE = 16_000


class Recognizer:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.batches: list[list[Listen]] = []

    def recognize(self, batch: Sequence[Listen]) -> None:
        self.batches.append(list(batch))


def test_speech_is_taken_round() -> None:
    samples = np.arange(3 * RATE, dtype=np.float32)
    taken = speech_of(2.0, samples, 2 * RATE)
    assert taken[:RATE].tolist() == samples[2 * RATE :].tolist()
    assert taken[RATE:].tolist() == samples[:RATE].tolist()
    assert len(speech_of(5.0, samples, 0)) == 5 * RATE


def test_every_size_is_measured_in_turns_with_other_words_in_each_window() -> None:
    recognizer = Recognizer()
    samples = np.random.default_rng(1).normal(size=60 * RATE).astype(np.float32)
    times = measure(recognizer, samples, 3.0, language="zh", rounds=2)  # type: ignore[arg-type]
    assert list(times) == list(BATCHES)
    assert [len(batch) for batch in recognizer.batches] == list(BATCHES) * 3, "one round warms up"
    for batch in recognizer.batches:
        assert len({window.samples[0] for window in batch}) == len(batch)
        assert {window.language for window in batch} == {"zh"}
    assert all(time.seconds >= 0 and time.cpu_seconds == pytest.approx(0, abs=0.5) for time in times.values())
