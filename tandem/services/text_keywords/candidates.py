"""Phrases of a text that could be keywords, each with its places."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from tempfile import TemporaryDirectory

import jieba
import jieba.posseg
from lemminflect import getAllLemmas

from tandem.services.text_keywords.stop_words import CHINESE_STOPS, ENGLISH_STOPS

Span = tuple[int, int]
MAX_WORDS = 3
_CHINESE_LENGTHS = range(2, 11)  # characters of a phrase
_LEAST_LETTERS = 3  # of an English word
#: More candidates than these cost time and hardly ever hold a better one: the most frequent stay.
MAX_CANDIDATES = 192

_HAN = re.compile(r"[〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
#: A phrase never reaches over one of these.
_CLAUSE = re.compile(r"[^\s，。！？；：、,.!?;:()（）“”\"「」『』《》〈〉【】\[\]…—]+")
_ENGLISH_CLAUSE = re.compile(r"[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ0-9'’ \t-]*")
_ENGLISH_WORD = re.compile(r"[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ0-9]*(?:[-'’][A-Za-zÀ-ɏ0-9]+)*")
#: jieba's parts of speech that a phrase may hold: nouns, verbs used as nouns, adjectives, attributes, fixed
#: phrases, abbreviations, foreign words.
_INNER = ("n", "vn", "a", "b", "j", "l", "i", "eng")
#: What its last word must be.
_LAST = ("n", "vn", "j", "l", "i", "eng")
_PERSON = "nr"
#: An English phrase, a letter a word: maybe an adjective or a participle (damaged, charging), then nouns; the
#: last may be a plural that could be a verb as well. A gerund (charging) may stand alone.
_NOUN_PHRASE = re.compile(r"[adg]?n*[np]|g")

jieba.setLogLevel(logging.ERROR)  # it prints how long its dictionary took


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A phrase.

    Attributes:
        text: as it stands at its first place.
        spans: (start, end) of every place, in characters of the text.
    """

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, kw_only=True)
class _Word:
    text: str
    start: int
    kind: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def find_candidates(text: str) -> list[Candidate]:
    """The phrases, in the order of their first places; at most `MAX_CANDIDATES`.

    Chinese runs are cut into words by jieba, whose parts of speech decide what a phrase may hold; English
    phrases are nouns with what a dictionary lets stand before them. A text may mix both.
    """
    found: dict[str, list[Span]] = {}
    for start, end in [*_chinese_spans(text), *_english_spans(text)]:
        found.setdefault(_key(text[start:end]), []).append((start, end))
    kept = Counter({key: len(spans) for key, spans in found.items()}).most_common(MAX_CANDIDATES)
    chosen = [sorted(found[key]) for key, _ in kept]
    return [
        Candidate(text=text[spans[0][0] : spans[0][1]], spans=tuple(spans))
        for spans in sorted(chosen, key=lambda spans: (spans[0], spans))
    ]


def is_chinese(text: str) -> bool:
    """Whether a phrase has Chinese characters."""
    return _HAN.search(text) is not None


def load() -> None:
    """Read the dictionaries now (some seconds) instead of at the first text.

    jieba keeps a cache in the machine's temporary folder, where anybody could put a file of that name for us
    to read: it gets a folder of its own, which is gone afterwards.
    """
    with TemporaryDirectory() as folder:
        jieba.dt.tmp_dir = folder
        jieba.initialize()
    list(jieba.posseg.cut("预热"))
    getAllLemmas("warm")


def _key(phrase: str) -> str:
    return " ".join(phrase.lower().split())


def _chinese_spans(text: str) -> Iterator[Span]:
    for clause in _CLAUSE.finditer(text):
        if not is_chinese(clause.group()):
            continue
        words = list(_words(clause.group(), clause.start()))
        for phrase in _runs(words):
            start, end = phrase[0].start, phrase[-1].end
            if end - start in _CHINESE_LENGTHS and is_chinese(text[start:end]) and _is_phrase(phrase):
                yield start, end


def _words(clause: str, start: int) -> Iterator[_Word]:
    for pair in jieba.posseg.cut(clause):
        yield _Word(text=pair.word, start=start, kind=pair.flag)
        start += len(pair.word)


def _runs(words: Sequence[_Word]) -> Iterator[Sequence[_Word]]:
    for first in range(len(words)):
        for last in range(first + 1, min(first + MAX_WORDS, len(words)) + 1):
            yield words[first:last]


def _is_phrase(words: Sequence[_Word]) -> bool:
    if any(word.text in CHINESE_STOPS or not word.kind.startswith(_INNER) for word in words):
        return False
    last = words[-1]
    if last.kind.startswith(_PERSON) and len(words) > 1:
        return False
    return last.kind.startswith(_LAST) and not (len(words) == 1 and len(last.text) == 1)


def _english_spans(text: str) -> Iterator[Span]:
    for clause in _ENGLISH_CLAUSE.finditer(text):
        words = [
            _Word(
                text=match.group(),
                start=clause.start() + match.start(),
                kind=_english_kind(match.group().lower()),
            )
            for match in _ENGLISH_WORD.finditer(clause.group())
        ]
        for phrase in _runs(words):
            kinds = "".join(word.kind for word in phrase)
            if _NOUN_PHRASE.fullmatch(kinds):
                yield phrase[0].start, phrase[-1].end


@lru_cache(maxsize=50_000)
def _english_kind(word: str) -> str:
    """One letter of `_NOUN_PHRASE`: what a dictionary says that a word can be.

    Without the sentence many words stay in doubt. A plural that may be a verb ("feeds") is a noun only
    where a phrase ends, since plurals seldom stand inside of one.
    """
    if len(word) < _LEAST_LETTERS or word in ENGLISH_STOPS:
        return "-"
    kinds = set(getAllLemmas(word))
    if not kinds or "PROPN" in kinds:
        return "n"  # a name, or a word newer than the dictionary
    if "NOUN" in kinds:
        return "p" if word.endswith("s") and "VERB" in kinds else "n"
    if "ADJ" in kinds:
        return "a"
    if word.endswith("ing"):
        return "g"
    return "d" if word.endswith("ed") else "-"
