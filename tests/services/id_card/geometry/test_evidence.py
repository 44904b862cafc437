"""What speaks for a quad, and the search that follows it: on tables, among ruled lines, without any edge."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.services.id_card.card import (
    CARD_HEIGHT_MM,
    CARD_WIDTH_MM,
    homography,
    is_plausible,
    outline,
    transform,
)
from tandem.services.id_card.geometry import find_card as find_card_module
from tandem.services.id_card.geometry.evidence import EvidenceMap, evidence, evidence_map
from tandem.services.id_card.geometry.find_card import (
    FULL_EVIDENCE,
    LEAST_EVIDENCE,
    PLAIN_EVIDENCE,
    find_card,
)
from tandem.services.id_card.geometry.hough import Refined
from tandem.services.id_card.geometry.quads import are_convex, perspective_misfit, project, unit_homographies
from tandem.services.id_card.geometry.search import Sought, seek
from tandem.services.id_card.geometry.views import whole_view
from tests.services.id_card.drawn import PAPER, draw_card, lay_on_table, row_blocks

SIZE = (900, 1200)
QUAD = np.array([[220, 190], [985, 145], [1035, 640], [190, 670]], np.float32)
#: The detector's quad on a printed page: one corner far out, one within the card.
ASKEW = (QUAD + np.array([[-90, -30], [10, -45], [-40, -35], [-25, 30]])).astype(np.float32)


def _card() -> NDArray[np.uint8]:
    """A card with a face: hair and clothes are dark."""
    card = draw_card(row_blocks(address_lines=3))
    for x0, y0, x1, y1 in ((59, 11, 74, 18), (57, 31, 76, 39.5)):
        cv2.rectangle(card, (x0 * 15, y0 * 15), (x1 * 15, int(y1 * 15)), (40, 45, 50), -1)
    return card


def _scene(table: tuple[int, int, int] = (90, 110, 130)) -> NDArray[np.uint8]:
    return lay_on_table(_card(), QUAD, SIZE, np.random.default_rng(0), table)


def _ruled(seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lines of a form along the card and across its corners, as strong as its own edges."""
    ruled = seen.copy()
    for y in (90, 130, 170, 690, 720, 760):
        cv2.line(ruled, (0, y + 20), (1200, y), (20, 20, 20), 3)
    for x in (150, 1060, 1100):
        cv2.line(ruled, (x, 0), (x, 900), (20, 20, 20), 3)
    return ruled


def _farthest(quad: NDArray[np.float32]) -> float:
    """The farthest corner's distance from its true place, in shares of the card's width."""
    return float(np.linalg.norm(quad - QUAD, axis=1).max() / 766)


def test_the_true_quad_has_plain_evidence_and_others_have_less() -> None:
    seen = evidence_map(_scene(), ASKEW)
    quads = np.stack([seen.on_map(quad) for quad in (QUAD, ASKEW, np.roll(QUAD, 2, axis=0))])
    true, askew, upside_down = evidence(seen, quads, emblem=False)
    assert true > PLAIN_EVIDENCE
    assert askew < LEAST_EVIDENCE
    assert upside_down < LEAST_EVIDENCE
    assert evidence(seen, quads[:1], emblem=True)[0] < LEAST_EVIDENCE


def test_what_is_no_quad_has_no_evidence() -> None:
    seen = evidence_map(_scene(), QUAD)
    crossed, point = seen.on_map(QUAD)[[0, 2, 1, 3]], np.zeros((4, 2))
    nowhere = np.full((4, 2), np.nan)
    assert (evidence(seen, np.stack([crossed, point, nowhere]), emblem=False) == -1).all()


@pytest.mark.parametrize("table", [(90, 110, 130), PAPER])
def test_the_search_finds_the_card_from_an_askew_quad(table: tuple[int, int, int]) -> None:
    # On paper of the card's own colour no edge is to be seen: the rows alone say where it lies.
    found = seek(evidence_map(_scene(table), ASKEW), [ASKEW], emblem=False)
    assert _farthest(ASKEW) > 0.1
    assert _farthest(found.quad) < (0.03 if table != PAPER else 0.06)


