"""Training views for the corner refiner: the offsets lead to the card's corners, and a run can be resumed."""

from __future__ import annotations

from pathlib import Path

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
from tandem.services.id_card.geometry.corner_look import MARGIN_MM, VIEW_PX_PER_MM, WAYS

torch = pytest.importorskip("torch", reason="training needs torch")

from torch import Tensor, nn  # noqa: E402

from tandem.training.fit import corner_views  # noqa: E402
from tandem.training.fit.corner_refiner import RefinerPlan, RefinerTrainer, validate  # noqa: E402
from tandem.training.fit.corner_views import (  # noqa: E402
    CornerSample,
    collate_looks,
    draw_corner_pools,
    draw_corner_samples,
)
from tandem.training.fit.dataset import Pools  # noqa: E402

CARD = outline(CARD_WIDTH_MM, CARD_HEIGHT_MM)


@pytest.fixture(scope="module")
def pools() -> Pools:
    return draw_corner_pools(3, faces=8, confusers=3, backdrops=4)


@pytest.fixture(scope="module")
def looks(pools: Pools) -> list[CornerSample]:
    rng = np.random.default_rng(4)
    return [look for _ in range(40) for look in draw_corner_samples(rng, pools)]


def test_every_way_is_seen_and_quads_are_off_by_little_and_by_much(looks: list[CornerSample]) -> None:
    assert {look.way for look in looks} == set(range(len(WAYS)))
    worst = [np.linalg.norm(look.offsets, axis=1).max() for look in looks]
    assert min(worst) < 2
    assert max(worst) > 10
    corners = [look.offsets + CARD for look in looks]
    assert all(is_plausible(quad) for quad in corners)


def test_the_offsets_lead_to_the_cards_own_corners() -> None:
    """A green card with a blue head, looked at along quads that are off: straightened, it fills its place."""
    quad = np.array([[120, 90], [390, 110], [380, 290], [105, 260]], np.float32)
    picture = np.full((400, 500, 3), 60, np.uint8)
    cv2.fillConvexPoly(picture, np.rint(quad * 16).astype(np.int32), (0, 200, 0), shift=4)
    head = transform(CARD * [1, 0.3], homography(CARD, quad))
    cv2.fillConvexPoly(picture, np.rint(head * 16).astype(np.int32), (200, 0, 0), shift=4)
    rng = np.random.default_rng(1)
    looks = [look for _ in range(30) for look in corner_views._look(rng, picture, quad, emblem=True)]
    assert len(looks) > 20
    for look in looks:
        inner = ((look.offsets + CARD + np.array(MARGIN_MM)) * VIEW_PX_PER_MM).astype(np.float32)
        inside: NDArray[np.uint8] = np.zeros(look.view.shape[:2], np.uint8)
        cv2.fillConvexPoly(inside, np.rint(inner * 16).astype(np.int32), 1, shift=4)
        coloured = look.view.max(axis=2) > 130
        both = (coloured & (inside > 0)).sum()
        assert both > 0.93 * coloured.sum()
        emblem, turned = WAYS[look.way]
        assert emblem
        upper = look.view[:, :, 0] > 130
        assert (np.nonzero(upper)[0].mean() > np.nonzero(coloured)[0].mean()) == turned


def test_lines_lie_outside_of_the_card() -> None:
    quad = np.array([[120, 90], [390, 110], [380, 290], [105, 260]], np.float32)
    picture = np.full((400, 500, 3), 128, np.uint8)
    inside = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, np.rint(quad).astype(np.int32), 1)
    inside = cv2.erode(inside, np.ones((7, 7), np.uint8))
    drawn = [corner_views._ruled(np.random.default_rng(seed), picture, [quad]) for seed in range(20)]
    assert all((ruled != picture).any() for ruled in drawn)
    assert not any((ruled[inside > 0] != 128).any() for ruled in drawn)


def test_what_is_judged_are_millimetres(looks: list[CornerSample]) -> None:
    class Nothing(nn.Module):
        def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
            return torch.zeros(len(views), 4, 2), torch.eye(4)[torch.zeros(len(views), dtype=torch.int64)]

    judged = validate(Nothing(), collate_looks([looks]))
    assert judged["worst_p50"] == judged["before_p50"]
    assert judged["before_p50"] == pytest.approx(
        np.median([np.linalg.norm(look.offsets, axis=1).max() for look in looks]), rel=0.1
    )
    assert judged["way"] == pytest.approx(np.mean([look.way == 0 for look in looks]))


def test_a_resumed_run_goes_on_as_if_it_had_not_stopped(looks: list[CornerSample], tmp_path: Path) -> None:
    plan = RefinerPlan(steps=4, batch=2)
    batches = [collate_looks([looks[4 * step : 4 * step + 4]]) for step in range(4)]
    whole = RefinerTrainer(plan, tmp_path)
    for batch in batches[:2]:
        whole.train_step(batch)
    whole.save()
    resumed = RefinerTrainer(plan, tmp_path)
    resumed.load()
    assert resumed.step == 2
    losses = [[trainer.train_step(batch) for batch in batches[2:]] for trainer in (whole, resumed)]
    assert losses[0] == losses[1]


def test_more_than_nothing_must_be_drawn() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        RefinerPlan(faces=0)


def test_only_grey_scenes_go_through_a_copier(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[float] = []

    class Copier:
        def printed(self, rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
            copied.append(float(np.ptp(picture, axis=2).mean()))
            return picture

    monkeypatch.setattr(corner_views, "draw_photocopy", lambda rng: Copier())
    rng = np.random.default_rng(6)
    for _ in range(60):
        draw_corner_samples(rng, pools)
    assert 5 < len(copied) < 40
    assert max(copied) < 3
