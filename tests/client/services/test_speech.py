from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from tandem_triton import Answer, BadItemError, ProtocolError, Service, find_services
from tandem_triton.services import speech_to_text, speech_translation
from tandem_triton.services.speech_to_text import Segment, Transcript

TRANSCRIPT: dict[str, Any] = {
    "text": "你好 再见",
    "language": "zh",
    "segments": [
        {"start_s": 0.5, "end_s": 1, "text": "你好", "confidence": 0.9},
        {"start_s": 2, "end_s": 3.25, "text": "再见", "confidence": 1},
    ],
}
TRANSLATION = {**TRANSCRIPT, "translation": "Hello. Bye.", "target": "en", "warnings": ["repetition"]}
SILENCE: dict[str, object] = {"text": "", "language": None, "segments": []}
SPEECH = [(speech_to_text.SERVICE, TRANSCRIPT), (speech_translation.SERVICE, TRANSLATION)]


@pytest.mark.parametrize(("service", "answer"), SPEECH)
def test_the_answers_used_here_are_the_contracts(service: Service[Any], answer: dict[str, Any]) -> None:
    text = (files(f"tandem.services.{service.name}") / "result.schema.json").read_text("utf-8")
    jsonschema.validate(answer, json.loads(text))


def test_a_transcript_says_what_the_answer_says() -> None:
    answer = Answer(speech_to_text.SERVICE, json.dumps(TRANSCRIPT).encode())
    assert answer.value == Transcript(
        text="你好 再见",
        language="zh",
        segments=(
            Segment(start_s=0.5, end_s=1.0, text="你好", confidence=0.9),
            Segment(start_s=2.0, end_s=3.25, text="再见", confidence=1.0),
        ),
    )
    assert answer.outcome == "answered"
    assert Answer(speech_to_text.SERVICE, json.dumps(SILENCE).encode()).outcome == "empty"


def test_a_translation_says_what_the_answer_says() -> None:
    value = Answer(speech_translation.SERVICE, json.dumps(TRANSLATION).encode()).value
    assert (value.translation, value.target, value.warnings) == ("Hello. Bye.", "en", ("repetition",))
    with pytest.raises(ProtocolError):
        Answer(speech_translation.SERVICE, json.dumps({**TRANSLATION, "target": 1}).encode())


def test_options_are_checked_before_anything_is_sent() -> None:
    assert speech_to_text.SERVICE.encode_options({"language": "zh"}) == b'{"language":"zh"}'
    with pytest.raises(BadItemError, match="there are: language, task"):
        speech_to_text.SERVICE.encode_options({"lang": "zh"})
    with pytest.raises(BadItemError, match="option of speech_translation is wrong"):
        speech_translation.SERVICE.encode_options({"target": "fr"})


def test_they_are_found_and_take_what_phones_send() -> None:
    services = find_services()
    for name in ("speech_to_text", "speech_translation"):
        assert services[name].takes("audio/mp4; codecs=opus")
        assert services[name].takes("video/webm")
        assert not services[name].takes("image/png")
