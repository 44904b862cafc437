"""Classified documents become objects: surest first, nothing that is none, as the schema says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np

from tandem.media.document_kinds import KINDS, NONE
from tandem.services import find_cards
from tandem.services.find_cards.objects import list_objects

SCHEMA = json.loads((Path(find_cards.__file__).parent / "result.schema.json").read_text(encoding="utf-8"))


def packed(*scores: float) -> np.ndarray:
    found = np.zeros((max(len(scores), 1), 9), np.float32)
    for index, score in enumerate(scores):
        x = 100.0 * index
        found[index] = x, 0, x + 85, 0, x + 85, 54, x, 54, score
    return found


def sure_of(*kinds: str, probability: float = 1.0) -> np.ndarray:
    rest = (1 - probability) / (len(KINDS) - 1)
    rows = np.full((len(kinds), len(KINDS)), rest, np.float32)
    rows[np.arange(len(kinds)), [KINDS.index(kind) for kind in kinds]] = probability
    return rows


def test_every_document_is_an_object_surest_first() -> None:
    answer = list_objects(packed(0.5, 0.9), sure_of("bank_card", "resident_id.emblem"))
    jsonschema.validate(answer, SCHEMA)
    assert [entry["kind"] for entry in answer["objects"]] == ["resident_id.emblem", "bank_card"]
    assert answer["objects"][1]["quad"] == [[0, 0], [85, 0], [85, 54], [0, 54]]


def test_the_score_is_that_of_both() -> None:
    (entry,) = list_objects(packed(0.8), sure_of("bank_card", probability=0.5))["objects"]
    assert entry["score"] == 0.4


def test_what_is_no_document_is_no_object() -> None:
    answer = list_objects(packed(0.9, 0.8), sure_of(NONE, "paper"))
    assert [entry["kind"] for entry in answer["objects"]] == ["paper"]


def test_a_picture_without_documents_has_no_objects() -> None:
    # The one view is then the whole picture's; what it shows has no place, so it is no object.
    answer = list_objects(packed(), sure_of("bank_card"))
    jsonschema.validate(answer, SCHEMA)
    assert answer == {"objects": []}


def test_the_schema_knows_every_kind_but_none() -> None:
    assert SCHEMA["$defs"]["kind"]["enum"] == [kind for kind in KINDS if kind != NONE]
