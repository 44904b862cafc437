"""What travels between `speech_to_text` and the recogniser, as arrays of one item (no batch dimension)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.errors import InputError
from tandem.services.speech_to_text.listening import Heard, Listen
from tandem.services.speech_to_text.vocabulary import TASKS

Arrays = Mapping[str, NDArray[Any]]
LISTEN_TENSORS = ("SAMPLES", "LENGTH", "LANGUAGE", "TASK")
HEARD_TENSORS = ("TOKENS", "TIMES", "PROBABILITIES", "SPOKEN", "SCORES")


def pack_listen(asked: Listen) -> Arrays:
    """`LISTEN_TENSORS`."""
    return {
        "SAMPLES": np.ascontiguousarray(asked.samples, np.float32),
        "LENGTH": np.array([len(asked.samples)], np.int32),
        "LANGUAGE": np.array([(asked.language or "").encode()], np.object_),
        "TASK": np.array([asked.task.encode()], np.object_),
    }


def unpack_listen(arrays: Arrays) -> Listen:
    """What `pack_listen` packed; what fills the samples up behind their length is cut off.

    Raises:
        InputError: the language is not text, the task unknown, or the length another than the samples allow.
    """
    try:
        language, task = (arrays[name][0].decode() for name in ("LANGUAGE", "TASK"))
    except UnicodeDecodeError as error:
        raise InputError("LANGUAGE and TASK must be UTF-8") from error
    if task not in TASKS:
        raise InputError(f"TASK must be one of {', '.join(TASKS)}")
    samples, length = arrays["SAMPLES"], int(arrays["LENGTH"][0])
    if not 0 <= length <= len(samples):
        raise InputError(f"LENGTH is {length}; 0 (all) to {len(samples)}, the samples sent, are allowed")
    return Listen(samples=samples[: length or None], language=language or None, task=task)


def pack_heard(heard: Heard) -> Arrays:
    """`HEARD_TENSORS`."""
    return {
        "TOKENS": heard.tokens,
        "TIMES": heard.times_s,
        "PROBABILITIES": heard.probabilities,
        "SPOKEN": np.array([heard.language.encode()], np.object_),
        "SCORES": np.array([heard.language_probability, heard.no_speech, heard.score], np.float32),
    }


def unpack_heard(arrays: Arrays) -> Heard:
    """What `pack_heard` packed; zeros behind a shorter window's tokens are cut off."""
    is_token = arrays["PROBABILITIES"] > 0
    language_probability, no_speech, score = (float(value) for value in arrays["SCORES"])
    return Heard(
        tokens=arrays["TOKENS"][is_token],
        times_s=arrays["TIMES"][is_token],
        probabilities=arrays["PROBABILITIES"][is_token],
        language=arrays["SPOKEN"][0].decode(),
        language_probability=language_probability,
        no_speech=no_speech,
        score=score,
    )
