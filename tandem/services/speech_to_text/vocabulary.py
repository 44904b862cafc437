"""Whisper's tokens: their text, and what the special ones mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from tandem.errors import InputError

TRANSCRIBE, TRANSLATE = "transcribe", "translate"
TASKS = (TRANSCRIBE, TRANSLATE)
_START = "<|startoftranscript|>"
_LANGUAGE = re.compile(r"<\|([a-z]{2,3})\|>")
#: Written without spaces between words: a segment may end behind any character.
_UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km"})
_HALF_A_CHARACTER = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The smallest text that a segment may begin or end with: a character of Chinese, a word of English.

    Attributes:
        text: with the space before it, if any.
        first: index of its first token.
        last: index of its last token.
    """

    text: str
    first: int
    last: int


class Vocabulary:
    """The tokens of one model."""

    def __init__(self, path: Path) -> None:
        """Reads `tokenizer.json`.

        Raises:
            ValueError: it is no file of that kind, or not Whisper's.
        """
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise ValueError(f"{path} is no tokenizer.json") from error
        vocabulary = self._tokenizer.get_vocab()
        if _START not in vocabulary:
            raise ValueError(f"{path} is not Whisper's tokenizer: it has no {_START}")
        self._ids = vocabulary
        names = (_LANGUAGE.fullmatch(token) for token in vocabulary)
        self.languages = frozenset(name[1] for name in names if name)

    def check_language(self, language: str) -> None:
        """Returns if the model knows the language.

        Raises:
            InputError: it does not; the message names those it knows.
        """
        if language not in self.languages:
            raise InputError(f"the language is unknown; known are {', '.join(sorted(self.languages))}")

    def prompt(self, language: str, task: str) -> list[int]:
        """What the decoder starts with: without time stamps, which cost accuracy."""
        names = (_START, f"<|{language}|>", f"<|{task}|>", "<|notimestamps|>")
        return [self._ids[name] for name in names]

    def text(self, tokens: Sequence[int]) -> str:
        """The tokens' text, special ones left out."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))

    def pieces(self, tokens: Sequence[int], language: str) -> list[Piece]:
        """The tokens' text in pieces, in order, every token in one of them."""
        pieces: list[Piece] = []
        for piece in self._characters(tokens):
            if pieces and language not in _UNSPACED and not piece.text.startswith(" "):
                before = pieces.pop()
                piece = Piece(text=before.text + piece.text, first=before.first, last=piece.last)  # noqa: PLW2901
            pieces.append(piece)
        return pieces

    def _characters(self, tokens: Sequence[int]) -> Iterator[Piece]:
        """As few tokens as make whole characters."""
        first = 0
        for i in range(len(tokens)):
            text = self.text(tokens[first : i + 1])
            if text.endswith(_HALF_A_CHARACTER) and i + 1 < len(tokens):
                continue
            yield Piece(text=text.replace(_HALF_A_CHARACTER, ""), first=first, last=i)
            first = i + 1
