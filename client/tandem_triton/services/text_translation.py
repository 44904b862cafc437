"""`text_translation`: Chinese to English and English to Chinese, sentence by sentence."""

from __future__ import annotations

from typing import Literal

import msgspec

from tandem_triton.core.service import Service
from tandem_triton.media.text import TEXT_TYPES, encode_text

Language = Literal["zh", "en"]


class TranslationWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Something doubtful about a sentence's translation.

    Attributes:
        kind: "empty", "truncated", "repetition", "other_language", "added_text", "left_out",
            "identity_number_changed", "number_changed", "source_left", "unit_changed" or
            "nothing_to_translate"; later servers may know more.
        start: where the sentence begins, in Unicode characters of the text as sent.
        end: where it ends, exclusive.
    """

    kind: str
    start: int
    end: int


class Translation(msgspec.Struct, frozen=True, kw_only=True):
    """What `text_translation` answers about one text.

    Attributes:
        translation: the text, with its line breaks, indents and bullets.
        source: language that it was in.
        target: language that it is in now.
        warnings: what is doubtful, in the order of the text.
    """

    translation: str
    source: Language
    target: Language
    warnings: tuple[TranslationWarning, ...]


class TranslationOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a call.

    Attributes:
        source: language of the text; None: the server finds out.
        target: language to translate to; None: the other one.
    """

    source: Language | None = None
    target: Language | None = None


SERVICE = Service(
    name="text_translation",
    summary="Translates a text between Chinese and English, its layout kept.",
    input="TEXT",
    content_types=TEXT_TYPES,
    answer=Translation,
    encode=encode_text,
    probe="你好。".encode(),
    options=TranslationOptions,
)
