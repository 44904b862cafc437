"""What a card's rows say, field by field, as printed: never guessed, never mended from another field.

A field that was not read, or not surely enough, is empty. A field's confidence is the probability that every
one of its characters is right: the product of the characters' own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import prod

from tandem.services.id_card.text.characters import CIRCLES, DOTS, MIDDLE_DOT, ZERO, is_hanzi
from tandem.services.id_card.text.closed_lists import SEXES, decide_nation, decide_sex
from tandem.services.id_card.text.completeness import begins_nowhere, has_room_in_name, length_of_name
from tandem.services.id_card.text.correction import Correction
from tandem.services.id_card.text.ctc import ROW_PX, Glyph, Row, stripped
from tandem.services.id_card.text.labels import NATION_LABEL, find_label, usual_pitch, value_of
from tandem.services.id_card.text.places import decide_place, without_speck

NAME, SEX, NATION, BIRTH, ADDRESS, NUMBER = "姓名", "性别", "民族", "出生", "住址", "公民身份号码"
AUTHORITY, VALIDITY = "签发机关", "有效期限"
PORTRAIT_FIELDS = (NAME, SEX, NATION, BIRTH, ADDRESS, NUMBER)
EMBLEM_FIELDS = (AUTHORITY, VALIDITY)

# Below this a character is a guess: the field it belongs to is left empty. On drawn cards the least sure
# hanzi that was right had 0.41; wrong ones go up to 0.9, for the recogniser is sure of a rare one's
# look-alike.
LEAST_CONFIDENCE = 0.4
_SHORTEST_NAME = 2  # a family name and a given name: a single character is what a stamp left of them
_REST_OF_LABEL = "名"  # of 姓名, where the row was cut too far right: no family is called so
#: What a purpose written across a picture begins with (仅供…使用; in no name), and what it is made of.
_PURPOSE_BEGINS = "仅"
PURPOSE = ("仅供", "使用", "办理", "无效", "复印")
_OFFICES = frozenset("局处队所厅部站委会")
_NEXT_CHARACTER = 1.5  # times the usual pitch


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field as printed.

    Attributes:
        text: "" where it was not read.
        confidence: probability that all of `text` is right; of an empty field, how sure the reading was that
            was not taken, 0 where there was none.
        parts: the rows it was read from, and which of their glyphs it is.
        corrections: characters that are not the recogniser's first choice.
        incomplete: whether a part of what is printed was plainly not read.
    """

    text: str = ""
    confidence: float = 0.0
    parts: tuple[tuple[Row, tuple[Glyph, ...]], ...] = ()
    corrections: tuple[Correction, ...] = ()
    incomplete: bool = False


UNREAD = Field()


def read_text(rows: Sequence[Row], keep: Callable[[str], str], *, begins_with_place: bool = False) -> Field:
    """A field of running text: the rows' values joined.

    Args:
        rows: top to bottom.
        keep: gives the character as printed, or "" for what cannot belong to the field. Specks of that kind
            are left out; a letter or a digit among the field's characters is one of them misread.
        begins_with_place: it is an address or what begins like one; see `places`.
    """
    parts = []
    for row in rows:
        value = value_of(row)
        kept = tuple(spelled(glyph, keep) for glyph in value if keep(glyph.character))
        if any(_is_near(glyph, kept) for glyph in value if _is_misread(glyph, keep)):
            return UNREAD
        parts.append((row, kept))
    corrections: tuple[Correction, ...] = ()
    if begins_with_place:
        parts[:1] = [(row, without_speck(glyphs)) for row, glyphs in parts[:1]]
        decided, corrections = decide_place([glyph for _, glyphs in parts for glyph in glyphs])
        rest = iter(decided)
        parts = [(row, tuple(islice(rest, len(glyphs)))) for row, glyphs in parts]
    return field_of("".join(glyph.character for _, glyphs in parts for glyph in glyphs), parts, corrections)


def spelled(glyph: Glyph, spelling: Callable[[str], str]) -> Glyph:
    """The glyph in this spelling, with the probability of every character that is spelled so (x and X)."""
    character = spelling(glyph.character)
    same = sum(probability for other, probability in glyph.runners_up if spelling(other) == character)
    return replace(glyph, character=character, confidence=min(glyph.confidence + same, 1.0))


def _is_misread(glyph: Glyph, keep: Callable[[str], str]) -> bool:
    return glyph.character.isalnum() and not keep(glyph.character)


def _is_near(glyph: Glyph, kept: Sequence[Glyph]) -> bool:
    """Whether it is no further from one of them than the next character would be."""
    reach = _NEXT_CHARACTER * (usual_pitch(kept) or ROW_PX)
    return any(abs(glyph.centre - other.centre) <= reach for other in kept)


