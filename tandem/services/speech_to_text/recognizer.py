"""Whisper on CTranslate2: windows in, tokens with times and probabilities out, a batch at a time.

Whisper was trained on windows of 30 s. Shorter ones are heard as well, if at least ten seconds long and
with a second of silence behind, for a third of the work: docs/services/speech_to_text.md has the figures.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from tandem.errors import InputError
from tandem.media.audio import SAMPLE_RATE
from tandem.services.speech_to_text.features import FRAMES_PER_SECOND, log_mel
from tandem.services.speech_to_text.listening import Heard, Listen
from tandem.services.speech_to_text.vocabulary import Vocabulary

MODEL_FILES = ("model.bin", "config.json", "tokenizer.json")
MAX_SAMPLES = 30 * SAMPLE_RATE

_LEAST_WINDOW_S, _SILENCE_BEHIND_S, _MOST_WINDOW_S = 10.0, 1.0, 30.0
_TOKENS_PER_SECOND = 50  # of the encoder's output
_MOST_TOKENS = 224  # half of the decoder's positions, as OpenAI's own code
_SPOKEN_TOKENS_PER_S, _SPARE_TOKENS = 16, 24  # nobody speaks faster; a loop ends there
_LEAST_PROBABILITY = 1e-6  # 0 marks that there is no token
_MEDIAN_FILTER = 7  # frames, OpenAI's own choice
#: Text that compresses better than this repeats itself; OpenAI's own limit.
_LOOP_COMPRESSION = 2.4


@dataclass(frozen=True, kw_only=True)
class RecognizerConfig:
    """How the network runs.

    Attributes:
        device: `cpu` or `cuda`.
        device_index: which GPU.
        compute_type: CTranslate2's name of the number format, e.g. `int8` or `float16`.
        threads: of one computation; 0 lets CTranslate2 choose.
        beam: hypotheses that are followed, ≥ 1.
    """

    device: str = "cpu"
    device_index: int = 0
    compute_type: str = "int8"
    threads: int = 2
    beam: int = 5


class Recognizer:
    """One loaded model."""

    def __init__(self, folder: Path, config: RecognizerConfig) -> None:
        """Loads the model in `folder`.

        Raises:
            ValueError: files are missing, or it is no Whisper that knows several languages.
        """
        missing = [name for name in MODEL_FILES if not (folder / name).is_file()]
        if missing:
            raise ValueError(f"{folder} has no {', '.join(missing)}: python -m export.whisper makes them")
        self.vocabulary = Vocabulary(folder / "tokenizer.json")
        self._beam = config.beam
        self._model = ctranslate2.models.Whisper(
            str(folder),
            device=config.device,
            device_index=config.device_index,
            compute_type=config.compute_type,
            intra_threads=config.threads,
        )
        if not self._model.is_multilingual:
            raise ValueError(f"{folder} holds a Whisper that knows English only: take a multilingual one")

    def check(self, asked: Listen) -> None:
        """Returns if the window can be heard.

        Raises:
            InputError: no samples, more than 30 s, samples that are no numbers, or an unknown language.
        """
        count = len(asked.samples)
        if not 1 <= count <= MAX_SAMPLES:
            raise InputError(f"SAMPLES has {count} samples; 1 to {MAX_SAMPLES} (30 s at 16 kHz) are allowed")
        if not np.isfinite(asked.samples).all():
            raise InputError("SAMPLES has values that are no numbers (NaN or infinite)")
        if asked.language is not None:
            self.vocabulary.check_language(asked.language)

    def recognize(self, batch: Sequence[Listen]) -> list[Heard]:
        """What is heard in each window; all of them have passed `check`."""
        frames = window_frames(max(len(asked.samples) for asked in batch))
        mels = self._model.n_mels
        features = np.stack([log_mel(asked.samples, frames=frames, mels=mels) for asked in batch])
        encoded = self._model.encode(ctranslate2.StorageView.from_array(features))
        languages = self._languages(encoded, batch)
        prompts = [
            self.vocabulary.prompt(language, asked.task)
            for (language, _), asked in zip(languages, batch, strict=True)
        ]
        results = self._decode(encoded, prompts, frames)
        tokens = [result.sequences_ids[0] for result in results]
        aligned = self._aligned(encoded, batch, prompts, tokens)
        return [
            Heard(
                tokens=np.array(ids, np.int32),
                times_s=times,
                probabilities=probabilities,
                language=language,
                language_probability=float(probability),
                no_speech=float(result.no_speech_prob),
                score=float(result.scores[0]),
            )
            for ids, (times, probabilities), (language, probability), result in zip(
                tokens, aligned, languages, results, strict=True
            )
        ]

    def _languages(self, encoded: Any, batch: Sequence[Listen]) -> list[tuple[str, float]]:
        """(language, probability) of each window."""
        if all(asked.language is not None for asked in batch):
            return [(asked.language or "", 1.0) for asked in batch]
        detected = self._model.detect_language(encoded)
        return [
            (asked.language, 1.0) if asked.language else (found[0][0].strip("<|>"), found[0][1])
            for asked, found in zip(batch, detected, strict=True)
        ]

    def _decode(self, encoded: Any, prompts: list[list[int]], frames: int) -> list[Any]:
        """Beam search; a window whose text runs in circles is searched again with repetition forbidden."""
        most = int(_SPARE_TOKENS + _SPOKEN_TOKENS_PER_S * frames / FRAMES_PER_SECOND)
        options = {
            "beam_size": self._beam,
            "max_length": min(_MOST_TOKENS, most) + len(prompts[0]),
            "return_scores": True,
            "return_no_speech_prob": True,
        }
        results = list(self._model.generate(encoded, prompts, **options))
        if any(self._runs_in_circles(result.sequences_ids[0]) for result in results):
            again = self._model.generate(
                encoded, prompts, repetition_penalty=1.1, no_repeat_ngram_size=4, **options
            )
            results = [
                second if self._runs_in_circles(first.sequences_ids[0]) else first
                for first, second in zip(results, again, strict=True)
            ]
        return results

    def _runs_in_circles(self, tokens: list[int]) -> bool:
        text = self.vocabulary.text(tokens).encode()
        return len(text) / max(1, len(zlib.compress(text))) > _LOOP_COMPRESSION

    def _aligned(
        self, encoded: Any, batch: Sequence[Listen], prompts: list[list[int]], tokens: list[list[int]]
    ) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """(times in seconds, probabilities) of each window's tokens, by the decoder's attention.

        CTranslate2 aligns a batch under one prompt: windows of another language are aligned again under
        theirs.
        """
        lengths = [max(1, len(asked.samples) * FRAMES_PER_SECOND // SAMPLE_RATE) for asked in batch]
        starts = {tuple(prompt[:-1]) for prompt in prompts}
        found = {
            start: self._model.align(
                encoded, list(start), tokens, lengths, median_filter_width=_MEDIAN_FILTER
            )
            for start in starts
        }
        return [
            _token_times(found[tuple(prompt[:-1])][i], len(ids))
            for i, (prompt, ids) in enumerate(zip(prompts, tokens, strict=True))
        ]


def _token_times(alignment: Any, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(times in seconds, probabilities), (count,) float32 each, of CTranslate2's alignment."""
    if count == 0:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    path = np.array(alignment.alignments)  # (token, frame of 20 ms) each, both ascending
    begins = np.concatenate([[True], np.diff(path[:, 0]) > 0])
    times = path[begins, 1][:count] / _TOKENS_PER_SECOND
    probabilities = np.array(alignment.text_token_probs[:count], np.float32)
    return times.astype(np.float32), np.maximum(probabilities, _LEAST_PROBABILITY)


def window_frames(samples: int) -> int:
    """Frames of 10 ms (an even number) of the window: a second more than the samples, 10 s to 30 s."""
    seconds = min(max(samples / SAMPLE_RATE + _SILENCE_BEHIND_S, _LEAST_WINDOW_S), _MOST_WINDOW_S)
    return 2 * int(np.ceil(seconds * FRAMES_PER_SECOND / 2))
