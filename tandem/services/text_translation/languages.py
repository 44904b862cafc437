"""Which language a text is in, and from which into which it is translated."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tandem.errors import InputError
from tandem.media.options import one_of, read_options

CHINESE, ENGLISH = "zh", "en"
LANGUAGES = (CHINESE, ENGLISH)
_OTHER = {CHINESE: ENGLISH, ENGLISH: CHINESE}
_ALLOWED = "zh (Chinese) and en (English) are allowed"

#: Chinese characters: the unified ideographs, extension A, the compatibility block, 〇, the planes beyond.
HAN = re.compile(r"[〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
LATIN_WORD = re.compile(r"[A-Za-zÀ-ɏ]+(?:['’][A-Za-zÀ-ɏ]+)*")
_KANA = re.compile(r"[\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff]")
_LETTER = re.compile(r"[^\W\d_]")
#: A Chinese text may quote a Japanese name; a Japanese one has kana in every phrase (a third and more).
_JAPANESE_SHARE = 0.1
#: A Chinese word has about two characters, so that many weigh as much as an English word.
_CHARACTERS_PER_WORD = 2.0


@dataclass(frozen=True, kw_only=True)
class Direction:
    """From which language into which: `zh` or `en` each, never the same."""

    source: str
    target: str

    def __str__(self) -> str:
        """`zh-en` or `en-zh`."""
        return f"{self.source}-{self.target}"

    @classmethod
    def parse(cls, text: str) -> Direction:
        """The direction that `str` wrote.

        Raises:
            InputError: it is none.
        """
        source, _, target = text.partition("-")
        if target not in LANGUAGES or _OTHER.get(source) != target:
            raise InputError('the direction must be "zh-en" or "en-zh"')
        return cls(source=source, target=target)


def read_direction(text: str, options: bytes | None) -> Direction:
    """The direction that OPTIONS ask for; what they leave open follows from the text.

    Args:
        text: what is to be translated.
        options: JSON `{"source": "zh" | "en", "target": "zh" | "en"}`, both optional, or None.

    Raises:
        InputError: the options are malformed or name the same language twice, or the text is in neither.
    """
    check = one_of(*LANGUAGES)
    given = read_options(options, {"source": check, "target": check})
    source, target = given.get("source"), given.get("target")
    if source is None:
        source = _OTHER[target] if target else detect_language(text)
    target = target or _OTHER[source]
    if source == target:
        raise InputError(f'OPTIONS: "source" and "target" are both {source}; {_ALLOWED}, one each')
    return Direction(source=source, target=target)


def detect_language(text: str) -> str:
    """`zh` or `en`: the one with more words in the text; `en` where there are none of either.

    Raises:
        InputError: most letters are of other scripts, or the text is Japanese.
    """
    han, latin = len(HAN.findall(text)), LATIN_WORD.findall(text)
    known = han + sum(len(word) for word in latin)
    letters = len(_LETTER.findall(text))
    if known * 2 < letters or len(_KANA.findall(text)) > _JAPANESE_SHARE * letters:
        raise InputError(f"the text is in another language; {_ALLOWED}")
    return CHINESE if han / _CHARACTERS_PER_WORD > len(latin) else ENGLISH


def has_words(text: str, language: str) -> bool:
    """Whether there is anything of the language in the text, so that there is something to translate."""
    return bool((HAN if language == CHINESE else LATIN_WORD).search(text))