def field_of(
    text: str,
    parts: Sequence[tuple[Row, tuple[Glyph, ...]]],
    corrections: Sequence[Correction] = (),
    least: float = LEAST_CONFIDENCE,
) -> Field:
    """The field, or an empty one if a character of it is a guess: below `least`."""
    confidences = [glyph.confidence for _, glyphs in parts for glyph in glyphs]
    if not text or not confidences:
        return UNREAD
    confidence = prod(confidences)
    if min(confidences) < least:
        return Field(confidence=confidence)
    return Field(
        text=text,
        confidence=confidence,
        parts=tuple(part for part in parts if part[1]),
        corrections=tuple(corrections),
    )


def read_name(rows: Sequence[Row]) -> Field:
    """姓名: two or more hanzi, with the middle dots of minority names between them."""
    own = [_without_overlay(row) for row in rows[:1]]
    field = read_text(own, _name_sign)
    if field.text.startswith(MIDDLE_DOT) or field.text.endswith(MIDDLE_DOT):
        row, glyphs = field.parts[0]
        inner = stripped(glyphs, MIDDLE_DOT)
        field = field_of("".join(glyph.character for glyph in inner), [(row, inner)])
    field = _before_purpose(field)
    if field.text.startswith(_REST_OF_LABEL) or has_room_in_name(field.parts) or own != list(rows[:1]):
        return doubted(field)
    return field if len(field.text) >= _SHORTEST_NAME else untaken(field)


def _without_overlay(row: Row) -> Row:
    """The row up to where a name ends, if nothing but guesses stands behind a gap that no name has.

    A watermark's letters across the paper behind a name are read as such.
    """
    value = value_of(row)
    length = length_of_name(row, value)
    guessed = any(glyph.confidence < LEAST_CONFIDENCE for glyph in value[length:])
    kept = len(row.glyphs) - len(value) + length
    return replace(row, glyphs=row.glyphs[:kept]) if guessed else row


def _before_purpose(field: Field) -> Field:
    """The name up to a purpose that is written across the picture and was read on as if it belonged to it."""
    length = field.text.find(_PURPOSE_BEGINS)
    if length < _SHORTEST_NAME:
        return field if length < 0 else doubted(field)
    row, glyphs = field.parts[0]
    return doubted(field_of(field.text[:length], [(row, glyphs[:length])]))


def _name_sign(character: str) -> str:
    if character in DOTS:
        return MIDDLE_DOT
    return ZERO if character in CIRCLES else character if is_hanzi(character) else ""


def read_authority(rows: Sequence[Row]) -> Field:
    """签发机关: one or two rows of hanzi, the whole of which ends in what such an office is called."""
    field = read_text(rows, lambda c: c if is_hanzi(c) else "", begins_with_place=True)
    if field.text[-1:] not in _OFFICES:
        return untaken(field)
    return doubted(field) if begins_nowhere(field.text) else field


def untaken(field: Field) -> Field:
    """An empty field in place of one that was read in part only."""
    return Field(confidence=min(field.confidence, LEAST_CONFIDENCE), incomplete=True)


def doubted(field: Field, at_most: float = LEAST_CONFIDENCE) -> Field:
    """The field, of which something is plainly missing: nobody should trust it as it stands."""
    return replace(field, confidence=min(field.confidence, at_most), incomplete=True)


def read_sex(rows: Sequence[Row]) -> Field:
    """性别: 男 or 女."""
    for row in rows:
        sex, confidence = decide_sex(row)
        if sex:
            return _decided(row, sex, confidence, max(row.glyphs, key=lambda g: g.support(sex), default=None))
    return UNREAD


def read_nation(rows: Sequence[Row]) -> Field:
    """民族: one of the printed names."""
    for row in rows:
        fields = [_nation_of(row, glyphs) for glyphs in _nation_glyphs(row)]
        best = max(fields, key=lambda field: field.confidence)
        if best.text:
            return best
    return UNREAD


def _nation_of(row: Row, glyphs: tuple[Glyph, ...]) -> Field:
    start = glyphs[0].x0 if glyphs else 0.0
    steps = [step for step, centre in zip(row.steps, row.centres, strict=True) if centre >= start]
    nation, confidence = decide_nation(glyphs, steps)
    return Field(text=nation, confidence=confidence, parts=((row, glyphs),)) if nation else UNREAD


def _nation_glyphs(row: Row) -> list[tuple[Glyph, ...]]:
    """The hanzi behind 民族; where that label is not found, those behind the sex.

    On a pale copy 族 may be unread, and the nation's first character taken for it: then those behind 民, too.
    """
    rest = value_of(row)
    begins = [0]
    place = find_label(rest, NATION_LABEL)
    if place is not None:
        begins = [place[1]]
        if rest[place[0]].character == NATION_LABEL[0] and rest[place[1] - 1].character != NATION_LABEL[-1]:
            begins.append(place[0] + 1)
    elif sexes := [i for i, glyph in enumerate(rest) if glyph.character in SEXES]:
        begins = [sexes[-1] + 1]
    return [tuple(glyph for glyph in rest[begin:] if is_hanzi(glyph.character)) for begin in begins]


def _decided(row: Row, text: str, confidence: float, glyph: Glyph | None) -> Field:
    return Field(text=text, confidence=confidence, parts=((row, (glyph,) if glyph else ()),))