def test_the_same_picture_is_searched_the_same_way() -> None:
    seen = evidence_map(_scene(), ASKEW)
    np.testing.assert_array_equal(
        seek(seen, [ASKEW], emblem=False).quad, seek(seen, [ASKEW], emblem=False).quad
    )


def test_lines_beside_the_card_do_not_win() -> None:
    card = find_card(whole_view(_ruled(_scene()), SIZE), ASKEW, emblem=False)
    assert _farthest(card.quad) < 0.02
    assert card.evidence > PLAIN_EVIDENCE


def test_a_plain_quad_with_less_than_full_evidence_is_moved_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = _scene()
    beside = (QUAD + np.array([[-26, 0], [22, 0], [32, 0], [-26, 0]])).astype(np.float32)
    seen = evidence_map(scene, beside)
    assert PLAIN_EVIDENCE <= evidence(seen, seen.on_map(beside)[np.newaxis], emblem=False)[0] < FULL_EVIDENCE
    monkeypatch.setattr(find_card_module, "near_edges", lambda _pixels, _quad: beside)
    card = find_card(whole_view(scene, SIZE), beside, emblem=False)
    assert _farthest(beside) > 0.03
    assert _farthest(card.quad) < 0.015


@pytest.mark.parametrize("emblem", [False, True])
def test_an_emblem_sides_quad_is_tried_a_row_up_and_down(
    monkeypatch: pytest.MonkeyPatch, emblem: bool
) -> None:
    # Its authority is found where its validity is, and that on the ground below.
    card = outline(CARD_WIDTH_MM, CARD_HEIGHT_MM)
    row_below = transform((card + [0, 6.6]).astype(np.float32), homography(card, QUAD))
    tried: list[NDArray[np.float32]] = []

    def recorded(seen: EvidenceMap, starts: list[NDArray[np.float32]], **options: bool) -> Sought:
        tried.extend(starts)
        return seek(seen, starts, **options)

    monkeypatch.setattr(find_card_module, "seek", recorded)
    monkeypatch.setattr(find_card_module, "near_edges", lambda _pixels, _quad: row_below)
    monkeypatch.setattr(
        find_card_module, "refinements", lambda _pixels, quad: [Refined(quad=quad, edges_found=())]
    )
    find_card(whole_view(_scene(), SIZE), row_below, emblem=emblem)
    assert any(_farthest(quad) < 0.005 for quad in tried) is emblem


def test_edges_make_a_good_prediction_hardly_worse() -> None:
    # Without an edge to be seen, a form's line within 3.5 mm may be taken for one: the rows are read anyway.
    for lines, farthest in ((_scene(), 0.01), (_ruled(_scene()), 0.01), (_ruled(_scene(PAPER)), 0.045)):
        card = find_card(whole_view(lines, SIZE), QUAD, emblem=False)
        assert _farthest(card.quad) < farthest


def test_a_rectangle_before_a_camera_fits_and_another_does_not() -> None:
    turned = np.array([[-0.5, -0.3154, 0], [0.5, -0.3154, 0], [0.5, 0.3154, 0], [-0.5, 0.3154, 0]])
    angle = np.deg2rad(30)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    points = turned @ turn.T + [0.1, 0.05, 2.0]
    quad = points[:, :2] / points[:, 2:] * 1.2 * 1000 + [500, 400]
    wide = quad * [1.4, 1.0]
    fits, misfits = perspective_misfit(np.stack([quad, wide]), (800, 1000))
    assert fits < 0.05
    assert misfits > 1


def test_homographies_take_the_unit_square_to_the_quads() -> None:
    quads = np.stack([QUAD, ASKEW]).astype(np.float64)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
    np.testing.assert_allclose(project(unit_homographies(quads), square).transpose(0, 2, 1), quads, atol=1e-6)
    assert are_convex(quads).all()
    assert all(is_plausible(quad.astype(np.float32)) for quad in quads)
