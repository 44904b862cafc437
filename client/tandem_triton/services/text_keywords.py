"""`text_keywords`: phrases of a text that say what it is about, with their places."""

from __future__ import annotations

import msgspec

from tandem_triton.core.service import Service
from tandem_triton.media.text import TEXT_TYPES, encode_text

Span = tuple[int, int]
"""[start, end) in Unicode characters of the text as sent."""


class Keyword(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase of the text.

    Attributes:
        text: as it stands at its first place.
        score: likeness of its meaning to the whole text's, 0-1.
        spans: every place, in order.
    """

    text: str
    score: float
    spans: tuple[Span, ...]


class KeywordsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What `text_keywords` answers about one text.

    Attributes:
        keywords: the best first; none if no phrase is fit.
    """

    keywords: tuple[Keyword, ...]


class KeywordOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a call.

    Attributes:
        count: how many keywords at most, 1-50.
    """

    count: int = 5


SERVICE = Service(
    name="text_keywords",
    summary="Finds the keywords of a Chinese or English text, with their places.",
    input="TEXT",
    content_types=TEXT_TYPES,
    answer=KeywordsAnswer,
    encode=encode_text,
    probe="水电站利用河水发电。".encode(),
    empty=lambda answer: not answer.keywords,
    options=KeywordOptions,
)
