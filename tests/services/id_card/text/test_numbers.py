from __future__ import annotations

from dataclasses import replace

import pytest

from tandem.services.id_card.records import RowKind
from tandem.services.id_card.text.choices import LEAST_CONFIDENCE
from tandem.services.id_card.text.ctc import Glyph
from tandem.services.id_card.text.dates import read_birth, read_validity
from tandem.services.id_card.text.fields import Field
from tandem.services.id_card.text.numbers import believed_birth, believed_number, read_number
from tests.services.id_card.text.spelling import Likely, row

NUMBER = "11010519491231002X"  # GB 11643's own example
LABEL = "公民身份号码 "


def _number(text: str | list[str | Likely]) -> str:
    return read_number([row(RowKind.NUMBER, text)]).text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (LABEL + NUMBER, NUMBER),
        (NUMBER, NUMBER),
        (LABEL + NUMBER.lower(), NUMBER),
        (LABEL + "110105.19491231-002X", NUMBER),  # specks
        (LABEL + "440305199506062561", "440305199506062561"),  # wrong checksum: as printed
        (LABEL + "37148119740411134", "37148119740411134"),  # 17 are printed
        (LABEL + "110105491231002", "110105491231002"),  # before 1999
        (LABEL + "1101051949123100", ""),  # two lost
        (LABEL + "110105194912310021X", ""),  # one too many
        (LABEL + "11010519 491231002", ""),  # one lost, and one sees where
        (LABEL + "1101051949123102X", ""),  # X ends 18 only
        (LABEL + "1101051X491231002X", ""),
        (LABEL + "110105194汉231002X", ""),  # a digit's place, unread
        (LABEL, ""),
        ("", ""),
    ],
)
def test_number(text: str, number: str) -> None:
    assert _number(text) == number


@pytest.mark.parametrize(
    ("number", "birth", "believed"),
    [
        (NUMBER, "1949年12月31日", True),
        (NUMBER, "1980年1月1日", True),  # 18 digits: as printed, the checks say the rest
        (NUMBER, "", True),
        (NUMBER[:17], "1949年12月31日", True),
        (NUMBER[:17], "", True),
        (NUMBER[:17], "1980年1月1日", True),  # a longer one has a check digit: the checks say the rest
        ("110105491231002", "1949年12月31日", True),  # before 1999
        ("110105491231002", "", False),
        ("132119960828247", "1996年8月28日", False),  # what is left of 17 holds the day, but no region
        (NUMBER[3:17] + "2", "1949年12月31日", False),
        ("", "1949年12月31日", False),
    ],
)
def test_an_old_number_needs_the_day_of_birth(number: str, birth: str, *, believed: bool) -> None:
    field = believed_number(Field(text=number, confidence=0.99), Field(text=birth, confidence=1.0))
    assert field.text == (number if believed else "")


@pytest.mark.parametrize(
    ("number", "birth", "confidence"),
    [
        (NUMBER, "1949年12月31日", 0.99),
        (NUMBER, "1949年12月37日", 0.5),  # no such day
        (NUMBER, "1943年12月31日", 0.5),
        (NUMBER[:-1] + "1", "1943年12月31日", 0.99),  # the number itself may be misread
        ("", "1943年12月31日", 0.99),
        (NUMBER, "", 0.0),
    ],
)
def test_a_birth_that_contradicts_a_sound_number_stays_and_is_doubted(
    number: str, birth: str, confidence: float
) -> None:
    read = Field(text=birth, confidence=0.99 if birth else 0.0)
    field = believed_birth(read, Field(text=number, confidence=0.99))
    assert field.text == birth
    assert field.confidence == confidence


def _with(place: int, likely: Likely, number: str = NUMBER) -> list[str | Likely]:
    return [*LABEL, *number[:place], likely, *number[place + 1 :]]


def test_a_look_alike_becomes_the_digit_that_is_its_runner_up_and_is_reported() -> None:
    field = read_number([row(RowKind.NUMBER, _with(2, (("O", 0.9), ("0", 0.08))))])
    assert field.text == NUMBER
    (correction,) = field.corrections
    assert (correction.index, correction.read, correction.now) == (2, "O", "0")
    assert correction.support == pytest.approx(0.08)
    assert field.confidence > 0.9


def test_a_look_alike_without_support_leaves_the_number_empty() -> None:
    assert _number(_with(2, (("O", 0.9),))) == ""
    assert _number(_with(2, (("O", 0.9), ("0", 0.01)))) == ""


def test_the_checksum_may_turn_one_digit_to_its_runner_up() -> None:
    field = read_number([row(RowKind.NUMBER, _with(17, (("8", 0.6), ("X", 0.35))))])
    assert field.text == NUMBER
    (correction,) = field.corrections
    assert (correction.index, correction.read, correction.now) == (17, "8", "X")


