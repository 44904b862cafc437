"""Whisper itself, without a server: batches, times, refusals. Needs the weights, not the recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tandem.errors import InputError
from tandem.evaluation.speech import WEIGHTS
from tandem.services.speech_to_text.listening import Listen
from tandem.services.speech_to_text.recognizer import MAX_SAMPLES, Recognizer, RecognizerConfig

HAS_WEIGHTS = (WEIGHTS / "model.bin").exists()
needs_weights = pytest.mark.skipif(
    not HAS_WEIGHTS, reason="no recogniser (133 MB to download): python -m export.whisper.set_up"
)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(WEIGHTS, RecognizerConfig(threads=2))


def listen(samples: np.ndarray, language: str | None = "en") -> Listen:
    return Listen(samples=samples.astype(np.float32), language=language, task="transcribe")


def test_a_folder_without_a_model_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no model\.bin, .*python -m export\.whisper"):
        Recognizer(tmp_path, RecognizerConfig())


@needs_weights
def test_a_batch_has_an_answer_a_window(recognizer: Recognizer) -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.1, 48_000)
    batch = [listen(noise, "zh"), listen(noise[:9_000], None), listen(noise, "en")]
    heard = recognizer.recognize(batch)
    assert [one.language for one in heard[::2]] == ["zh", "en"]
    assert heard[1].language in recognizer.vocabulary.languages
    assert heard[1].language_probability < 1
    for one in heard:
        assert len(one.tokens) == len(one.times_s) == len(one.probabilities)
        assert (np.diff(one.times_s) >= 0).all()
        assert ((one.probabilities > 0) & (one.probabilities <= 1)).all()
        assert one.score < 0


@needs_weights
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (listen(np.zeros(0)), "1 to 480000"),
        (listen(np.zeros(MAX_SAMPLES + 1)), "1 to 480000"),
        (listen(np.array([0, np.nan])), "no numbers"),
        (listen(np.zeros(9), "xx"), "unknown"),
    ],
)
def test_what_cannot_be_heard_is_refused(recognizer: Recognizer, asked: Listen, message: str) -> None:
    with pytest.raises(InputError, match=message):
        recognizer.check(asked)
