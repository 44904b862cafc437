"""What a caller may ask for beside the recording: the JSON of `OPTIONS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tandem.errors import InputError
from tandem.media.options import one_of, read_options
from tandem.services.speech_to_text.vocabulary import TASKS, TRANSCRIBE

_MAX_CODE = 3  # letters of a language's code


@dataclass(frozen=True, kw_only=True)
class SpeechOptions:
    """Checked options.

    Attributes:
        language: a language code of Whisper's (`zh`, `en`, …); None: detected.
        task: `transcribe`, or `translate`: Whisper's own translation to English, which is poor.
    """

    language: str | None = None
    task: str = TRANSCRIBE


def parse_options(data: bytes | None) -> SpeechOptions:
    """The options of a request.

    Args:
        data: JSON as sent, None or empty if none were.

    Raises:
        InputError: no JSON object, an unknown key, or a value that is not allowed; the message says what is.
    """
    return SpeechOptions(**read_options(data, {"language": language_code, "task": one_of(*TASKS)}))


def language_code(key: str, value: Any) -> str:
    """The check of a language's code; whether the network knows it is asked elsewhere."""
    if not isinstance(value, str) or not value.isalpha() or not value.islower() or len(value) > _MAX_CODE:
        raise InputError(f'OPTIONS: "{key}" must be a language code like zh or en')
    return value
