"""What a card is comes from its outline, and from where the detector saw it if that is somewhere else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tandem.media.document_kinds import KINDS, NONE
from tandem.media.picture import Picture
from tandem.services.id_card.kinds import classify_cards, seen_quads

PICTURE = Picture(pixels=np.full((480, 640, 3), 128, np.uint8), sent_size=(480, 640))
WHOLE = np.array([[100, 100], [400, 100], [400, 300], [100, 300]], np.float32)
FIRST_ROWS = np.array([[100, 100], [400, 100], [400, 240], [100, 240]], np.float32)
NEARLY = WHOLE + np.float32(4)
PORTRAIT, TEMPORARY = "resident_id.portrait", "temporary_id.portrait"


def no_documents(thumbnails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    raise AssertionError("a picture with cards needs no other detector")


def kinds_of(*said: tuple[str, float]) -> np.ndarray:
    kinds = np.zeros((len(said), len(KINDS)), np.float32)
    for row, (kind, probability) in zip(kinds, said, strict=True):
        row[KINDS.index(kind)] = probability
    return kinds


def judged(quads: Sequence[np.ndarray], seen: Sequence[np.ndarray], *said: tuple[str, float]) -> list[str]:
    """The kinds of the cards, where the classifier says these of the views."""

    def classify(views: np.ndarray) -> np.ndarray:
        assert views.shape == (len(said), 160, 256, 3)
        return kinds_of(*said)

    kinds, view_quads = classify_cards(PICTURE, quads, seen, find_documents=no_documents, classify=classify)
    assert np.array_equal(view_quads, np.stack(quads).reshape(-1, 8))
    return [KINDS[row.argmax()] for row in kinds]


@pytest.mark.parametrize("seen", [[WHOLE], [WHOLE + np.float32(200)], []])
def test_a_card_that_lies_where_it_was_seen_or_was_not_seen_is_looked_at_once(seen: list[np.ndarray]) -> None:
    assert judged([NEARLY], seen, (PORTRAIT, 1.0)) == [PORTRAIT]


def test_a_surer_look_at_the_whole_of_a_card_counts() -> None:
    assert judged([FIRST_ROWS], [WHOLE], (PORTRAIT, 1.0), (TEMPORARY, 0.95)) == [TEMPORARY]


@pytest.mark.parametrize("look", [(TEMPORARY, 0.85), (PORTRAIT, 0.99), (NONE, 0.99)])
def test_an_unsure_look_or_one_at_nothing_else_does_not_count(look: tuple[str, float]) -> None:
    assert judged([FIRST_ROWS], [WHOLE], ("bank_card", 1.0), look) == ["bank_card"]


def test_each_look_belongs_to_its_card() -> None:
    other = FIRST_ROWS + np.float32(150)
    said = [(PORTRAIT, 0.9), (PORTRAIT, 0.8), (TEMPORARY, 0.95)]
    assert judged([WHOLE, other], [WHOLE + np.float32(150), WHOLE], *said) == [PORTRAIT, TEMPORARY]


def test_without_cards_every_document_is_looked_at() -> None:
    quads = np.zeros((1, 2, 4, 2), np.float32)
    quads[0] = np.array([[60, 100], [160, 100], [160, 163], [60, 163]], np.float32)
    kinds, view_quads = classify_cards(
        PICTURE,
        [],
        [],
        find_documents=lambda _: (quads, np.array([[0.9, 0.8]], np.float32)),
        classify=lambda views: kinds_of(*[("bank_card", 1.0)] * len(views)),
    )
    assert kinds.shape == (2, len(KINDS))
    assert view_quads.shape == (2, 8)


def test_only_sure_detections_were_seen() -> None:
    quads = np.zeros((2, 4, 2), np.float32)
    quads[:] = np.array([[60, 100], [160, 100], [160, 163], [60, 163]], np.float32)
    (quad,) = seen_quads(PICTURE, quads, np.array([0.9, 0.3], np.float32), threshold=0.4)
    assert np.allclose(quad, (quads[0] - (0, 40)) * 2)
