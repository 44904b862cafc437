"""What a caller may ask for beside the recording: the JSON of `OPTIONS`."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

from tandem.errors import InputError
from tandem.services.speech_to_text.vocabulary import TASKS, TRANSCRIBE

MAX_OPTION_BYTES = 4096


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
        InputError: no JSON object, an unknown key, or a value of the wrong kind; the message says what is
            allowed.
    """
    given = json_object(data, allowed=[field.name for field in fields(SpeechOptions)])
    language, task = given.get("language"), given.get("task", TRANSCRIBE)
    if language is not None and not isinstance(language, str):
        raise InputError("OPTIONS: language must be a language code like zh or en, or null")
    if task not in TASKS:
        raise InputError(f"OPTIONS: task must be {' or '.join(TASKS)}")
    return SpeechOptions(language=language or None, task=task)


def json_object(data: bytes | None, *, allowed: list[str]) -> dict[str, Any]:
    """The JSON object that `data` holds, {} if there is none.

    Raises:
        InputError: too long, not JSON, not an object, or a key that is not allowed.
    """
    if not data:
        return {}
    keys = ", ".join(allowed)
    if len(data) > MAX_OPTION_BYTES:
        raise InputError(f"OPTIONS has {len(data)} bytes; at most {MAX_OPTION_BYTES} are allowed")
    try:
        given = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"OPTIONS is not JSON; a JSON object with {keys} is allowed") from error
    if not isinstance(given, dict):
        raise InputError(f"OPTIONS is not a JSON object; one with {keys} is allowed")
    unknown = sum(key not in allowed for key in given)
    if unknown:
        raise InputError(f"OPTIONS has {unknown} unknown key{'s' if unknown > 1 else ''}; allowed are {keys}")
    return given
