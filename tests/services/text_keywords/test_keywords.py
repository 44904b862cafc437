from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.errors import InputError
from tandem.services.text_keywords import keywords as module
from tandem.services.text_keywords.keywords import MAX_CHARACTERS, keywords_of_bytes
from tandem.services.text_keywords.lanes import MAX_TEXTS, Lane
from tandem.services.text_keywords.tokens import TextTokenizer
from tests.services.text_keywords.small_tokenizer import write_tokenizer

SCHEMA = json.loads((Path(module.__file__).parent / "result.schema.json").read_text("utf-8"))
TEXT = (
    "Solar panels turn sunlight into electricity. "
    "Old solar panels lose power on cloudy days in winter, and batteries age."
)


class CountsTokens:
    """An embedder whose vector of a row is its bag of tokens."""

    def __init__(self) -> None:
        self.lanes = 0

    def __call__(self, lanes: Sequence[Lane]) -> Iterator[NDArray[np.float32]]:
        for lane in lanes:
            self.lanes += 1
            bags = np.zeros((MAX_TEXTS, 200), np.float32)
            for token, segment in zip(lane.tokens, lane.segments, strict=True):
                if token > 3 and segment:
                    bags[segment - 1, token] += 1
            yield bags / np.maximum(np.linalg.norm(bags, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def tokenizer(tmp_path: Path) -> TextTokenizer:
    write_tokenizer(tmp_path)
    return TextTokenizer(tmp_path)


def test_keywords_with_score_and_places(tokenizer: TextTokenizer) -> None:
    result = keywords_of_bytes(TEXT.encode(), b'{"count": 3}', tokenizer, CountsTokens())
    jsonschema.validate(result, SCHEMA)
    assert len(result["keywords"]) == 3
    for keyword in result["keywords"]:
        start, end = keyword["spans"][0]
        assert TEXT[start:end] == keyword["text"]
    assert 1 >= result["keywords"][0]["score"] > 0


def test_five_unless_told_otherwise_and_never_more_than_there_are(tokenizer: TextTokenizer) -> None:
    assert len(keywords_of_bytes(TEXT.encode(), None, tokenizer, CountsTokens())["keywords"]) == 5
    assert (
        len(keywords_of_bytes(b"Electricity.", b'{"count": 50}', tokenizer, CountsTokens())["keywords"]) == 1
    )


def test_a_text_without_phrases_asks_no_network(tokenizer: TextTokenizer) -> None:
    embed = CountsTokens()
    assert keywords_of_bytes(b"12 34", None, tokenizer, embed) == {"keywords": []}
    assert embed.lanes == 0


@pytest.mark.parametrize(
    ("data", "options"),
    [(b"", None), (b"\xff", None), (b"a" * (4 * MAX_CHARACTERS + 1), None), (b"text", b'{"count": 0}')],
)
def test_bad_input_is_refused(tokenizer: TextTokenizer, data: bytes, options: bytes | None) -> None:
    with pytest.raises(InputError):
        keywords_of_bytes(data, options, tokenizer, CountsTokens())
