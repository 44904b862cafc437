"""Lanes as the recogniser meets them: cut from drawn photographs whose cards' places are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tandem.media.letterbox import letterbox_mapping
from tandem.services.id_card.geometry.rectify import rectify
from tandem.training.draw.cards import draw_card
from tandem.training.draw.faces import Face, Side
from tandem.training.scene.conditions import EASY, HARD, TILTED, UPRIGHT
from tandem.training.scene.photographs import photograph

_SIZE = (1200, 1600)  # px, height and width
_CARD_WIDTH = 1011  # px: ID-1 at 300 dpi
_CONDITIONS = (UPRIGHT, EASY, TILTED, HARD)
_SIDES: tuple[Side, ...] = ("portrait", "portrait", "emblem")


def drawn_lanes(photos: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """`(1, L, 48, W, 3)` uint8 for each of `photos` photographs of one card, under all conditions in turn.

    Fonts, names and backgrounds are those of training: the evaluation's stay unseen.
    """
    for number in range(photos):
        rng = np.random.default_rng([seed, number])
        side = _SIDES[number % len(_SIDES)]
        face = draw_card(rng, "train", side=side, width_px=_CARD_WIDTH, stamp_share=0).face
        conditions = _CONDITIONS[number % len(_CONDITIONS)]
        picture, quads = photograph(rng, [face], size=_SIZE, conditions=conditions, pool="train")
        yield _lanes(picture, [face], quads)


def _lanes(
    picture: NDArray[np.uint8], faces: Sequence[Face], quads: Sequence[NDArray[np.float32] | None]
) -> NDArray[np.uint8]:
    size = (picture.shape[0], picture.shape[1])
    mapping = letterbox_mapping(size)
    scale, shift = [mapping.scale_x, mapping.scale_y], [mapping.left, mapping.top]
    shown = [(face, quad) for face, quad in zip(faces, quads, strict=True) if quad is not None]
    rectified = rectify(
        picture,
        size,
        np.asarray([quad * scale + shift for _, quad in shown], np.float32),
        np.ones(len(shown), np.float32),
        np.asarray([float(face.side == "emblem") for face, _ in shown], np.float32),
    )
    return rectified.lanes[np.newaxis]
