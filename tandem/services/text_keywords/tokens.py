"""Texts as token ids, as the embedder was trained to get them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tokenizers import Tokenizer

from tandem.services.text_keywords.lanes import LENGTH

#: Parts of a long text that are embedded, spread over it: enough to know what it is about.
MAX_WINDOWS = 16
#: What the model was trained with in front of a text that is compared with others of its kind.
_PREFIX = "query: "
_SPACES = re.compile(" +")


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

    def pieces(self, text: str) -> list[int]:
        """Ids of the pieces, without the tokens in front and behind."""
        plain = _SPACES.sub(" ", text.translate(self._replaced)).strip()
        return list(self._tokenizer.encode(plain, add_special_tokens=False).ids)

    def phrase(self, text: str) -> list[int]:
        """A phrase's tokens; more than a lane holds are left out."""
        return [self._bos, *self.pieces(_PREFIX + text)[: LENGTH - 2], self._eos]

    def windows(self, text: str) -> list[list[int]]:
        """A text's tokens in parts that fill a lane each; of a long one `MAX_WINDOWS`, evenly spread."""
        lead, ids = self.pieces(_PREFIX), self.pieces(text)
        room = LENGTH - 2 - len(lead)
        begins = list(range(0, max(len(ids), 1), room))
        if len(begins) > MAX_WINDOWS:
            begins = [begins[i * len(begins) // MAX_WINDOWS] for i in range(MAX_WINDOWS)]
        return [[self._bos, *lead, *ids[begin : begin + room], self._eos] for begin in begins]
