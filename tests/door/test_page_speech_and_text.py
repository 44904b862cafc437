"""The page's tabs of speech and text in a real Chromium, in front of the real models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tests.door.process import DoorProcess
from tests.door.test_page import CHROMIUM, WIDE, Visitor, browser
from tests.server import speech_server, text_server

LACKING = speech_server.missing() or text_server.missing_weights()
pytestmark = [
    pytest.mark.triton,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium"),
    pytest.mark.skipif(bool(LACKING), reason=LACKING),
]
SERVICES = ("speech_to_text", "speech_translation", "text_keywords", "text_translation")
assert browser  # the fixture


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DoorProcess]:
    models = (*speech_server.MODELS, speech_server.TRANSLATION, *text_server.MODELS)
    repository = text_server.repository_of(models, tmp_path_factory.mktemp("models"))
    options = ServerOptions(model_repository=repository, grpc_port=0, http_port=0, metrics_port=0)
    with (
        TritonServer(options) as running,
        DoorProcess("--triton", running.grpc_url, "--services", ",".join(SERVICES)) as started,
    ):
        yield started


@pytest.fixture
def visitor(door: DoorProcess, browser: Any) -> Iterator[Visitor]:
    visitor = Visitor(browser, door, WIDE)
    yield visitor
    visitor.leave()


def answer(visitor: Visitor) -> Any:
    """What the page shows after `Send`."""
    visitor.page.locator("button.main").click()
    shown = visitor.page.locator("pre.json:not([hidden])")
    shown.wait_for()
    return json.loads(shown.inner_text())


def test_each_service_has_its_tab(visitor: Visitor) -> None:
    visitor.page.locator("#tabs button").first.wait_for()
    names = visitor.page.locator("#tabs button").evaluate_all("all => all.map(one => one.dataset.name)")
    assert names == [*SERVICES, "load"]
    for name in SERVICES:
        visitor.page.locator(f"#tabs [data-name={name}]").click()
        assert visitor.page.locator(".summary").inner_text()
        assert visitor.page.locator(".message").inner_text() == ""


def test_a_text_is_translated_and_its_keywords_found(visitor: Visitor) -> None:
    visitor.page.locator("#tabs [data-name=text_translation]").click()
    visitor.page.locator("textarea").fill("请问图书馆几点关门？")
    visitor.page.locator("input[name=target]").fill("en")
    translated = answer(visitor)
    assert (translated["source"], translated["target"]) == ("zh", "en")
    assert "library" in translated["translation"].lower()
    visitor.page.locator("#tabs [data-name=text_keywords]").click()
    visitor.page.locator("textarea").fill("The museum shows paintings of the harbour every Sunday.")
    visitor.page.locator("input[name=count]").fill("2")
    assert len(answer(visitor)["keywords"]) == 2


def test_a_recording_is_heard_and_translated(visitor: Visitor) -> None:
    recording = min(speech_server.recordings(), key=lambda one: one.seconds)
    sound = {"name": "memo.wav", "mimeType": "audio/wav", "buffer": recording.data}
    visitor.page.locator("#tabs [data-name=speech_to_text]").click()
    visitor.page.locator("input[type=file]").set_input_files(sound)
    heard = answer(visitor)
    assert heard["language"] == recording.language
    assert heard["text"]
    visitor.page.locator("#tabs [data-name=speech_translation]").click()
    visitor.page.locator("input[type=file]").set_input_files(sound)
    assert answer(visitor)["translation"]


def test_a_refused_text_says_why(visitor: Visitor) -> None:
    visitor.page.locator("#tabs [data-name=text_translation]").click()
    visitor.page.locator("textarea").fill("Привет, как дела?")
    visitor.page.locator("button.main").click()
    visitor.page.locator(".message.bad").wait_for()
    assert "another language" in visitor.page.locator(".message.bad").inner_text()
    # A browser itself notes each answer that is a failure; nothing else was said.
    said, visitor.said = visitor.said, []
    assert all("status of 400" in line for line in said)
