"""The network's size, what its maps decode to, and that its loss is least at the truth."""

import numpy as np
import pytest
import torch

from tandem.training.fit.detector import Trainer, TrainingPlan
from tandem.training.fit.losses import Targets, detection_loss
from tandem.training.network.decode_maps import decode_maps
from tandem.training.network.detector import STRIDE, CardDetector, Prediction

GRID = 48  # cells
CARD = torch.tensor([[100.0, 80.0], [260.0, 90.0], [255.0, 195.0], [95.0, 180.0]])  # thumbnail px


def true_maps(quads: list[torch.Tensor], turns: list[int], emblem: list[bool]) -> Prediction:
    """Maps of a perfect network: written from the definition, not with the decoder's code."""
    centre = torch.full((1, 1, GRID, GRID), -10.0)
    corners, turn = torch.zeros(1, 8, GRID, GRID), torch.zeros(1, 4, GRID, GRID)
    side, snap = torch.zeros(1, 1, GRID, GRID), torch.full((1, 2, GRID, GRID), 100.0)
    for quad, shift, is_emblem in zip(quads, turns, emblem, strict=True):
        cells = quad / STRIDE
        column, row = (int(v) for v in cells.mean(0))
        centre[0, 0, row, column] = 8.0
        here = torch.tensor([column + 0.5, row + 0.5])
        corners[0, :, row, column] = (cells.roll(shift, 0) - here).reshape(8)
        turn[0, shift, row, column] = 9.0
        side[0, 0, row, column] = 9.0 if is_emblem else -9.0
        for x, y in cells.tolist():
            for row in range(int(y) - 2, int(y) + 3):
                for column in range(int(x) - 2, int(x) + 3):
                    to_corner = torch.tensor([x - column - 0.5, y - row - 0.5])
                    if to_corner.abs().max() < snap[0, :, row, column].abs().max():  # the nearest one's
                        snap[0, :, row, column] = to_corner
    return Prediction(centre, corners, turn, side, snap)


def test_the_network_is_small():
    assert sum(p.numel() for p in CardDetector().parameters()) <= 2_000_000


@pytest.mark.parametrize("turn", range(4))
def test_a_card_is_decoded_in_its_own_order_whatever_order_the_network_chose(turn):
    quads, scores, emblem = decode_maps(true_maps([CARD], [turn], [True]))
    assert torch.allclose(quads[0, 0], CARD, atol=1e-3)
    assert scores[0, 0] > 0.99
    assert scores[0, 1] < 0.01
    assert emblem[0, 0] > 0.99


@pytest.mark.parametrize("shift", [(0.3, 0.3), (-2.0, 1.5), (2.5, 0.0)])
def test_coarse_corners_are_moved_to_where_the_cells_around_see_them(shift):
    maps = true_maps([CARD], [0], [False])
    shaken = maps._replace(corners=maps.corners + torch.tensor([*shift] * 4).reshape(1, 8, 1, 1))
    assert torch.allclose(decode_maps(shaken)[0][0, 0], CARD, atol=0.05)


def test_a_corner_that_nobody_sees_keeps_its_coarse_place():
    maps = true_maps([CARD], [0], [False])
    lone = torch.full_like(maps.snap, 100.0)
    lone[0, :, 9, 12] = 0.2  # one cell is no agreement
    coarse = maps._replace(corners=maps.corners + 1.0, snap=lone)
    assert torch.allclose(decode_maps(coarse)[0][0, 0], CARD + STRIDE, atol=0.05)


def test_another_cards_corner_is_not_taken():
    near = CARD + torch.tensor([0.0, 120.0])  # its top edge is 20 px below the first one's bottom
    maps = true_maps([CARD, near], [0, 0], [False, False])
    shaken = maps._replace(corners=maps.corners + 0.5)
    quads = decode_maps(shaken)[0][0, :2]
    for card in (CARD, near):
        assert (quads - card).abs().amax((1, 2)).min() < 0.05


