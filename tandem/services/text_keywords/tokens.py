"""Texts as blocks of tokens for the embedder: few shapes, so that any callers' blocks share a batch."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

#: Lengths of rows, in tokens: a row is filled up to the next. Phrases are nearly all in the first two.
PHRASE_LENGTHS = (8, 16, 32)
PASSAGE_LENGTHS = (64, 128, 256, 512)
#: Phrases of a block. More would fill batches better, fewer would waste less where a text has few phrases.
PHRASE_ROWS = 16
#: What the model was trained with in front of a text that is compared with others of its kind.
_PREFIX = "query: "
_SPACES = re.compile(" +")


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows of tokens of one shape.

    Attributes:
        tokens: (rows, length) int32, filled with the pad id.
        places: which of the texts each row is, rows that only fill left out.
    """

    tokens: NDArray[np.int32]
    places: tuple[int, ...]


class TextTokenizer:
    """The embedder's tokenizer.

    Args:
        folder: holds `tokenizer.json` and `normalisation.json`, as `export.text_embedder` writes them.
    """

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        table = json.loads((folder / "normalisation.json").read_text("utf-8"))
        self._bos, self._eos, self.pad = table["bos"], table["eos"], table["pad"]
        self._replaced = {int(code): text for code, text in table["replaced"].items()}

    def ids(self, text: str) -> list[int]:
        """Ids of the pieces, without the tokens in front and behind."""
        plain = _SPACES.sub(" ", text.translate(self._replaced)).strip()
        return list(self._tokenizer.encode(plain, add_special_tokens=False).ids)

    def phrase_blocks(self, phrases: Sequence[str]) -> list[Block]:
        """The phrases by length, `PHRASE_ROWS` of them a block."""
        rows = [self._row(self.ids(_PREFIX + phrase)) for phrase in phrases]
        blocks = []
        for shortest, length in zip((0, *PHRASE_LENGTHS), PHRASE_LENGTHS, strict=False):
            last = length == PHRASE_LENGTHS[-1]
            places = [i for i, row in enumerate(rows) if shortest < len(row) and (last or len(row) <= length)]
            for begin in range(0, len(places), PHRASE_ROWS):
                own = places[begin : begin + PHRASE_ROWS]
                blocks.append(self._block([rows[i] for i in own], own, PHRASE_ROWS, length))
        return blocks

    def passage_blocks(self, text: str) -> list[Block]:
        """The text as rows of at most 512 tokens, a block each: long texts are several rows."""
        ids = self.ids(_PREFIX + text)
        room = PASSAGE_LENGTHS[-1] - 2
        windows = [ids[begin : begin + room] for begin in range(0, len(ids), room)] or [[]]
        blocks = []
        for place, window in enumerate(windows):
            row = self._row(window)
            length = next(length for length in PASSAGE_LENGTHS if len(row) <= length)
            blocks.append(self._block([row], [place], 1, length))
        return blocks

    def _row(self, ids: Sequence[int]) -> list[int]:
        return [self._bos, *ids, self._eos]

    def _block(self, rows: Sequence[Sequence[int]], places: Sequence[int], count: int, length: int) -> Block:
        tokens = np.full((count, length), self.pad, np.int32)
        for filled, row in zip(tokens, rows, strict=False):
            filled[: min(len(row), length)] = row[:length]
        return Block(tokens=tokens, places=tuple(places))
