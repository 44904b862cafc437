"""A tokenizer with the files' layout and a vocabulary of single characters."""

from __future__ import annotations

from pathlib import Path

from export.text_embedder.blob import Vocabulary
from export.text_embedder.tokens import (
    NORMALISATION_FILE,
    TOKENIZER_FILE,
    normalisation_json,
    tokenizer_json,
)

CHARACTERS = [chr(code) for code in (*range(0x21, 0x7F), *map(ord, "水电站网络大坝"))]


def small_vocabulary() -> Vocabulary:
    """Ids 0 to 3 as in the real one; a full-width Ａ becomes A, a zero-width space goes."""
    pieces = ("<s>", "<pad>", "</s>", "<unk>", "▁", *CHARACTERS)
    return Vocabulary(
        pieces=pieces,
        scores=(0.0,) * 4 + (-1.0,) * (len(pieces) - 4),
        bos=0,
        pad=1,
        eos=2,
        unknown=3,
        normalisation={ord("Ａ"): "A", 0x200B: ""},
    )


def write_tokenizer(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TOKENIZER_FILE).write_text(tokenizer_json(small_vocabulary()), "utf-8")
    (folder / NORMALISATION_FILE).write_text(normalisation_json(small_vocabulary()), "utf-8")
