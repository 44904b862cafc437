"""Stamps: they change the picture, tell what they cover, and cover nothing they do not touch."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from tandem.training.draw.faces import Face, draw_portrait_face
from tandem.training.draw.people import draw_portrait_text
from tandem.training.draw.stamps import Kind, stamp
from tandem.training.draw.styles import draw_style
from tandem.training.errors import StyleError


@pytest.fixture(scope="module")
def face() -> Face:
    rng = np.random.default_rng(7)
    style = replace(draw_style(rng), grey=False)
    return draw_portrait_face(draw_portrait_text(rng, "train"), rng, style=style, width_px=400)


def ink_within(face: Face, stamped: Face, key: str) -> float:
    """Share of a field's box whose pixels changed clearly."""
    (left, top), (right, bottom) = np.rint(face.boxes[key][[0, 2]]).astype(int)
    change = np.abs(stamped.image.astype(int) - face.image).max(axis=2) > 40
    return float(change[top:bottom, left:right].mean())


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_stamp_prints_and_leaves_the_given_face_alone(face: Face, kind: Kind) -> None:
    before = face.image.copy()
    stamped, _ = stamp(face, np.random.default_rng(1), kind=kind)
    assert np.array_equal(face.image, before)
    assert (np.abs(stamped.image.astype(int) - before) > 15).any(axis=2).mean() > 0.002
    assert stamped.fields == face.fields
    assert stamped.image.dtype == np.uint8


@pytest.mark.parametrize("kind", ["block", "frame", "round"])
def test_what_is_printed_over_is_named_and_nothing_else(face: Face, kind: Kind) -> None:
    named = 0
    for seed in range(40):
        stamped, covered = stamp(face, np.random.default_rng(seed), kind=kind)
        named += len(covered)
        for key in face.boxes:
            if key not in covered:
                assert ink_within(face, stamped, key) < 0.03, (seed, key)
    assert named > 10


def test_a_block_hides_text(face: Face) -> None:
    hidden = [
        max(ink_within(face, stamped, key) for key in covered)
        for stamped, covered in (stamp(face, np.random.default_rng(seed), kind="block") for seed in range(20))
        if covered
    ]
    assert max(hidden) > 0.5


def test_captions_and_watermarks_leave_the_fields_readable(face: Face) -> None:
    for seed in range(20):
        for kind in ("caption", "watermark"):
            _, covered = stamp(face, np.random.default_rng(seed), kind=kind)
            assert covered == frozenset()


def test_same_seed_same_stamp(face: Face) -> None:
    one, again = (stamp(face, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one[0].image, again[0].image)
    assert one[1] == again[1]


def test_unknown_kinds_are_refused(face: Face) -> None:
    with pytest.raises(StyleError, match="watermark"):
        stamp(face, np.random.default_rng(0), kind="ink")  # type: ignore[arg-type]
