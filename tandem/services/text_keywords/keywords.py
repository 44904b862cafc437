"""The whole way of a text to its keywords."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.media.options import read_options, whole_number
from tandem.media.text import decode_text
from tandem.services.text_keywords.candidates import find_candidates
from tandem.services.text_keywords.choose import choose, mean_direction
from tandem.services.text_keywords.lanes import Lane, pack
from tandem.services.text_keywords.tokens import TextTokenizer

#: About ten pages. A text's subject shows long before; more would cost seconds.
MAX_CHARACTERS = 20_000
DEFAULT_COUNT, MAX_COUNT = 5, 50
_CHECKS = {"count": whole_number(1, MAX_COUNT)}

#: Gives each lane's vectors, (texts, hidden), in order; asks the network for two lanes at a time.
Embed = Callable[[Sequence[Lane]], Iterator[NDArray[np.float32]]]


def keywords_of_bytes(
    data: bytes, options: bytes | None, tokenizer: TextTokenizer, embed: Embed
) -> dict[str, Any]:
    """The result (`result.schema.json`) for a text as it was sent.

    Args:
        data: UTF-8.
        options: JSON `{"count": 1-50}`, or None: five keywords.
        tokenizer: the embedder's.
        embed: asks the embedder.

    Raises:
        InputError: the text or the options are not allowed; the message says what is.
    """
    count = read_options(options, _CHECKS).get("count", DEFAULT_COUNT)
    text = decode_text(data, max_characters=MAX_CHARACTERS)
    return {"keywords": keywords(text, count, tokenizer, embed)}


def keywords(text: str, count: int, tokenizer: TextTokenizer, embed: Embed) -> list[dict[str, Any]]:
    """At most `count` keywords of a decoded text, the best first; none if no phrase is fit."""
    candidates = find_candidates(text)
    if not candidates:
        return []
    phrases = [candidate.text for candidate in candidates]
    windows = tokenizer.windows(text)
    vectors = _embed_all([*windows, *map(tokenizer.phrase, phrases)], tokenizer.pad, embed)
    passage = mean_direction(vectors[: len(windows)], [len(window) for window in windows])
    chosen = choose(phrases, vectors[len(windows) :], passage, count)
    return [
        {
            "text": phrases[place],
            "score": round(min(max(likeness, 0.0), 1.0), 4),
            "spans": [list(span) for span in candidates[place].spans],
        }
        for place, likeness in chosen
    ]


def _embed_all(texts: Sequence[Sequence[int]], pad: int, embed: Embed) -> NDArray[np.float32]:
    """(texts, hidden) the unit vectors of token ids."""
    lanes = pack(texts, pad=pad)
    by_place: dict[int, NDArray[np.float32]] = {}
    for lane, rows in zip(lanes, embed(lanes), strict=True):
        by_place.update(zip(lane.places, rows, strict=False))
    return np.stack([by_place[place] for place in range(len(texts))])
