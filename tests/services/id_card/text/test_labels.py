from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

import pytest

from tandem.services.id_card.records import RowKind
from tandem.services.id_card.text.ctc import Glyph
from tandem.services.id_card.text.labels import find_label, has_label, kind_by_label, value_of
from tests.services.id_card.text.spelling import Likely, row


def _value(kind: RowKind, text: str) -> str:
    return "".join(glyph.character for glyph in value_of(row(kind, text)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("姓名 张三", "张三"),
        ("姓名张三", "张三"),  # no gap
        ("姓各 张三", "张三"),  # misread
        ("名 张三", "张三"),  # cut off
        ("姓 张三", "张三"),  # half of it unread
        ("·姓名 张三", "张三"),  # a speck before it
        ("姓·名 张三", "张三"),  # and within it
        ("性名 张三", "张三"),
        ("d2姓名 张三", "张三"),  # what lies beside the card
        ("姓各 张三丰", "张三丰"),
        ("张三", "张三"),  # no label
        ("名扬", "名扬"),  # no label, though it begins like one
        ("姓名", ""),  # no value
        ("", ""),
    ],
)
def test_the_label_of_a_name_is_taken_away(text: str, value: str) -> None:
    assert _value(RowKind.NAME, text) == value


@pytest.mark.parametrize(
    "label", ["公民身份号码", "公民身份证号码", "公民身份号", "民身份号码", "公民身分号码", "公民身份证号玛"]
)
def test_the_labels_of_a_number(label: str) -> None:
    assert _value(RowKind.NUMBER, f"{label} 11010519491231002X") == "11010519491231002X"


@pytest.mark.parametrize("label", ["签发机关", "鉴发机关", "发机关", "签发机", "机 "])
def test_the_labels_of_an_authority(label: str) -> None:
    assert _value(RowKind.AUTHORITY, f"{label} 上海市公安局") == "上海市公安局"


def test_a_runner_up_helps_a_misread_label() -> None:
    read = row(RowKind.NAME, [(("性", 0.6), ("姓", 0.3)), (("各", 0.6), ("名", 0.3)), "张", "三"])
    assert "".join(glyph.character for glyph in value_of(read)) == "性各张三"
    read = row(RowKind.NAME, ["姓", (("各", 0.6), ("名", 0.3)), "张", "三"])
    assert "".join(glyph.character for glyph in value_of(read)) == "张三"


def test_a_plain_label_of_another_row_decides_what_the_row_is() -> None:
    assert kind_by_label(row(RowKind.NAME, "住址 北京市")) == RowKind.ADDRESS
    assert kind_by_label(row(RowKind.NAME, "姓名 住址")) == RowKind.NAME
    assert kind_by_label(row(RowKind.ADDRESS, "生活区")) == RowKind.ADDRESS
    assert kind_by_label(row(RowKind.ADDRESS, "生 活区")) == RowKind.ADDRESS
    assert kind_by_label(row(RowKind.NAME, "张三")) == RowKind.NAME
    assert kind_by_label(row(RowKind.BIRTH, "有效期限 2006")) == RowKind.VALIDITY


def test_a_label_that_is_hardly_read_decides_nothing() -> None:
    def read(confidence: float) -> RowKind:
        unsure: list[Likely] = [((character, confidence),) for character in "姓名"]
        return kind_by_label(row(RowKind.BIRTH, [*unsure, " ", *"1990年1月2日"]))

    assert read(0.85) == RowKind.NAME
    assert read(0.75) == RowKind.BIRTH


@pytest.mark.parametrize(
    ("kind", "text", "left_mm", "value"),
    [
        (RowKind.NUMBER, "出效名 11010519491231002X", 6.0, "11010519491231002X"),
        (RowKind.BIRTH, "年别 1990年1月2日", 6.0, "1990年1月2日"),
        (RowKind.ADDRESS, "签· 北京市", 6.0, "北京市"),
        (RowKind.ADDRESS, "海 北京市", 6.0, "海北京市"),  # no label has it
        (RowKind.ADDRESS, "公安局 北京市", 14.4, "公安局北京市"),  # a further line: no label is printed there
        (RowKind.AUTHORITY, "公安局", 6.0, "公安局"),
    ],
)
def test_remains_of_a_pale_label_are_no_value(kind: RowKind, text: str, left_mm: float, value: str) -> None:
    read = row(kind, text)
    long = (read.segment.x1 - read.segment.x0) / 10  # px a mm
    placed = replace(read, segment=replace(read.segment, left_mm=left_mm, right_mm=left_mm + long))
    assert "".join(glyph.character for glyph in value_of(placed)) == value


def test_a_whole_label_behind_what_could_be_its_misread_begin() -> None:
    """A speck before 住址 was read as a character of which 住 is a runner-up, and 住 as one of 址."""
    read = row(RowKind.ADDRESS, "姓住址福建省泉州市")
    likely = {0: (("住", 0.25),), 1: (("址", 0.17),)}
    centres = accumulate((15, 30, 55, 50, 36, 36, 36, 36, 36))
    glyphs = tuple(
        replace(glyph, centre=centre, runners_up=likely.get(i, ()))
        for i, (glyph, centre) in enumerate(zip(read.glyphs, centres, strict=True))
    )
    assert "".join(glyph.character for glyph in value_of(replace(read, glyphs=glyphs))) == "福建省泉州市"


def test_a_misread_label_whose_letters_stand_apart() -> None:
    def read(text: str, distances: tuple[float, ...]) -> str:
        centres = accumulate(distances)
        glyphs = tuple(
            Glyph(character=character, confidence=0.9, centre=centre)
            for character, centre in zip(text, centres, strict=True)
        )
        value = value_of(replace(row(RowKind.ADDRESS, ""), glyphs=glyphs))
        return "".join(glyph.character for glyph in value)

    # As printed: 4.0 mm between 住 and 址, 4.7 mm to the value, 2.8 mm within it.
    apart = (4.0, 40.0, 47.0, 28.0, 28.0)
    assert read("住址北京市", apart) == "北京市"
    assert read("佳址北京市", apart) == "北京市"
    assert read("住扯北京市", apart) == "北京市"
    assert read("址北京市海", (4.0, 47.0, 28.0, 28.0, 28.0)) == "北京市海"
    assert read("住北京市海", (4.0, 87.0, 28.0, 28.0, 28.0)) == "北京市海"
    assert read("北京市海淀", (4.0, 28.0, 28.0, 28.0, 28.0)) == "北京市海淀"


def test_has_label() -> None:
    assert has_label(row(RowKind.NAME, "姓名 张三"))
    assert not has_label(row(RowKind.NAME, "张三"))


def test_find_label_takes_the_best_place() -> None:
    assert find_label(row(RowKind.SEX_NATION, "男民族汉").glyphs, "民族") == (1, 3)
    assert find_label(row(RowKind.SEX_NATION, "男民旅汉").glyphs, "民族") == (1, 3)
    assert find_label(row(RowKind.SEX_NATION, "男汉").glyphs, "民族") is None
    assert find_label((), "民族") is None
