"""What the tests of this service share: a small vocabulary with real rules, and windows made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from tandem.services.speech_to_text.listening import Heard
from tandem.services.speech_to_text.vocabulary import Vocabulary
from tandem.services.speech_to_text.windows import Window

SPECIAL = (
    "startoftranscript",
    "en",
    "zh",
    "haw",
    "transcribe",
    "translate",
    "notimestamps",
    "nospeech",
    "0.00",
)


def small_vocabulary(folder: Path) -> Vocabulary:
    """Each byte a token, as in Whisper's own byte-level vocabulary; a Chinese character takes three."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in SPECIAL])
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return Vocabulary(path)


def tokens_of(text: str, folder: Path) -> list[int]:
    return list(Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text).ids)


def heard(
    tokens: list[int],
    *,
    language: str = "en",
    times: list[float] | None = None,
    no_speech: float = 0.0,
    score: float = -0.1,
    probability: float = 0.9,
) -> Heard:
    return Heard(
        tokens=np.array(tokens, np.int32),
        times_s=np.array(times if times is not None else np.arange(len(tokens)) * 0.1, np.float32),
        probabilities=np.full(len(tokens), probability, np.float32),
        language=language,
        language_probability=1.0,
        no_speech=no_speech,
        score=score,
    )


def window(start_s: float = 0.0, *speech_s: tuple[float, float], seconds: float = 5.0) -> Window:
    samples: NDArray[np.float32] = np.zeros(int(seconds * 16_000), np.float32)
    return Window(start_s=start_s, samples=samples, speech_s=speech_s or ((start_s, start_s + seconds),))
