"""A line that was cut is told by where its characters stand; the field is then not to be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tandem.services.id_card.records import RowKind
from tandem.services.id_card.text.address import read_address
from tandem.services.id_card.text.checks import portrait_checks
from tandem.services.id_card.text.ctc import Row
from tandem.services.id_card.text.dates import read_birth
from tandem.services.id_card.text.fields import LEAST_CONFIDENCE, Field, read_name
from tandem.services.id_card.text.numbers import read_number
from tests.services.id_card.text.spelling import row

_PX_PER_MM = 10.5  # a hanzi of the helper takes 32 px


def _line(text: str, left_mm: float = 15.0) -> Row:
    """A line of an address whose first character begins at `left_mm`."""
    line = row(RowKind.ADDRESS, text)
    end = left_mm + (line.segment.x1 - line.segment.x0) / _PX_PER_MM
    return replace(line, segment=replace(line.segment, left_mm=left_mm, right_mm=end))


def _guessed(characters: Sequence[tuple[str, float]]) -> Row:
    """A line of an address read with these probabilities."""
    line = _line("".join(character for character, _ in characters))
    glyphs = zip(line.glyphs, characters, strict=True)
    return replace(line, glyphs=tuple(replace(glyph, confidence=sure) for glyph, (_, sure) in glyphs))


def _with_hole(text: str, place: int) -> Row:
    """The line without its glyph at `place`: what a stamp leaves."""
    line = _line(text)
    return replace(line, glyphs=line.glyphs[:place] + line.glyphs[place + 1 :])


FIRST, SECOND = "福建省厦门市思明区莲前", "西路二百零九号瑞景新村"


def test_a_whole_address_is_trusted() -> None:
    field = read_address([_line(FIRST), _line(SECOND), _line("三十六号")])
    assert field.text == FIRST + SECOND + "三十六号"
    assert field.confidence > 0.9
    assert not field.incomplete


@pytest.mark.parametrize(
    "lines",
    [
        [_line(FIRST), _with_hole(SECOND, 5)],  # a stamp within the line
        [_line(FIRST), _line(SECOND[:6]), _line("三十六号")],  # a thumb over the end of a middle line
        [_line(FIRST), _line(SECOND[3:], 24.0)],  # ... or over its begin
        [_line(FIRST[:5]), _line(SECOND)],  # the first line's end
        [_line(FIRST)],  # a full line goes on below
    ],
)
def test_a_cut_line_is_said(lines: list[Row]) -> None:
    field = read_address(lines)
    assert field.text
    assert field.confidence <= LEAST_CONFIDENCE
    assert field.incomplete


def test_rows_whose_place_is_not_known_say_nothing() -> None:
    field = read_address([row(RowKind.ADDRESS, FIRST[:5]), row(RowKind.ADDRESS, SECOND)])
    assert not field.incomplete
    assert field.confidence > 0.9


def test_a_line_in_another_script_is_not_the_address() -> None:
    field = read_address([_line(FIRST), _line("镇上"), _line("GvangjsihBouxcuenghSwcigih")])
    assert field.text == FIRST + "镇上"


def test_guesses_in_another_script_are_not_the_address() -> None:
    letters = [
        ("G", 1.0),
        ("A", 0.8),
        ("9", 0.4),
        ("讷", 0.06),
        ("B", 1.0),
        ("X", 1.0),
        ("告", 0.07),
        ("C", 0.9),
    ]
    line = _guessed([*letters, ("Z", 0.9), ("讷", 0.03), ("B", 1.0), ("5", 0.8)])
    assert read_address([_line(FIRST), _line("镇上"), line]).text == FIRST + "镇上"
    surely = _guessed([(character, 0.9) for character, _ in letters])
    assert read_address([_line(FIRST), _line("镇上"), surely]).text != FIRST + "镇上"


def test_guesses_of_a_watermark_behind_an_address_leave_it_doubted() -> None:
    home = [(character, 1.0) for character in "三十六号六○一室"]
    field = read_address([_line(FIRST), _guessed([*home, ("证", 0.65), ("俊", 0.12)])])
    assert field.text.endswith("室")
    assert field.incomplete
    assert field.confidence <= LEAST_CONFIDENCE
    # What is sure stays, and what only seems unsure is no watermark.
    assert read_address([_line(FIRST), _guessed([*home, ("证", 0.9), ("俊", 0.12)])]).text == ""
    whole = read_address([_line(FIRST), _guessed([*home, ("内", 0.65)])])
    assert whole.text.endswith("室内")
    assert not whole.incomplete
    # Behind a room hardly anything is printed, behind a house often.
    assert read_address([_line(FIRST), _guessed([*home, ("证", 0.83), ("俊", 0.12)])]).text.endswith("室")
    assert read_address([_line(FIRST), _guessed([*home[:4], ("证", 0.83), ("俊", 0.12)])]).text == ""
    assert read_address([_line(FIRST), _guessed([*home, ("日", 0.55)])]).text.endswith("室")
    assert read_address([_line(FIRST), _guessed([*home[:4], ("院", 0.55)])]).text.endswith("号院")


def test_a_watermark_behind_a_name_is_no_part_of_it() -> None:
    """Guesses behind a gap that no name has are left out, and the name doubted; what is sure there is not."""
    line = row(RowKind.NAME, "姓名 钱梦   庙用恺")
    line = replace(
        line, segment=replace(line.segment, left_mm=6.0, right_mm=6.0 + line.segment.x1 / _PX_PER_MM)
    )

    def read(*surenesses: float) -> Field:
        glyphs = (
            *line.glyphs[:-3],
            *(replace(g, confidence=p) for g, p in zip(line.glyphs[-3:], surenesses, strict=True)),
        )
        return read_name([replace(line, glyphs=glyphs)])

    field = read(0.74, 0.47, 0.24)
    assert field.text == "钱梦"
    assert field.incomplete
    assert field.confidence <= LEAST_CONFIDENCE
    assert read(0.9, 0.8, 0.7).text == "钱梦庙用恺"
    assert read(0.9, 0.8, 0.7).incomplete


@pytest.mark.parametrize(
    ("end", "incomplete"),
    [
        ("2-9-", True),
        ("2-9-7", False),
        ("2座/", True),
        ("1420", True),
        ("1420号", False),
        ("新村1901", False),
    ],
)
def test_an_address_that_ends_where_something_must_follow_is_doubted(end: str, incomplete: bool) -> None:
    field = read_address([_line(FIRST), _line("西路" + end)])
    assert field.text.endswith(end)
    assert field.incomplete == incomplete
    assert (field.confidence <= LEAST_CONFIDENCE) == incomplete


def test_a_number_of_17_is_never_sure() -> None:
    field = read_number([row(RowKind.NUMBER, "公民身份号码 11010519491231002")])
    assert field.text == "11010519491231002"
    assert field.confidence <= 0.5
    assert field.incomplete


def test_an_edge_beside_the_number_is_no_digit() -> None:
    label, number = "公民身份号码 ", "320585198312171004"
    assert read_number([row(RowKind.NUMBER, label + number + "1")]).text == number
    assert read_number([row(RowKind.NUMBER, label + number[:-1] + "51")]).text == ""


@pytest.mark.parametrize(
    ("code", "known"),
    [("110105", True), ("430419", None), ("810000", True), ("830000", True), ("999999", False)],
)
def test_regions(code: str, known: bool | None) -> None:
    number = code + "19721019564X"
    fields = {"姓名": "", "性别": "", "民族": "", "出生": "", "住址": "", "公民身份号码": number}
    assert portrait_checks(fields)["region_known"] is known


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("广东省英德市富孙巷乙503号", True),
        ("英德市富孙巷乙503号", True),
        ("自治县陆瑞民苏木孙山屯二社乙20号", False),  # the first line was lost
        ("富孙巷乙503号", False),
        ("广东省英德市富孙巷乙5)3号", False),  # a 0 read as a bracket
        ("广东省英德市富孙巷(北院)503号", True),
        ("广东省英德市富孙巷（北院)503号", True),
    ],
)
def test_an_address_begins_with_a_place_and_closes_its_brackets(text: str, whole: bool) -> None:
    field = read_address([row(RowKind.ADDRESS, f"住址 {text}")])
    assert field.text == text
    assert field.incomplete is not whole
    assert (field.confidence > 0.9) is whole


def _with_dot(text: str, place: int) -> Row:
    """The row with a dot between two characters that leave no room for it, or beside the first or last."""
    line = row(RowKind.ADDRESS, text)
    glyphs = list(line.glyphs)
    before, behind = glyphs[max(place - 1, 0)], glyphs[min(place, len(glyphs) - 1)]
    dot = replace(before, character="·", centre=(before.centre + behind.centre) / 2)
    return replace(line, glyphs=(*glyphs[:place], dot, *glyphs[place:]))


def test_a_speck_is_no_dot_of_an_address() -> None:
    text = "福建省厦门市思明区"
    for place in (0, 3, len(text)):
        assert read_address([_with_dot(text, place)]).text == text
    assert read_address([row(RowKind.ADDRESS, "福建省厦门市花·园")]).text == "福建省厦门市花·园"


@pytest.mark.parametrize(
    "line", ["住址 ·福建省厦门市思明区", "住址 ··福建省厦门市思明区·", "·住址 福建省厦门市思明区"]
)
def test_a_speck_beside_the_label_is_no_dot_of_an_address(line: str) -> None:
    field = read_address([row(RowKind.ADDRESS, line)])
    assert field.text == "福建省厦门市思明区"
    assert field.confidence > 0.9


def _birth(text: str, unread: str = "") -> Row:
    """The row of 出生 with its place, 8 px a mm, so that a digit's unit is 3.5 mm away."""
    line = row(RowKind.BIRTH, f"出生 {text}")
    end = 6.9 + (line.segment.x1 - line.segment.x0) / 8
    glyphs = tuple(glyph for glyph in line.glyphs if glyph.character not in unread)
    return replace(line, glyphs=glyphs, segment=replace(line.segment, left_mm=6.9, right_mm=end))


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        (_birth("1981年11月24日"), True),
        (_birth("1981年1月2日"), True),
        (_birth("1981年1月24日", unread="日"), True),
        (_birth("1981年11月2 日"), False),  # room for a second digit, which a stamp covers
        (_birth("1981年11月2日", unread="日"), False),
        (_birth("1981年 1  月 2", unread="年月"), True),  # a copy so pale that no unit is left
    ],
)
def test_a_day_whose_second_digit_may_be_covered_is_not_trusted(line: Row, whole: bool) -> None:
    field = read_birth([line])
    assert field.text.startswith("1981年1")
    assert field.incomplete is not whole
    assert (field.confidence > 0.9) is whole


@pytest.mark.parametrize(("text", "whole"), [("宋宁山", True), ("宋 山", False), ("买日桑·特玛", True)])
def test_a_name_with_room_for_one_more_is_doubted(text: str, whole: bool) -> None:
    line = row(RowKind.NAME, text)
    length = (line.segment.x1 - line.segment.x0) / 9.5  # a hanzi of 32 px takes 3.4 mm, a space 2.5
    placed = replace(line, segment=replace(line.segment, left_mm=14.7, right_mm=14.7 + length))
    field = read_name([placed])
    assert field.text == text.replace(" ", "")
    assert field.incomplete is not whole
    assert (field.confidence > 0.9) is whole
