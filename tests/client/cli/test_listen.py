"""`tandem listen` against a server in this process: its own rules are tested, not the recogniser's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tandem_triton.cli import listen
from tandem_triton.cli.main import find_commands, main
from tandem_triton.core.errors import BadItemError
from tandem_triton.core.in_flight import Result
from tandem_triton.core.service import Answer, Service

from tests.client.services.test_speech import SILENCE, TRANSCRIPT, TRANSLATION


class AskedClient:
    """Stands for the connection; each file's name says what becomes of it."""

    asked: tuple[Service[Any], dict[str, Any]]

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> AskedClient:
        return self

    def __exit__(self, *_: object) -> None: ...

    def call_many(self, service: Service[Any], items: list[str], **options: Any) -> Iterator[Result[Any]]:
        type(self).asked = (service, options)
        answers = {
            "talk": TRANSLATION if service.name == "speech_translation" else TRANSCRIPT,
            "hush": SILENCE,
        }
        for index, item in enumerate(items):
            if item == "bad":
                yield Result(index=index, item=item, error=BadItemError("is empty"))
            else:
                text = json.dumps(answers[item]).encode()
                yield Result(index=index, item=item, answer=Answer(service, text))


@pytest.fixture(autouse=True)
def _client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen, "Client", AskedClient)


def test_it_is_a_command() -> None:
    assert "listen" in find_commands()


def test_text_has_times_and_the_status_tells_of_failures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "talk", "hush", "bad"]) == 1
    out, err = capsys.readouterr()
    assert out == "talk (zh)\n  00:00:00.500 你好\n  00:00:02.000 再见\nhush (nobody spoke)\n"
    assert "bad: is empty" in err


def test_subtitles(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "--format", "srt", "talk"]) == 0
    assert capsys.readouterr().out == (
        "1\n00:00:00,500 --> 00:00:01,000\n你好\n\n2\n00:00:02,000 --> 00:00:03,250\n再见\n\n"
    )


def test_json_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "--format", "json", "--language", "zh", "talk"]) == 0
    assert json.loads(capsys.readouterr().out) == {"recording": "talk", **TRANSCRIPT}
    assert AskedClient.asked[1] == {"language": "zh"}


def test_translation_asks_the_other_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "--translate", "en", "talk"]) == 0
    assert "  en: Hello. Bye." in capsys.readouterr().out
    service, options = AskedClient.asked
    assert (service.name, options) == ("speech_translation", {"target": "en"})


def test_an_unusable_option_is_a_usage_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["listen", "--translate", "en", "--language", "fr", "talk"]
    assert main(arguments) == 2
    assert "speech_translation" in capsys.readouterr().err
