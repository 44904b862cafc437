"""The kinds of the largest document, or of the whole picture, best first, as the schema says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np

from tandem.media.document_kinds import KINDS
from tandem.services import document_kind
from tandem.services.document_kind.ranking import rank_kinds

SCHEMA = json.loads((Path(document_kind.__file__).parent / "result.schema.json").read_text(encoding="utf-8"))


def document(width: float, score: float) -> list[float]:
    return [0, 0, width, 0, width, width * 0.63, 0, width * 0.63, score]


def probabilities(kind: str) -> np.ndarray:
    row = np.full(len(KINDS), 0.01, np.float32)
    row[KINDS.index(kind)] = 1 - 0.01 * (len(KINDS) - 1)
    return row


def test_without_a_document_the_whole_picture_is_named() -> None:
    answer = rank_kinds(np.zeros((1, 9), np.float32), probabilities("paper")[np.newaxis])
    jsonschema.validate(answer, SCHEMA)
    assert answer["kinds"][0] == {"kind": "paper", "score": 0.83}
    assert sorted(entry["kind"] for entry in answer["kinds"]) == sorted(KINDS)


def test_of_several_documents_the_largest_decides() -> None:
    found = np.array([document(50, 0.9), document(90, 0.5), document(0, 0)], np.float32)
    kinds = np.stack([probabilities("bank_card"), probabilities("driving_licence"), probabilities("none")])
    assert rank_kinds(found, kinds)["kinds"][0]["kind"] == "driving_licence"


def test_scores_fall() -> None:
    row = np.random.default_rng(0).dirichlet(np.ones(len(KINDS))).astype(np.float32)
    scores = [entry["score"] for entry in rank_kinds(np.zeros((1, 9), np.float32), row[np.newaxis])["kinds"]]
    assert scores == sorted(scores, reverse=True)


def test_the_schema_knows_every_kind() -> None:
    kinds = SCHEMA["properties"]["kinds"]
    assert kinds["items"]["properties"]["kind"]["enum"] == list(KINDS)
    assert kinds["minItems"] == kinds["maxItems"] == len(KINDS)
