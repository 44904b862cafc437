"""A recording's whole way, with a recogniser and a voice activity network that tests can foresee."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from tandem.errors import InputError
from tandem.services.speech_to_text.listening import Heard, Listen
from tandem.services.speech_to_text.options import SpeechOptions
from tandem.services.speech_to_text.tensors import pack_heard, pack_listen, unpack_heard, unpack_listen
from tandem.services.speech_to_text.transcribe import transcribe
from tandem.services.speech_to_text.turns import FairSteps
from tandem.services.speech_to_text.vocabulary import Vocabulary
from tests.media.recordings import encoded
from tests.services.speech_to_text.sounds import heard, small_vocabulary, tokens_of
from tests.services.speech_to_text.test_windows import LOUD, loudness, sound


class Recognizer:
    """Says how many seconds it heard, the last token at the end; remembers what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[Listen] = []
        self.steps: list[int] = []
        self.is_noise = lambda _: False
        self.hears_all = True

    def __call__(self, batch: Sequence[Listen]) -> list[Heard | BaseException]:
        self.steps.append(len(batch))
        self.asked += batch
        return [self._one(unpack_listen(pack_listen(one))) for one in batch]

    def _one(self, one: Listen) -> Heard:
        tokens = tokens_of(f" {len(one.samples) / 16_000:.0f}", self.folder)
        noise = {"no_speech": 0.9, "score": -3.0} if self.is_noise(one) else {}
        seconds = len(one.samples) / 16_000
        times = np.linspace(0.1, seconds if self.hears_all else 1.0, len(tokens)).tolist()
        return unpack_heard(pack_heard(heard(tokens, language=one.language or "en", times=times, **noise)))


@pytest.fixture
def vocabulary(tmp_path: Path) -> Vocabulary:
    return small_vocabulary(tmp_path)


@pytest.fixture
def recognizer(tmp_path: Path) -> Recognizer:
    return Recognizer(tmp_path)


@pytest.fixture
def steps(recognizer: Recognizer) -> Iterator[FairSteps[Listen, Heard]]:
    fair: FairSteps[Listen, Heard] = FairSteps(recognizer)
    yield fair
    fair.close()


LONG = encoded(sound(*[(12, LOUD), (2, 0)] * 5), "WAV", 16_000)


def run(
    data: bytes, steps: FairSteps[Listen, Heard], vocabulary: Vocabulary, **options: str
) -> dict[str, object]:
    return transcribe(
        data,
        SpeechOptions(**options),  # type: ignore[arg-type]
        steps=steps,
        voice=loudness,
        vocabulary=vocabulary,
        check_wanted=lambda: None,
    )


def test_windows_travel_two_by_two_behind_the_first(
    recognizer: Recognizer, steps: FairSteps[Listen, Heard], vocabulary: Vocabulary
) -> None:
    answer = run(LONG, steps, vocabulary)
    assert recognizer.steps == [1, 2, 2]
    assert [asked.language for asked in recognizer.asked] == [None, "en", "en", "en", "en"]
    assert answer["text"] == "13 14 14 14 14"
    assert answer["language"] == "en"
    starts = [segment["start_s"] for segment in answer["segments"]]  # type: ignore[attr-defined]
    assert starts == [pytest.approx(14 * i, abs=0.04) for i in range(5)]


def test_a_given_language_is_not_detected(
    recognizer: Recognizer, steps: FairSteps[Listen, Heard], vocabulary: Vocabulary
) -> None:
    run(LONG, steps, vocabulary, language="zh")
    assert recognizer.steps == [2, 2, 1]
    assert {asked.language for asked in recognizer.asked} == {"zh"}


def test_a_recording_alone_keeps_every_instance_busy(recognizer: Recognizer, vocabulary: Vocabulary) -> None:
    together = threading.Barrier(2)
    calls = itertools.count()

    def step(batch: Sequence[Listen]) -> list[Heard | BaseException]:
        if next(calls) < together.parties:
            together.wait(20.0)  # breaks, and fails the recording, if only one step runs
        return recognizer(batch)

    fair: FairSteps[Listen, Heard] = FairSteps(step, at_once=2)
    answer = run(LONG, fair, vocabulary, language="zh")
    fair.close()
    assert answer["text"] == "13 14 14 14 14"
    assert sorted(recognizer.steps) == [1, 2, 2]


def test_noise_at_the_start_decides_no_language(
    recognizer: Recognizer, steps: FairSteps[Listen, Heard], vocabulary: Vocabulary
) -> None:
    recognizer.is_noise = lambda one: (
        one is recognizer.asked[0] or (one.language is None and len(recognizer.asked) < 2)
    )  # type: ignore[method-assign]
    answer = run(LONG, steps, vocabulary)
    assert [asked.language for asked in recognizer.asked] == [None, None, None, "en", "en"]
    assert answer["text"] == "14 14 14 14"


def test_the_end_that_was_left_out_is_asked_about_again(
    recognizer: Recognizer, steps: FairSteps[Listen, Heard], vocabulary: Vocabulary
) -> None:
    recognizer.hears_all = False
    answer = run(encoded(sound((8, LOUD)), "WAV", 16_000), steps, vocabulary, language="en")
    assert [round(len(asked.samples) / 16_000, 1) for asked in recognizer.asked] == [8.0, 6.6, 5.2, 3.8]
    assert answer["text"] == "8 7 5 4"


def test_silence_asks_nobody(
    recognizer: Recognizer, steps: FairSteps[Listen, Heard], vocabulary: Vocabulary
) -> None:
    answer = run(encoded(np.zeros(16_000, np.float32), "FLAC", 16_000), steps, vocabulary)
    assert answer == {"text": "", "language": None, "segments": []}
    assert recognizer.steps == []


def test_an_unknown_language_is_refused_before_any_work(
    recognizer: Recognizer, steps: FairSteps[Listen, Heard], vocabulary: Vocabulary
) -> None:
    with pytest.raises(InputError, match="known are en, haw, zh"):
        run(LONG, steps, vocabulary, language="xx")
    assert recognizer.steps == []


def test_who_has_gone_is_noticed_between_the_steps(
    recognizer: Recognizer, steps: FairSteps[Listen, Heard], vocabulary: Vocabulary
) -> None:
    checks = iter([None, InputError("gone")])

    def check() -> None:
        if (error := next(checks)) is not None:
            raise error

    with pytest.raises(InputError, match="gone"):
        transcribe(
            LONG, SpeechOptions(), steps=steps, voice=loudness, vocabulary=vocabulary, check_wanted=check
        )
    assert recognizer.steps == [1]


def test_a_failed_window_fails_its_recording_alone(
    steps: FairSteps[Listen, Heard], recognizer: Recognizer, vocabulary: Vocabulary
) -> None:
    broken = encoded(np.array([0.3] * 16_000 * 20 + [np.nan], np.float32), "WAV", 16_000, subtype="FLOAT")
    with pytest.raises(InputError, match="no numbers"):
        run(broken, steps, vocabulary)
    assert run(LONG, steps, vocabulary)["language"] == "en"
