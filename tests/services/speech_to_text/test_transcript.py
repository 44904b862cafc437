from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tandem.services.speech_to_text import transcript
from tandem.services.speech_to_text.transcript import result, segments_of
from tests.services.speech_to_text.sounds import heard, small_vocabulary, tokens_of, window

SCHEMA = json.loads((Path(transcript.__file__).parent / "result.schema.json").read_text("utf-8"))


def test_a_region_of_speech_is_a_segment(tmp_path: Path) -> None:
    vocabulary = small_vocabulary(tmp_path)
    tokens = tokens_of(" one two", tmp_path)
    times = [0.5] * 4 + [0.9] * 4  # the second word "begins" where the first ends
    segments = segments_of(window(10.0, (10.4, 11.0), (12.9, 14.0)), heard(tokens, times=times), vocabulary)
    assert [(s.start_s, s.end_s, s.text) for s in segments] == [(10.4, 11.0, " one"), (12.9, 14.0, " two")]
    assert segments[0].confidence == pytest.approx(0.9, abs=1e-4)
    answer = result(segments, "en")
    jsonschema.validate(answer, SCHEMA)
    assert answer["text"] == "one two"
    assert [segment["text"] for segment in answer["segments"]] == ["one", "two"]


def test_a_sentence_ends_a_segment_but_an_abbreviation_does_not(tmp_path: Path) -> None:
    vocabulary = small_vocabulary(tmp_path)
    text = " Mr. Li came. He left."
    times = [i * 0.1 for i in range(len(text))]
    segments = segments_of(window(0.0, (0.0, 3.0)), heard(tokens_of(text, tmp_path), times=times), vocabulary)
    assert [segment.text for segment in segments] == [" Mr. Li came.", " He left."]
    assert segments[0].end_s == segments[1].start_s == pytest.approx(1.3)
    assert segments[1].end_s == 3.0


def test_a_word_is_never_split_between_two_regions(tmp_path: Path) -> None:
    vocabulary = small_vocabulary(tmp_path)
    tokens = tokens_of(" together", tmp_path)
    times = [0.1] * 5 + [2.0] * 4
    (segment,) = segments_of(window(0.0, (0.0, 1.0), (1.8, 3.0)), heard(tokens, times=times), vocabulary)
    assert segment.text == " together"


def test_chinese_comes_out_simplified(tmp_path: Path) -> None:
    vocabulary = small_vocabulary(tmp_path)
    tokens = tokens_of("廣州市房地產", tmp_path)
    (segment,) = segments_of(window(), heard(tokens, language="zh"), vocabulary)
    assert segment.text == "广州市房地产"
    (japanese,) = segments_of(window(), heard(tokens_of("國語", tmp_path), language="ja"), vocabulary)
    assert japanese.text == "國語"


def test_what_was_made_of_noise_is_left_out(tmp_path: Path) -> None:
    vocabulary = small_vocabulary(tmp_path)
    tokens = tokens_of(" thank you", tmp_path)
    assert segments_of(window(), heard(tokens, no_speech=0.7, score=-1.2), vocabulary) == []
    assert segments_of(window(), heard(tokens, no_speech=0.7, score=-0.5), vocabulary)
    assert segments_of(window(), heard(tokens, no_speech=0.5, score=-1.2), vocabulary)
    assert segments_of(window(), heard([]), vocabulary) == []


def test_times_never_run_backwards(tmp_path: Path) -> None:
    vocabulary = small_vocabulary(tmp_path)
    text = " a. b. c. d."
    times = [2.0] * 3 + [1.0] * 3 + [5.0] * 3 + [0.5] * 3
    segments = segments_of(
        window(0.0, (0.5, 2.5), (2.8, 4.0)), heard(tokens_of(text, tmp_path), times=times), vocabulary
    )
    edges = [time for segment in segments for time in (segment.start_s, segment.end_s)]
    assert edges == sorted(edges)
    assert "".join(segment.text for segment in segments) == text


def test_chinese_phrases_are_kept_apart() -> None:
    segments = [
        transcript.Segment(start_s=0, end_s=1, text="你好", confidence=1.0),
        transcript.Segment(start_s=2, end_s=3, text="再见。", confidence=1.0),
        transcript.Segment(start_s=4, end_s=5, text="走了", confidence=1.0),
    ]
    assert result(segments, "zh")["text"] == "你好 再见。走了"


def test_nobody_spoke() -> None:
    answer = result([], None)
    assert answer == {"text": "", "language": None, "segments": []}
    jsonschema.validate(answer, SCHEMA)
