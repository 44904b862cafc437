"""A transcript's text → its translation: in parts that the translator takes, split between segments."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tandem.errors import InputError
from tandem.media.options import one_of, read_options

CHINESE, ENGLISH = "zh", "en"
LANGUAGES = (CHINESE, ENGLISH)
TRANSLATOR, WHISPER = "translator", "whisper"
#: A part of a transcript that is translated by one request; the translator takes 5,000 characters.
PART_CHARACTERS = 2000

_OTHER = {CHINESE: ENGLISH, ENGLISH: CHINESE}
_ENDS = tuple("，。？！；：、,.?!;:…")
_COMMA = {CHINESE: "，", ENGLISH: " "}

#: Gives the translator's results (`translation`, `warnings`) for the parts, in order.
Translate = Callable[[Sequence[str], str, str], Iterable[Mapping[str, Any]]]
#: Gives the transcript (`text`, `language`, `segments`) for OPTIONS as JSON.
Transcribe = Callable[[bytes], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class TranslationOptions:
    """Checked options.

    Attributes:
        target: `zh` or `en`; None: English for Chinese, Chinese for English.
        language: the spoken one, `zh` or `en`; None: it is detected.
        by: `translator`, or `whisper`: the recogniser's own translation to English, which is worse.
    """

    target: str | None = None
    language: str | None = None
    by: str = TRANSLATOR

    def __post_init__(self) -> None:
        if self.by == WHISPER and self.target == CHINESE:
            raise InputError('OPTIONS: "by": "whisper" translates to en only')


def parse_options(data: bytes | None) -> TranslationOptions:
    """The options of a request.

    Raises:
        InputError: no JSON object, an unknown key, or a value that is not allowed; the message says what is.
    """
    languages = one_of(*LANGUAGES)
    checks = {"target": languages, "language": languages, "by": one_of(TRANSLATOR, WHISPER)}
    return TranslationOptions(**read_options(data, checks))


def translate_speech(
    options: TranslationOptions, transcribe: Transcribe, translate: Translate
) -> dict[str, Any]:
    """The answer to one recording, as result.schema.json has it.

    Raises:
        InputError: another language than Chinese or English is spoken.
        StepError: what the two models answered with.
    """
    heard = transcribe(_asked(options))
    answer = {**heard, "translation": "", "target": options.target, "warnings": []}
    spoken = heard["language"]
    if not heard["text"]:
        return answer
    if options.by == WHISPER:
        own = transcribe(_asked(options, task="translate"))
        return {**answer, "target": ENGLISH, "translation": own["text"]}
    if spoken not in LANGUAGES:
        raise InputError(
            "another language is spoken than can be translated; Chinese (zh) and English (en) can"
        )
    target = options.target or _OTHER[spoken]
    if target == spoken:
        return {**answer, "target": target, "translation": heard["text"]}
    found = list(translate(list(parts_of(heard["segments"], spoken)), spoken, target))
    return {
        **answer,
        "target": target,
        "translation": ("" if target == CHINESE else " ").join(part["translation"] for part in found),
        "warnings": sorted({warning["kind"] for part in found for warning in part["warnings"]}),
    }


def parts_of(segments: Sequence[Mapping[str, Any]], language: str) -> Iterator[str]:
    """The text in parts of about `PART_CHARACTERS` at most, a comma where somebody only paused."""
    part = ""
    for segment in segments:
        text = segment["text"]
        if part and len(part) + len(text) > PART_CHARACTERS:
            yield part
            part = ""
        if part and language == CHINESE:
            part += text if part.endswith(_ENDS) else _COMMA[language] + text
        else:
            part += f"{_COMMA[language]}{text}" if part else text
    if part:
        yield part


def _asked(options: TranslationOptions, **more: str) -> bytes:
    """The OPTIONS of `speech_to_text`."""
    return json.dumps({"language": options.language, **more}).encode()
