"""Kinds of characters on a card, and the one way this project writes those that look alike."""

from __future__ import annotations

# Unified ideographs, extensions A to H, and the zero 〇 (U+3007).
_HANZI = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x323AF), (0x3007, 0x3007))
MIDDLE_DOT = "·"  # U+00B7, as minority names print it
# What a reader may take a middle dot for.
DOTS = frozenset("·•・∙．.。、，,'′")
# What a reader may take the dash of a validity for.
DASHES = frozenset("-–—―－~～一_")
ZERO = "〇"
# What a reader may take 〇 for and no card prints.
CIRCLES = frozenset("○●")
# What a reader may take 〇 for, where it stands among Chinese numerals.
ROUND = frozenset("〇○●0Oo")
NUMERALS = frozenset("一二三四五六七八九〇零")
DIGITS = frozenset("0123456789")


def is_hanzi(character: str) -> bool:
    """Whether `character` (one code point) is a Chinese character; 〇 is one."""
    code = ord(character)
    return any(first <= code <= last for first, last in _HANZI)
