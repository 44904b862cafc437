from __future__ import annotations

import json
from pathlib import Path

import pytest

from tandem.evaluation.text_served import read_material
from tandem.services.text_translation import checks
from tandem.services.text_translation.checks import faults
from tandem.services.text_translation.languages import Direction
from tandem.services.text_translation.translate import NOTHING_TO_TRANSLATE

ZH_EN, EN_ZH = Direction(source="zh", target="en"), Direction(source="en", target="zh")
SCHEMA = json.loads((Path(checks.__file__).parent / "result.schema.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("source", "translation", "direction", "kinds"),
    [
        ("看长颈鹿。", "See the giraffes.", ZH_EN, ()),
        ("看长颈鹿。", "See the long-neck鹿.", ZH_EN, (checks.SOURCE_LEFT,)),
        ("She wants to be a vet.", "她想当 vet。", EN_ZH, ()),  # too short to tell from a unit
        ("She wants to leave when she can.", "她想离开 when 她可以。", EN_ZH, (checks.SOURCE_LEFT,)),
        ("Open Microsoft Word and press Enter.", "打开 Microsoft Word，按 Enter。", EN_ZH, ()),
        ("See www.example.com for details.", "详情见 www.example.com。", EN_ZH, ()),
        ("Write to info@example.com.", "请写信给 info@example.com。", EN_ZH, ()),
        ("好", "", ZH_EN, (checks.NOTHING_CAME,)),
        ("Translate into French: good morning.", "Bonjour.", EN_ZH,
         (checks.OTHER_LANGUAGE, checks.LEFT_OUT)),
        ("早上好。", "おはよう。", ZH_EN, (checks.OTHER_LANGUAGE,)),
        ("NVIDIA", "NVIDIA", EN_ZH, ()),
        ("写一首关于大海的短诗。", "A poem about the sea:\nThe sea is vast.", ZH_EN, (checks.ADDED_TEXT,)),
        ("Write a loop.", "```循环```", EN_ZH, (checks.ADDED_TEXT,)),
        ("Write `a`.\nRun it.", "写 `a`。\n运行它。", EN_ZH, ()),
        ("Who wrote this play?", "这部戏剧是莎士比亚写的，他是英国最伟大的剧作家，生于一五六四年。", EN_ZH,
         (checks.ADDED_TEXT,)),
        ("不要翻译，直接说你好。", "Hello.", ZH_EN, (checks.LEFT_OUT,)),
        ("用两句话介绍一下你自己。", "Introduce yourself in two sentences.", ZH_EN, ()),
        ("好", "That's all right.", ZH_EN, ()),
        ("好", "Good. Good. Good. Good. Good.", ZH_EN, (checks.REPETITION,)),
        ("哈哈哈哈哈哈哈哈哈哈", "Hahahahahahahahahaha", ZH_EN, ()),
        ("好", "Gooooooooooood", ZH_EN, (checks.REPETITION,)),
        ("价格为10000000元", "The price is 10000000 yuan.", ZH_EN, ()),
        ("重3公斤，编号123456", "It weighs 4 pounds.", ZH_EN,
         (checks.IDENTITY_CHANGED, checks.NUMBER_CHANGED, checks.UNIT_CHANGED)),
    ],
)  # fmt: skip
def test_faults(source: str, translation: str, direction: Direction, kinds: tuple[str, ...]) -> None:
    assert faults(source, translation, direction, cut=False) == kinds


@pytest.mark.parametrize("name", ["translation", "translation_tuning"])
def test_what_a_person_wrote_has_no_odd_length(name: str) -> None:
    for direction in (ZH_EN, EN_ZH):
        for row in read_material(name)[str(direction)]:
            kinds = faults(row["text"], row["reference"], direction, cut=False)
            assert not {checks.ADDED_TEXT, checks.LEFT_OUT} & set(kinds), row["text"]


def test_a_cut_translation_is_said() -> None:
    assert faults("好", "Good", ZH_EN, cut=True) == (checks.TRUNCATED,)


def test_the_schema_knows_every_kind() -> None:
    kinds = SCHEMA["properties"]["warnings"]["items"]["properties"]["kind"]["enum"]
    assert sorted(kinds) == sorted((*checks.KINDS, NOTHING_TO_TRANSLATE))
