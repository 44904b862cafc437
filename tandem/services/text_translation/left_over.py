"""The tokens of the source's language, which a second try may not use."""

from __future__ import annotations

import re

from tokenizers import Tokenizer

from tandem.services.text_translation.languages import CHINESE, HAN, Direction

#: A lower-case English word or a long piece of one. Names and abbreviations have capitals and stay allowed.
_ENGLISH_WORD = re.compile(r" ?[a-z]{3,}")
_REPLACEMENT = "\ufffd"
#: The first bytes of UTF-8 for U+3000-U+9FFF; a token may hold a part of a character.
_LEAD_BYTES = range(0xE3, 0xEA)


def foreign_tokens(tokenizer: Tokenizer, direction: Direction) -> list[str]:
    """Names of the tokens that can only spell words of the source's language."""
    names = tokenizer.get_vocab(with_added_tokens=False)
    written = {name: tokenizer.decode([index]) for name, index in names.items()}
    if direction.source == CHINESE:
        return [name for name, text in written.items() if HAN.search(text) or _is_part(name, text)]
    return [name for name, text in written.items() if _ENGLISH_WORD.fullmatch(text)]


def _is_part(name: str, text: str) -> bool:
    """Whether the token is a part of a Chinese character's bytes."""
    return _REPLACEMENT in text and any(_BYTES.get(letter) in _LEAD_BYTES for letter in name)


def _byte_letters() -> dict[str, int]:
    """How byte-level tokenizers spell bytes (GPT-2's table): printable ones as they are."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(0x100 + place): byte for place, byte in enumerate(others)
    }


_BYTES = _byte_letters()
