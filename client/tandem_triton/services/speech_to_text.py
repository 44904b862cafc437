"""`speech_to_text`: what is said in a recording, with times and confidence."""

from __future__ import annotations

from typing import Literal

import msgspec

from tandem_triton.core.service import Service
from tandem_triton.media.audio import AUDIO_TYPES, SILENT_RECORDING, encode_audio


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of speech.

    Attributes:
        start_s: seconds of the recording.
        end_s: seconds of the recording.
        text: what was said.
        confidence: 0-1.
    """

    start_s: float
    end_s: float
    text: str
    confidence: float


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """What `speech_to_text` answers about one recording.

    Attributes:
        text: the whole; Chinese in simplified characters; empty for silence and noise.
        language: a code such as zh or en; None where nobody spoke and none was given.
        segments: in the order of time.
    """

    text: str
    language: str | None
    segments: tuple[Segment, ...]


class SpeechOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a call may ask for.

    Attributes:
        language: a code such as zh or en; None: it is detected.
        task: `translate` asks for the recogniser's own translation to English, which is poor.
    """

    language: str | None = None
    task: Literal["transcribe", "translate"] = "transcribe"


SERVICE = Service(
    name="speech_to_text",
    summary="Writes down what is said in a recording, with times.",
    input="AUDIO",
    content_types=AUDIO_TYPES,
    answer=Transcript,
    encode=encode_audio,
    probe=SILENT_RECORDING,
    empty=lambda answer: not answer.text,
    options=SpeechOptions,
)
