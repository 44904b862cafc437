"""A text cut into sentences and what lies between them, and put together again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sentencex import segment

from tandem.services.text_translation.languages import CHINESE, HAN

#: A longer sentence is cut at a comma: the network's time and memory grow with the longest piece of a batch.
MAX_CHARACTERS = {CHINESE: 120, "en": 320}
_LINES = re.compile(r"[^\r\n]+|[\r\n]+")
#: What stands before a line's first word and must stay as it is: indent, bullets, numbers of a list.
_MARKER = re.compile(
    r"\s*(?:(?:[-*•·▪#>]+|\(?\d{1,3}(?:[)、)]|\.(?=\s))|[(（][一二三四五六七八九十\d]{1,3}[)）])\s*)?"
)
_COMMAS = re.compile(r"(?<=[,;:，；：、—])")
#: Not inside of a number or a time: 1,200, 10:30.
_CLAUSE_ENDS = re.compile(r"(?<=[,;:，；：])(?!\d)")
_SPACE = re.compile(r"\s")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of the text.

    Attributes:
        text: as it stands there; the pieces' texts, joined, are the whole text.
        start: its place, in characters of the text.
        is_sentence: whether it is to be translated; else it is layout and stays.
    """

    text: str
    start: int
    is_sentence: bool


def split(text: str, language: str) -> list[Piece]:
    """The text's sentences and the layout around them, in order; joined they are the text again."""
    pieces: list[Piece] = []
    for match in _LINES.finditer(text):
        line = match.group()
        if line[0] in "\r\n":
            pieces.append(Piece(text=line, start=match.start(), is_sentence=False))
        else:
            pieces += _line_pieces(line, match.start(), language)
    return pieces


def join(pieces: Sequence[Piece], translations: Sequence[str], target: str) -> str:
    """The text again, each sentence replaced by its translation.

    Line breaks, indents and bullets stay. Between two sentences of a line there is one space in English and
    none in Chinese.

    Args:
        pieces: as `split` gave them.
        translations: of the pieces that are sentences, in order.
        target: the language of the translations.
    """
    rest = iter(translations)
    parts: list[str] = []
    for index, piece in enumerate(pieces):
        if piece.is_sentence:
            parts.append(next(rest))
        elif _between_sentences(pieces, index):
            parts.append("" if target == CHINESE else " ")
        else:
            parts.append(piece.text)
    return "".join(parts)


def clauses(sentence: str) -> list[str]:
    """What stands between a sentence's commas, semicolons and colons, each with the mark behind it."""
    return [part.strip() for part in _CLAUSE_ENDS.split(sentence) if part.strip()]


def _between_sentences(pieces: Sequence[Piece], index: int) -> bool:
    """Whether the piece is the gap, maybe of no width, between two sentences of one line."""
    inner = 0 < index < len(pieces) - 1
    return (
        inner
        and pieces[index - 1].is_sentence
        and pieces[index + 1].is_sentence
        and not pieces[index].text.strip()
        and not any(mark in pieces[index].text for mark in "\r\n")
    )


def _line_pieces(line: str, start: int, language: str) -> Iterator[Piece]:
    marker = _MARKER.match(line)
    begin = marker.end() if marker else 0
    if begin:
        yield Piece(text=line[:begin], start=start, is_sentence=False)
    body = line[begin:].rstrip()
    end = begin + len(body)
    place = start + begin
    for number, sentence in enumerate(_sentences(body, language)):
        if number:  # the gap, also where it has no width: `join` decides what stands there
            gap = sentence[: len(sentence) - len(sentence.lstrip())]
            yield Piece(text=gap, start=place, is_sentence=False)
            place += len(gap)
        words = sentence.strip() if number else sentence.rstrip()
        yield Piece(text=words, start=place, is_sentence=True)
        place += len(words)
    if end < len(line):
        yield Piece(text=line[end:], start=start + end, is_sentence=False)


def _sentences(body: str, language: str) -> list[str]:
    """The line's sentences, none over the limit; spaces between two stand in front of the second."""
    found: list[str] = []
    carried = ""
    for sentence in segment(language, body) if body else ():
        words = sentence.rstrip()
        if words:
            found += _short(carried + words, MAX_CHARACTERS[language])
            carried = ""
        carried += sentence[len(words) :]
    return found


def _short(sentence: str, limit: int) -> list[str]:
    """The sentence itself, or what it falls into at commas, at spaces, and at last anywhere."""
    if len(sentence) <= limit:
        return [sentence]
    parts: list[str] = []
    for clause in _COMMAS.split(sentence):
        while len(clause) > limit:
            cut = _cut(clause, limit)
            parts.append(clause[:cut])
            clause = clause[cut:]  # noqa: PLW2901  # what is left of it
        if parts and len(parts[-1]) + len(clause) <= limit:
            parts[-1] += clause
        else:
            parts.append(clause)
    return [part for part in parts if part]


def _cut(clause: str, limit: int) -> int:
    """Where to cut a clause that is too long: before its last space within the limit, if there is one."""
    if HAN.search(clause):
        return limit
    spaces = [match.start() for match in _SPACE.finditer(clause[1:limit])]
    return spaces[-1] + 1 if spaces else limit
