"""Detections become views and packed documents: weak and bent ones are left out, pixels are the sent ones."""

from __future__ import annotations

import numpy as np

from tandem.media.document_kinds import KINDS
from tandem.media.documents import (
    MAX_DOCUMENTS,
    best_kind,
    card_views,
    other_views,
    straighten_documents,
    unpack_documents,
)
from tandem.media.picture import Picture

# A working picture half the size of what was sent; 320 x 240 px fill the thumbnail's width.
PICTURE = Picture(pixels=np.full((240, 320, 3), 128, np.uint8), sent_size=(480, 640))
QUAD = np.array([[60, 100], [160, 100], [160, 163], [60, 163]], np.float32)  # thumbnail px: 40 px lie above


def detections(*scores: float, quad: np.ndarray = QUAD) -> tuple[np.ndarray, np.ndarray]:
    quads = np.zeros((8, 4, 2), np.float32)
    quads[: len(scores)] = quad
    return quads, np.pad(np.array(scores, np.float32), (0, 8 - len(scores)))


def test_a_document_is_given_in_the_sent_pictures_pixels() -> None:
    views, found = straighten_documents(PICTURE, *detections(0.9), threshold=0.3)
    assert views.shape == (1, 160, 256, 3)
    (document,) = unpack_documents(found, np.zeros((1, len(KINDS)), np.float32))
    assert np.allclose(document.quad, (QUAD - (0, 40)) * 2)
    assert document.score == np.float32(0.9)


def test_weak_and_bent_detections_are_no_documents() -> None:
    bent = QUAD[[0, 2, 1, 3]]
    for quads, scores in (detections(0.29), detections(0.9, quad=bent)):
        views, found = straighten_documents(PICTURE, quads, scores, threshold=0.3)
        assert len(views) == len(found) == 1
        assert unpack_documents(found, np.zeros((1, len(KINDS)), np.float32)) == []


def test_there_are_never_more_than_the_most() -> None:
    quads, scores = np.repeat(QUAD[np.newaxis], 12, axis=0), np.linspace(0.99, 0.5, 12, dtype=np.float32)
    views, found = straighten_documents(PICTURE, quads, scores, threshold=0.3)
    assert len(views) == len(found) == MAX_DOCUMENTS
    assert found[-1, 8] == scores[MAX_DOCUMENTS - 1]


def test_padding_is_no_document() -> None:
    _, found = straighten_documents(PICTURE, *detections(0.9, 0.8), threshold=0.3)
    padded = np.pad(found, ((0, 3), (0, 0)))
    kinds = np.eye(len(KINDS), dtype=np.float32)[[3, 5, 0, 0, 0]]
    assert [best_kind(document.kinds)[0] for document in unpack_documents(padded, kinds)] == [
        KINDS[3],
        KINDS[5],
    ]


def test_found_cards_have_a_view_each() -> None:
    quad = (QUAD - (0, 40)).astype(np.float32) * 2
    views = card_views(PICTURE, [quad, quad])
    assert views.shape == (2, 160, 256, 3)


def test_without_a_card_there_is_a_view_a_document() -> None:
    def found(thumbnails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert thumbnails.shape == (1, 320, 320, 3)
        quads, scores = detections(0.9, 0.8)
        return quads[np.newaxis], scores[np.newaxis]

    views, quads = other_views(PICTURE, found)
    assert views.shape == (2, 160, 256, 3)
    assert np.allclose(quads, ((QUAD - (0, 40)) * 2).reshape(1, 8))


def test_without_any_document_the_whole_picture_is_the_view() -> None:
    quads, scores = detections(0.29)
    views, quads = other_views(PICTURE, lambda _: (quads[np.newaxis], scores[np.newaxis]))
    assert views.shape == (1, 160, 256, 3)
    assert quads.tolist() == [[0, 0, 640, 0, 640, 480, 0, 480]]
