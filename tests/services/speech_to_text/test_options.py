from __future__ import annotations

import pytest

from tandem.errors import InputError
from tandem.services.speech_to_text.options import SpeechOptions, parse_options


def test_what_may_be_asked_for() -> None:
    assert parse_options(None) == parse_options(b"{}") == SpeechOptions()
    assert parse_options(b'{"language": null}') == SpeechOptions()
    assert parse_options(b'{"language": "zh", "task": "translate"}') == SpeechOptions(
        language="zh", task="translate"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"zh", "not JSON"),
        (b"[1]", "not an object"),
        (b'{"lang": "zh"}', r"unknown keys \(1\); allowed: language, task"),
        (b'{"language": 1}', "language code like zh or en"),
        (b'{"language": "chinese"}', "language code like zh or en"),
        (b'{"task": "sing"}', "one of transcribe, translate"),
        (b'{"language": "' + b"z" * 5000 + b'"}', "at most 4096"),
    ],
)
def test_what_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_options(data)