@pytest.mark.parametrize(
    "likely",
    [
        (("8", 0.9), ("X", 0.05)),  # the runner-up is too weak
        (("8", 0.75), ("0", 0.2)),  # it would not mend the checksum
        (("8", 0.9),),
    ],
)
def test_else_a_wrong_checksum_stays_as_read(likely: Likely) -> None:
    field = read_number([row(RowKind.NUMBER, _with(17, likely))])
    assert field.text == NUMBER[:-1] + "8"
    assert field.corrections == ()


def test_small_and_large_x_are_one_character() -> None:
    field = read_number([row(RowKind.NUMBER, _with(17, (("x", 0.5), ("X", 0.46))))])
    assert field.text == NUMBER
    assert field.corrections == ()
    assert field.confidence > 0.9


def test_a_digit_that_is_a_guess_leaves_the_number_empty() -> None:
    field = read_number([row(RowKind.NUMBER, _with(17, (("X", LEAST_CONFIDENCE - 0.01),)))])
    assert field.text == ""
    assert field.confidence < LEAST_CONFIDENCE


def test_two_ways_to_mend_a_checksum_mend_nothing() -> None:
    # Two digits are wrong by what their weights make equal: either runner-up would do.
    text = _with(17, (("8", 0.74), ("X", 0.25)))
    # 11010519491231002 asks for X; with 3 for the 2 at place 16 it asks for 8.
    text[len(LABEL) + 16] = (("2", 0.74), ("3", 0.25))
    field = read_number([row(RowKind.NUMBER, text)])
    assert field.text == NUMBER[:-1] + "8"


@pytest.mark.parametrize(
    ("text", "birth"),
    [
        ("出生 1990年1月2日", "1990年1月2日"),
        ("出生 1990 年 01 月 02 日", "1990年01月02日"),
        ("1990年12月31日", "1990年12月31日"),
        ("出生 1990年1月2", "1990年1月2日"),  # 日 is printed on every card
        ("出生 1990牟1目2口", "1990年1月2日"),
        ("出生 1990   1   2", "1990年1月2日"),  # the blue units unseen: the gaps part the groups
        ("出生 19.90年1·月2日", "1990年1月2日"),  # specks of a copy
        ("·19.90   1 · 2", "1990年1月2日"),
        ("出生 1990年12日", ""),
        ("出生 199012", ""),
        ("出生 990年1月2日", ""),
        ("出生 1990年13月2日", ""),
        ("出生 1990年1月32日", ""),
        ("出生 1990年0月2日", ""),
        ("出生", ""),
    ],
)
def test_birth(text: str, birth: str) -> None:
    assert read_birth([row(RowKind.BIRTH, text)]).text == birth


def test_uneven_distances_within_a_year_part_nothing() -> None:
    # Narrow digits are one or two time steps apart.
    glyphs, centre = [], 0.0
    for character, step in zip("1944年5月4日", (0, 8, 16, 8, 24, 24, 16, 24, 16), strict=True):
        centre += step
        glyphs.append(Glyph(character=character, confidence=0.99, centre=centre))
    read = replace(row(RowKind.BIRTH, ""), glyphs=tuple(glyphs))
    assert read_birth([read]).text == "1944年5月4日"


def test_a_corrected_digit_of_a_birth_has_its_place() -> None:
    text: list[str | Likely] = [
        *"出生 1990年1",
        (("O", 0.7), ("0", 0.2)),
        *"月",
        (("l", 0.8), ("1", 0.15)),
        "日",
    ]
    field = read_birth([row(RowKind.BIRTH, text)])
    assert field.text == "1990年10月1日"
    assert [(c.index, field.text[c.index]) for c in field.corrections] == [(6, "0"), (8, "1")]


@pytest.mark.parametrize(
    ("text", "validity"),
    [
        ("有效期限 2006.08.26-2026.08.26", "2006.08.26-2026.08.26"),
        ("有效期限 2006.08.26-长期", "2006.08.26-长期"),
        ("2006·08，26—長期", "2006.08.26-长期"),
        ("有效期限 2006.0826 2026.0826", "2006.08.26-2026.08.26"),  # dots and dash are faint
        ("有效期限 2006.08.26-2026.08.2", ""),
        ("有效期限 2006.18.26-2026.08.26", ""),
        ("有效期限 2006.08.26-2026.08.26长期", ""),
        ("有效期限 长期-2006.08.26", ""),
        ("有效期限 2006.08.26-期", ""),
        ("有效期限", ""),
    ],
)
def test_validity(text: str, validity: str) -> None:
    assert read_validity([row(RowKind.VALIDITY, text)]).text == validity
