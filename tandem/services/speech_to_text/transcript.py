"""Windows as heard → the answer: segments with times and confidence, Simplified, without what nobody said."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import opencc

from tandem.services.speech_to_text.listening import Heard
from tandem.services.speech_to_text.vocabulary import Piece, Vocabulary
from tandem.services.speech_to_text.windows import Window

#: OpenAI's own rule for silence and noise: the network doubts that anybody speaks, and its text.
_NO_SPEECH = 0.6
_LEAST_SCORE = -1.0
_CHINESE = frozenset({"zh", "yue"})
_SENTENCE_ENDS = tuple("。？！?!.…")
_MARKS = (*_SENTENCE_ENDS, *"，、；：,;:")
_NEAR_S = 0.2
_MS = 3  # decimals of a second


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of speech.

    Attributes:
        start_s: seconds of the recording.
        end_s: seconds of the recording.
        text: as spoken, with the space before it where the language has spaces.
        confidence: 0–1, the geometric mean of its tokens' probabilities.
    """

    start_s: float
    end_s: float
    text: str
    confidence: float


def is_speech(heard: Heard) -> bool:
    """False for what the recogniser made of silence or noise."""
    return len(heard.tokens) > 0 and not (heard.no_speech > _NO_SPEECH and heard.score < _LEAST_SCORE)


def segments_of(window: Window, heard: Heard, vocabulary: Vocabulary) -> list[Segment]:
    """The window's segments: one a region of speech, and one a sentence where a region holds several."""
    if not is_speech(heard):
        return []
    pieces = vocabulary.pieces(heard.tokens.tolist(), heard.language)
    segments = []
    for region, group in _grouped(pieces, window, heard):
        text = "".join(piece.text for piece in group)
        if text.strip():
            start, end = _span(group, region, window, heard)
            segments.append(
                Segment(
                    start_s=round(start, _MS),
                    end_s=round(end, _MS),
                    text=_simplified(text) if heard.language in _CHINESE else text,
                    confidence=_confidence(heard, group),
                )
            )
    return _in_order(segments)


def result(segments: Sequence[Segment], language: str | None) -> dict[str, Any]:
    """The answer as JSON has it (result.schema.json).

    Args:
        segments: of the whole recording, in order.
        language: given or detected; None where nobody spoke and none was given.
    """
    return {
        "text": _joined(segments),
        "language": language,
        "segments": [
            {
                "start_s": segment.start_s,
                "end_s": segment.end_s,
                "text": segment.text.strip(),
                "confidence": segment.confidence,
            }
            for segment in segments
        ],
    }


def _joined(segments: Sequence[Segment]) -> str:
    """The segments' texts, a space between two that neither a space nor a mark keeps apart."""
    text = ""
    for segment in segments:
        is_apart = not text or segment.text.startswith(" ") or text.endswith(_MARKS)
        text += segment.text if is_apart else f" {segment.text}"
    return text.strip()


def _grouped(pieces: Sequence[Piece], window: Window, heard: Heard) -> Iterator[tuple[int, list[Piece]]]:
    """(index of the region, its pieces): a new group where the region changes or a sentence has ended."""
    group: list[Piece] = []
    region = 0
    begins = window.start_s + heard.times_s
    ends = [*begins[1:], window.speech_s[-1][1]]
    for piece in pieces:
        # By its middle: a token begins where the one before ends, which may be a pause ago.
        middle = (begins[piece.first] + ends[piece.last]) / 2
        nearest = max(region, _nearest(window, float(middle)))
        if group and (nearest != region or _ends_sentence(group)):
            yield region, group
            group = []
        region = nearest
        group.append(piece)
    if group:
        yield region, group


def _ends_sentence(group: Sequence[Piece]) -> bool:
    text = group[-1].text.strip()
    return text.endswith(_SENTENCE_ENDS) and not _is_abbreviation(text)


def _is_abbreviation(word: str) -> bool:
    """`Mr.`, `U.S.` and `3.` end no sentence: short, capital or a number, and a full stop."""
    return word.endswith(".") and ((len(word) <= len("Mrs.") and word[0].isupper()) or word[:-1].isdigit())


def _nearest(window: Window, at: float) -> int:
    """The region that the time lies in or is nearest to."""
    return int(np.argmin([max(start - at, at - end, 0.0) for start, end in window.speech_s]))


def _span(group: Sequence[Piece], region: int, window: Window, heard: Heard) -> tuple[float, float]:
    """(start, end) in seconds: the tokens', within their region; the region's where they come near it."""
    start, end = window.speech_s[region]
    times = heard.times_s + window.start_s
    begins = min(max(float(times[group[0].first]), start), end)
    behind = group[-1].last + 1
    ends = min(float(times[behind]), end) if behind < len(times) else end
    near = _NEAR_S
    return (
        start if begins - start < near else begins,
        end if end - ends < near or ends <= begins else ends,
    )


def _in_order(segments: list[Segment]) -> list[Segment]:
    """No segment ends before it starts, none starts before the one before it ends."""
    ordered: list[Segment] = []
    for segment in segments:
        start = max(segment.start_s, ordered[-1].end_s if ordered else 0.0)
        ordered.append(
            Segment(
                start_s=start,
                end_s=max(segment.end_s, start),
                text=segment.text,
                confidence=segment.confidence,
            )
        )
    return ordered


def _confidence(heard: Heard, group: Sequence[Piece]) -> float:
    probabilities = heard.probabilities[group[0].first : group[-1].last + 1]
    return round(math.exp(float(np.log(np.maximum(probabilities, 1e-6)).mean())), 4)


def _simplified(text: str) -> str:
    return str(_converter().convert(text))


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
