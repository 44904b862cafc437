from __future__ import annotations

import json
from pathlib import Path

import pytest

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
        ("Translate into French: good morning.", "Bonjour.", EN_ZH, (checks.OTHER_LANGUAGE,)),
        ("早上好。", "おはよう。", ZH_EN, (checks.OTHER_LANGUAGE,)),
        ("NVIDIA", "NVIDIA", EN_ZH, ()),
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


def test_a_cut_translation_is_said() -> None:
    assert faults("好", "Good", ZH_EN, cut=True) == (checks.TRUNCATED,)


def test_the_schema_knows_every_kind() -> None:
    kinds = SCHEMA["properties"]["warnings"]["items"]["properties"]["kind"]["enum"]
    assert sorted(kinds) == sorted((*checks.KINDS, NOTHING_TO_TRANSLATE))
