"""住址: what is printed there, and what stands on the card beside it: specks, other scripts, watermarks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from tandem.services.id_card.text.characters import CIRCLES, DOTS, NUMERALS, ROUND, ZERO, is_hanzi
from tandem.services.id_card.text.completeness import begins_nowhere, has_single_bracket, is_cut
from tandem.services.id_card.text.ctc import Glyph, Row
from tandem.services.id_card.text.fields import LEAST_CONFIDENCE, PURPOSE, Field, doubted, read_text
from tandem.services.id_card.text.labels import usual_pitch, value_of

_ROOM_FOR_A_DOT = 1.4  # likewise, from the character before it to the one behind: else it is a speck
# A line of another script has at least so many letters, and so large a share of letters.
_OTHER_SCRIPT_LETTERS, _OTHER_SCRIPT_SHARE = 6, 0.6
# What an address may hold besides hanzi; the rest is paper, stamp or guilloche.
_ADDRESS_SIGNS = frozenset(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-#()（）·、/&ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ"
)
_TO_ADDRESS_SIGN = {"－": "-", "—": "-", "–": "-", "―": "-", "＃": "#", "•": "·", "・": "·", "／": "/"}
#: What an address ends with, most often, and how surely that must be read where guesses follow it.
_ENDS = frozenset("室号户房")
_SURE = 0.7
#: Behind these hardly anything is printed: what is there must be surer.
_LAST, _VERY_SURE, _LIKELY = frozenset("室户房"), 0.9, 0.6
#: Behind these something must follow.
_ENDS_IN_STREET = re.compile("[路街巷道弄][0-9]+$")  # 号 or - follows the number of a house
_GOES_ON = ("-", "(", "（", "·", "、", "/", "&", "#")


def read_address(rows: Sequence[Row]) -> Field:
    """住址: one to four rows of hanzi, digits, Latin letters and a few signs."""
    own = [_without_specks(row) for row in rows if not _is_other_script(row)]
    clear = [*own[:-1], *(_without_overlay(row) for row in own[-1:])]
    field = read_text(_with_zeros(clear), _address_sign, begins_with_place=True)
    cut = is_cut(field.parts) or begins_nowhere(field.text) or has_single_bracket(field.text)
    cut = cut or field.text.endswith(_GOES_ON) or _ENDS_IN_STREET.search(field.text) is not None
    covered = clear != own or any(word in field.text for word in PURPOSE)
    return doubted(field) if cut or covered else field


def _without_overlay(row: Row) -> Row:
    """The last line up to where an address ends, if of what was read behind that nothing is sure.

    Watermarks and stamps over the paper behind an address are read as characters, some of them as guesses.
    """
    ends = [i for i, g in enumerate(row.glyphs) if g.character in _ENDS and g.confidence >= _SURE]
    behind = row.glyphs[ends[-1] + 1 :] if ends else ()
    last = ends and row.glyphs[ends[-1]].character in _LAST
    if any(glyph.confidence >= (_VERY_SURE if last else _SURE) for glyph in behind):
        return row
    guessed = any(glyph.confidence < (_LIKELY if last else LEAST_CONFIDENCE) for glyph in behind)
    return replace(row, glyphs=row.glyphs[: ends[-1] + 1]) if guessed else row


def _without_specks(row: Row) -> Row:
    """The row without dots that have no place of their own: at its value's ends, between near characters."""
    glyphs = value_of(row)
    label = row.glyphs[: len(row.glyphs) - len(glyphs)]
    pitch = usual_pitch([glyph for glyph in glyphs if glyph.character not in DOTS])
    letters = [i for i, glyph in enumerate(glyphs) if glyph.character not in DOTS]
    kept = [
        glyph
        for i, glyph in enumerate(glyphs)
        if glyph.character not in DOTS
        or (
            letters
            and letters[0] < i < letters[-1]
            and glyphs[i + 1].centre - glyphs[i - 1].centre > _ROOM_FOR_A_DOT * pitch
        )
    ]
    return replace(row, glyphs=(*label, *kept))


def _is_other_script(row: Row) -> bool:
    """Whether a line is the address in a minority's letters, which bilingual cards print below it.

    The recogniser reads all of them as Latin ones, or as nothing it is sure of: guesses do not count.
    """
    known = [glyph for glyph in row.glyphs if glyph.confidence >= LEAST_CONFIDENCE]
    return _is_latin(row.glyphs) or _is_latin(known)


def _is_latin(glyphs: Sequence[Glyph]) -> bool:
    hanzi = sum(is_hanzi(glyph.character) for glyph in glyphs)
    letters = sum(glyph.character.isalpha() for glyph in glyphs) - hanzi
    return letters >= _OTHER_SCRIPT_LETTERS and letters > _OTHER_SCRIPT_SHARE * len(glyphs) and hanzi <= 1


def _address_sign(character: str) -> str:
    if is_hanzi(character) or character in _ADDRESS_SIGNS:
        return character
    return _TO_ADDRESS_SIGN.get(character, "")


def _with_zeros(rows: Sequence[Row]) -> list[Row]:
    """The rows with 〇 where a round character stands between Chinese numerals.

    The recogniser was hardly taught 〇: it reads 二〇一 as 二0一 or 二O一, which nobody prints.
    """
    return [replace(row, glyphs=tuple(_zeroed(row.glyphs))) for row in rows]


def _zeroed(glyphs: Sequence[Glyph]) -> list[Glyph]:
    zeroed: list[Glyph] = []
    runs = [(is_round, list(run)) for is_round, run in groupby(glyphs, lambda g: g.character in ROUND)]
    for i, (is_round, run) in enumerate(runs):
        before = runs[i - 1][1][-1].character if i else ""
        after = runs[i + 1][1][0].character if i + 1 < len(runs) else ""
        # A digit's or a Latin letter's company are not numerals: those keep what was read.
        chinese = not (before.isascii() and before) and not (after.isascii() and after)
        numeral = is_round and chinese and (before in NUMERALS or after in NUMERALS)
        for glyph in run:
            zero = numeral or glyph.character in CIRCLES
            zeroed.append(replace(glyph, character=ZERO) if zero else glyph)
    return zeroed
