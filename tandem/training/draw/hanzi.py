"""The Chinese characters that the recogniser is taught: what cards may print, and what it knew before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.text.characters import ZERO, is_hanzi
from tandem.training.draw import addresses, names
from tandem.training.draw.pools import Pool
from tandem.training.draw.regions import regions

POOLS: tuple[Pool, ...] = ("train", "test")

# GB 2312-1980: rows 16 to 55 by sound, 56 to 87 by radical.
_ROWS, _CELLS = range(0xB0, 0xF8), range(0xA1, 0xFF)
# It lists strokes and components among them, which are no characters of their own.
_COMPONENTS = frozenset(
    "讠冫冖冂凵刂勹匚卩厶亠亻廴艹辶宀丶丿丨纟彳扌氵灬爫犭疒礻衤钅阝饣忄攵夂彐囗彡虍罒釆隹髟丷巛尢廾肀爿牜"
)
# Log priors of characters of GB 2312's rarer half that no list of names and places has, of others that few
# cards show, and of those that today's Chinese hardly has (traditional forms).
_SELDOM, _UNUSUAL, _ANTIQUE = -1.0, -2.0, -4.0
_RARER_HALF = 0xD8  # its first row


def gb2312() -> tuple[str, ...]:
    """The 6,763 Chinese characters of GB 2312 without components."""
    points = [(row, cell) for row in _ROWS for cell in _CELLS if not (row == 0xD7 and cell > 0xF9)]
    characters = (bytes(point).decode("gb2312") for point in points)
    return tuple(character for character in characters if character not in _COMPONENTS)


def drawn() -> frozenset[str]:
    """Chinese characters that drawn cards can show: of names, places and regions, and 〇."""
    words = [
        value for module in (names, addresses) for value in vars(module).values() if isinstance(value, str)
    ]
    words += [
        region.full_name()
        for pool in POOLS
        for old in (False, True)
        for region in regions(pool, abolished=old)
    ]
    return frozenset(character for character in "".join(words) if is_hanzi(character)) | {ZERO}


def simplified() -> tuple[str, ...]:
    """Characters of today's Chinese: GB 2312, those of CC-CEDICT's headwords, names and places; 〇."""
    from zhon import cedict  # noqa: PLC0415 - only training needs it

    candidates = {*gb2312(), *cedict.simplified, *drawn()}
    return tuple(
        sorted(character for character in candidates if is_hanzi(character) and character not in _COMPONENTS)
    )


def untaught(characters: Sequence[str]) -> list[str]:
    """Characters of GB 2312 and of drawn cards that are not among a recogniser's characters."""
    return sorted({*gb2312(), *drawn()} - set(characters))


def log_prior(characters: Sequence[str]) -> NDArray[np.float32]:
    """(len(characters),) float32: what to add to each class's score, for what cards print is not even.

    Training draws rare characters as often as common ones, which teaches their shapes. On cards those
    outside of GB 2312 and of the lists of names and places are far rarer, and many are variant forms of
    common ones (姸 of 妍, 號 of 号). By Bayes' rule their scores are lowered by the logarithm of how much
    rarer: less than the truth, so that a surely seen one is still read. So are those of GB 2312's rarer half
    (嫒, 薏), which look like what names print (媛, 惹).
    """
    listed = drawn()
    usual, today = {*gb2312(), *listed}, set(simplified())
    prior = np.zeros(len(characters), np.float32)
    for index, character in enumerate(characters):
        if len(character) == 1 and is_hanzi(character) and character not in usual:
            prior[index] = _UNUSUAL if character in today else _ANTIQUE
        elif character not in listed and _is_of_rarer_half(character):
            prior[index] = _SELDOM
    return prior


def _is_of_rarer_half(character: str) -> bool:
    try:
        return character.encode("gb2312")[0] >= _RARER_HALF
    except UnicodeEncodeError:
        return False
