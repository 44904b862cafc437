"""The characters that a card can show, out of the 18,708 that the recogniser knows.

The recogniser's classes include emoji, kana, Greek, accented Latin, mathematics and full-width Latin. None
of them is printed on a resident identity card, and many look like something that is (エ/工, ト/卜, ニ/二,
Α/A, ０/0): leaving them out makes reading a little faster and a little more often right. Every hanzi stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from tandem.services.id_card.text.characters import is_hanzi

BLANK = "<blank>"  # CTC's blank, always class 0
SPACE = " "  # the recogniser's last class, which its own list leaves out

_ASCII = (0x21, 0x7E)
# What addresses, authorities and minority names use besides: dots, dashes, brackets, and numbers of other
# kinds. ○ ● ◯ are here because the recogniser may choose them for 〇.
_OTHERS = frozenset("·•・∙、。，．（）－—–―～＃：；／＋…′″○●ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ①②③④⑤⑥⑦⑧⑨⑩")


def can_be_printed(character: str) -> bool:
    """Whether a card can show `character` (one code point)."""
    # Compatibility ideographs (U+F900…) are no hanzi here: each looks the same as a unified one.
    return _ASCII[0] <= ord(character) <= _ASCII[1] or character in _OTHERS or is_hanzi(character)


def kept_classes(dictionary: Sequence[str]) -> list[int]:
    """The classes to keep, ascending: the blank, every character a card can show, the space.

    Args:
        dictionary: the recogniser's characters; `dictionary[i]` is its class `i + 1`.
    """
    kept = [i for i, character in enumerate(dictionary, start=1) if can_be_printed(character)]
    return [0, *kept, len(dictionary) + 1]


def class_names(dictionary: Sequence[str], classes: Sequence[int]) -> list[str]:
    """One name a class: `BLANK`, then characters, then `SPACE`."""
    names = [BLANK, *dictionary, SPACE]
    return [names[i] for i in classes]
