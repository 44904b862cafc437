from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tandem.errors import InputError
from tandem.services.speech_translation import translate as module
from tandem.services.speech_translation.translate import (
    PART_CHARACTERS,
    TranslationOptions,
    parse_options,
    parts_of,
    translate_speech,
)

SCHEMA = json.loads((Path(module.__file__).parent / "result.schema.json").read_text("utf-8"))


def heard(*texts: str, language: str | None = "zh") -> dict[str, Any]:
    segments = [
        {"start_s": i, "end_s": i + 1, "text": text, "confidence": 0.5} for i, text in enumerate(texts)
    ]
    return {"text": "".join(texts), "language": language, "segments": segments}


class Models:
    def __init__(self, transcript: dict[str, Any]) -> None:
        self.transcript = transcript
        self.asked: list[dict[str, Any]] = []
        self.parts: list[tuple[str, str, str]] = []

    def transcribe(self, options: bytes) -> Mapping[str, Any]:
        self.asked.append(json.loads(options))
        return heard("Hello.", language="en") if "task" in self.asked[-1] else self.transcript

    def translate(self, parts: Sequence[str], source: str, target: str) -> Iterator[Mapping[str, Any]]:
        for part in parts:
            self.parts.append((part, source, target))
            yield {"translation": f"<{part}>", "warnings": [{"kind": "repetition", "start": 0, "end": 1}]}


def run(models: Models, **options: str) -> dict[str, Any]:
    answer = translate_speech(TranslationOptions(**options), models.transcribe, models.translate)
    jsonschema.validate(answer, SCHEMA)
    return answer


def test_chinese_becomes_english_through_the_translator() -> None:
    models = Models(heard("你好", "再见。", "走了"))
    answer = run(models)
    assert models.parts == [("你好，再见。走了", "zh", "en")]
    assert (answer["translation"], answer["target"]) == ("<你好，再见。走了>", "en")
    assert answer["warnings"] == ["repetition"]
    assert answer["text"] == "你好再见。走了"


def test_english_becomes_chinese() -> None:
    models = Models(heard("Good", "bye.", language="en"))
    run(models, language="en")
    assert models.parts == [("Good bye.", "en", "zh")]
    assert models.asked == [{"language": "en"}]


def test_what_is_in_the_target_language_stays() -> None:
    models = Models(heard("hello", language="en"))
    assert run(models, target="en")["translation"] == "hello"
    assert models.parts == []


def test_nobody_spoke() -> None:
    answer = run(Models(heard(language=None)))
    assert (answer["translation"], answer["target"], answer["warnings"]) == ("", None, [])


def test_another_language_is_refused() -> None:
    with pytest.raises(InputError, match=r"Chinese \(zh\) and English \(en\) can"):
        run(Models(heard("hola", language="es")))


def test_whispers_own_translation_only_when_asked_for() -> None:
    models = Models(heard("你好"))
    assert run(models, by="whisper")["translation"] == "Hello."
    assert models.asked[-1] == {"language": None, "task": "translate"}
    assert models.parts == []
    with pytest.raises(InputError, match="to en only"):
        TranslationOptions(by="whisper", target="zh")


def test_a_long_transcript_is_split_between_segments() -> None:
    segments = heard(*["十个字的一句话在这里。"] * 600)["segments"]
    parts = list(parts_of(segments, "zh"))
    assert "".join(parts) == "十个字的一句话在这里。" * 600
    assert all(len(part) <= PART_CHARACTERS and part.endswith("。") for part in parts)


def test_options_are_checked() -> None:
    assert parse_options(b'{"target": "en"}') == TranslationOptions(target="en")
    for data, message in (
        (b'{"target": "fr"}', "one of zh, en"),
        (b'{"by": "me"}', "one of translator, whisper"),
        (b'{"task": "translate"}', "allowed: by, language, target"),
    ):
        with pytest.raises(InputError, match=message):
            parse_options(data)
