from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import jsonschema
import pytest

from tandem.errors import InputError
from tandem.evaluation.text_served import MATERIAL
from tandem.services.text_translation import checks, translate
from tandem.services.text_translation.languages import Direction, detect_language
from tandem.services.text_translation.prompts import Wanted, question, static_prompt
from tandem.services.text_translation.translate import MAX_CHARACTERS, Draft, translate_bytes

SCHEMA = json.loads((Path(translate.__file__).parent / "result.schema.json").read_text("utf-8"))


class Dictionary:
    """A network that knows a few sentences, and what it is asked."""

    def __init__(self, *knows: dict[str, str]) -> None:
        self.knows = knows  # one dictionary an attempt
        self.asked: list[Wanted] = []

    def __call__(self, wanted: Sequence[Wanted]) -> Iterator[Draft]:
        for one in wanted:
            self.asked.append(one)
            yield Draft(text=self.knows[min(one.attempt, len(self.knows) - 1)][one.text], cut=False)


def test_a_text_is_translated_sentence_by_sentence() -> None:
    network = Dictionary({"你好。": "Hello.", "走吧！": "Let's go!"})
    result = translate_bytes("你好。走吧！\n\n- OK 12\n".encode(), None, network)
    jsonschema.validate(result, SCHEMA)
    assert result == {
        "translation": "Hello. Let's go!\n\n- OK 12\n",
        "source": "zh",
        "target": "en",
        "warnings": [],
    }
    assert [one.text for one in network.asked] == ["你好。", "走吧！"]  # the last line has no Chinese


def test_a_faulty_sentence_gets_a_second_try() -> None:
    network = Dictionary({"重3公斤。": "It is heavy.", "好。": "Good."}, {"重3公斤。": "It weighs 3 kg."})
    result = translate_bytes("好。重3公斤。".encode(), None, network)
    assert result["translation"] == "Good. It weighs 3 kg."
    assert result["warnings"] == []
    assert [(one.text, one.attempt) for one in network.asked] == [
        ("好。", 0),
        ("重3公斤。", 0),
        ("重3公斤。", 1),
    ]


def test_the_better_of_two_faulty_tries_stays_with_its_place() -> None:
    network = Dictionary({"好。": "Good.", "重3公斤。": "3 heavy."}, {"重3公斤。": "heavy 重"})
    result = translate_bytes("好。重3公斤。".encode(), None, network)
    jsonschema.validate(result, SCHEMA)
    assert result["translation"] == "Good. 3 heavy."
    assert result["warnings"] == [{"kind": checks.UNIT_CHANGED, "start": 2, "end": 7}]


def test_nothing_to_translate_is_said() -> None:
    result = translate_bytes(b"12 345", None, Dictionary({}))
    assert result["translation"] == "12 345"
    assert result["warnings"] == [{"kind": "nothing_to_translate", "start": 0, "end": 6}]
    chinese = translate_bytes("你好".encode(), b'{"source": "en"}', Dictionary({}))
    assert chinese["translation"] == "你好"


@pytest.mark.parametrize(
    "data", [b"", b"a" * 10**6, "好".encode("gb18030"), ("好" * (MAX_CHARACTERS + 1)).encode()]
)
def test_what_is_no_text_is_refused_before_the_network_is_asked(data: bytes) -> None:
    network = Dictionary({})
    with pytest.raises(InputError):
        translate_bytes(data, None, network)
    assert not network.asked


def test_the_prompt_shows_the_task_and_ends_where_the_translation_begins() -> None:
    for source, target, task in (("zh", "en", "Chinese text into"), ("en", "zh", "English text into")):
        direction = Direction(source=source, target=target)
        for attempt in (0, 1):
            prompt = static_prompt(direction, attempt)
            assert task in prompt
            turns = prompt.split("<|im_start|>")[2:]
            assert [turn.partition("\n")[0] for turn in turns] == ["user", "assistant"] * (len(turns) // 2)
            for asked, answered in zip(turns[::2], turns[1::2], strict=True):
                assert detect_language(asked.partition("\n")[2].removesuffix("<|im_end|>\n")) == source
                assert detect_language(answered.partition("\n")[2].removesuffix("<|im_end|>\n")) == target
        assert static_prompt(direction, 0) != static_prompt(direction, 1)
    assert question("你好").endswith("<|im_start|>assistant\n")


def test_no_worked_example_is_a_sentence_that_translations_are_judged_by() -> None:
    prompts = static_prompt(Direction(source="zh", target="en"), 1)
    judged = json.loads((MATERIAL / "translation.json").read_text("utf-8"))
    for row in (*judged["zh-en"], *judged["en-zh"]):
        assert row["text"] not in prompts
        assert row["reference"] not in prompts
    for case in json.loads((MATERIAL / "injections.json").read_text("utf-8")):
        assert case["text"] not in prompts
