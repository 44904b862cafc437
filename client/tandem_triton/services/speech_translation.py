"""`speech_translation`: what is said in a recording, and its translation."""

from __future__ import annotations

from typing import Literal

import msgspec

from tandem_triton.core.service import Service
from tandem_triton.media.audio import AUDIO_TYPES, SILENT_RECORDING, encode_audio
from tandem_triton.services.speech_to_text import Segment

Language = Literal["zh", "en"]


class SpokenTranslation(msgspec.Struct, frozen=True, kw_only=True):
    """What `speech_translation` answers about one recording.

    Attributes:
        text: what was said.
        language: the spoken one; None where nobody spoke and none was given.
        segments: of the speech, in the order of time.
        translation: of the whole text.
        target: the language of the translation; None where nobody spoke and none was given.
        warnings: kinds of doubt about the translation.
    """

    text: str
    language: str | None
    segments: tuple[Segment, ...]
    translation: str
    target: Language | None
    warnings: tuple[str, ...] = ()


class SpeechTranslationOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a call may ask for.

    Attributes:
        target: None: English for Chinese, Chinese for English.
        language: the spoken one; None: it is detected.
        by: `whisper` asks for the recogniser's own translation to English, which is worse.
    """

    target: Language | None = None
    language: Language | None = None
    by: Literal["translator", "whisper"] = "translator"


SERVICE = Service(
    name="speech_translation",
    summary="Writes down and translates what is said in a recording, Chinese or English.",
    input="AUDIO",
    content_types=AUDIO_TYPES,
    answer=SpokenTranslation,
    encode=encode_audio,
    probe=SILENT_RECORDING,
    empty=lambda answer: not answer.text,
    options=SpeechTranslationOptions,
)