def test_of_two_peaks_on_one_card_only_the_stronger_stays():
    maps = true_maps([CARD], [0], [False])
    row, column = (maps.centre[0, 0] == 8.0).nonzero()[0].tolist()
    for channel in (maps.centre, maps.corners, maps.turn, maps.emblem):
        channel[0, :, row, column + 3] = channel[0, :, row, column]
    maps.centre[0, 0, row, column + 3] = 4.0
    maps.corners[0, :, row, column + 3] -= torch.tensor([3.0, 0.0] * 4)
    _, scores, _ = decode_maps(maps)
    assert (scores[0] > 0.5).sum() == 1


def test_two_cards_side_by_side_both_stay():
    _, scores, _ = decode_maps(true_maps([CARD, CARD + torch.tensor([0.0, 130.0])], [0, 0], [True, False]))
    assert (scores[0] > 0.5).sum() == 2


def test_the_loss_is_least_at_the_truth():
    targets = Targets(torch.zeros(1, 8, 4, 2), torch.zeros(1, 8), torch.tensor([1]))
    targets.quads[0, 0] = CARD
    right = true_maps([CARD], [1], [False])
    at_truth = detection_loss(right, targets)
    moved = right._replace(corners=right.corners + 1.0)
    other_side = right._replace(emblem=-right.emblem)
    assert detection_loss(moved, targets)["corners"] > at_truth["corners"]
    assert detection_loss(other_side, targets)["emblem"] > at_truth["emblem"]


def test_a_picture_without_cards_has_a_finite_loss_with_gradients():
    torch.manual_seed(0)
    network = CardDetector()
    empty = Targets(torch.zeros(1, 8, 4, 2), torch.zeros(1, 8), torch.tensor([0]))
    total = detection_loss(network(torch.zeros(1, 3, 96, 96)), empty)["total"]
    total.backward()
    assert torch.isfinite(total)
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_a_plan_refuses_sizes_the_network_cannot_take():
    with pytest.raises(ValueError, match="multiple of 32"):
        TrainingPlan(small_size=250)


def test_the_learning_rate_warms_up_and_comes_down(tmp_path):
    trainer = Trainer(TrainingPlan(steps=1000), tmp_path)
    shares = np.array([trainer.share_of_rate(step) for step in range(1000)])
    assert shares[0] < shares[199]
    assert shares.argmax() in range(199, 202)
    assert shares[-1] < 0.02


def test_an_order_of_its_own_is_free_at_first_and_costs_later():
    targets = Targets(torch.zeros(1, 8, 4, 2), torch.zeros(1, 8), torch.tensor([1]))
    targets.quads[0, 0] = CARD
    turned = true_maps([CARD], [1], [False])
    free = detection_loss(turned, targets)["corners"]
    ordered = detection_loss(turned, targets, ordered=True)["corners"]
    own = detection_loss(true_maps([CARD], [0], [False]), targets, ordered=True)["corners"]
    # Cells beside the centre hold no corners in these maps; that part is the same in all three.
    assert free == pytest.approx(float(own), rel=0.05)
    assert ordered > 1.05 * free


def test_cells_around_a_corner_are_asked_for_it_and_those_far_from_it_are_not():
    targets = Targets(torch.zeros(1, 8, 4, 2), torch.zeros(1, 8), torch.tensor([1]))
    targets.quads[0, 0] = CARD
    right = true_maps([CARD], [0], [False])
    # 102 px from a corner to the card's middle: cells within 25 px of a corner know it.
    grid = torch.stack(torch.meshgrid(torch.arange(GRID), torch.arange(GRID), indexing="xy")) + 0.5
    offsets = (CARD / STRIDE)[:, :, None, None] - grid  # (4, 2, h, w)
    away = offsets.abs().amax(1)  # (4, h, w)
    nearest = offsets.gather(0, away.argmin(0)[None, None].expand(1, 2, -1, -1))[0]
    reach = away.amin(0)

    def loss(known):
        snap = torch.where(known, nearest, torch.full_like(nearest, 100.0))[None]
        return float(detection_loss(right._replace(snap=snap), targets)["snap"])

    assert loss(reach < 3.5) == pytest.approx(0, abs=1e-6)  # whatever the far ones say
    assert loss(reach < 2) > 1
