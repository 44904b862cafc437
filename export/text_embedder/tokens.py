"""The tokenizer's two files: pieces for the library `tokenizers`, and the table of replaced characters."""

from __future__ import annotations

import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from export.text_embedder.blob import Vocabulary

TOKENIZER_FILE, NORMALISATION_FILE = "tokenizer.json", "normalisation.json"
_SPACE = "▁"  # how a unigram model spells a space


def tokenizer_json(vocabulary: Vocabulary) -> str:
    """The file `tokenizer.json`: a unigram model (SentencePiece) without normalisation or special tokens."""
    pieces = list(zip(vocabulary.pieces, vocabulary.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=vocabulary.unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=_SPACE, prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    return str(tokenizer.to_str())


def normalisation_json(vocabulary: Vocabulary) -> str:
    """The file `normalisation.json`: special tokens by name, and code point → replacement."""
    ids = {name: getattr(vocabulary, name) for name in ("bos", "eos", "pad")}
    return json.dumps({**ids, "replaced": vocabulary.normalisation}, ensure_ascii=False)
