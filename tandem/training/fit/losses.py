"""What the detector is trained for: targets on the grid and the loss of a batch of predictions."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from tandem.training.network.detector import STRIDE, Prediction

_CORE = 0.16  # cells within this share of the card's half-diagonal around its centre regress its corners
# Cells around a corner that predict it exactly: this share of the card's half-diagonal, within these bounds.
_REACH_SHARE, _LEAST_REACH, _MOST_REACH = 0.25, 2.5, 5.0
_GONE = -0.06  # a corner further outside the frame than this share of its side is not asked for by `snap`
_HARD, _FAR = 2.0, 4.0  # exponents of the penalty-reduced focal loss (CornerNet, CenterNet)
WEIGHTS = {"centre": 1.0, "corners": 2.0, "turn": 0.5, "emblem": 0.5, "snap": 1.0}


class Targets(NamedTuple):
    """Truth of a batch: quads (B, 8, 4, 2) in thumbnail px, emblem (B, 8) 0/1, cards (B,): how many."""

    quads: Tensor
    emblem: Tensor
    cards: Tensor


def _grid(height: int, width: int, device: torch.device) -> Tensor:
    """Cell centres (h, w, 2) in cells: x, y."""
    y, x = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    return torch.stack([x, y], -1).float() + 0.5


def _card_terms(
    maps: Prediction, index: int, quad: Tensor, emblem: Tensor, grid: Tensor, heat: Tensor, *, ordered: bool
) -> dict[str, Tensor]:
    """Loss terms of one card (quad in cells) of picture `index`; also draws its peak into `heat` (h, w)."""
    centre = quad.mean(0)
    half = (quad - centre).norm(dim=1).mean()
    away = (grid - centre).norm(dim=2)
    sigma = (half * 0.12).clamp(0.7, 2.0)
    peak = torch.exp(-(away**2) / (2 * sigma**2))
    row = int(centre[1].floor().clamp(0, heat.shape[0] - 1))
    column = int(centre[0].floor().clamp(0, heat.shape[1] - 1))
    peak[row, column] = 1.0
    torch.maximum(heat, peak, out=heat)

    core = away < (half * _CORE).clamp(min=1.0)
    core[row, column] = True
    cells = core.nonzero()
    found = (
        maps.corners[index][:, cells[:, 0], cells[:, 1]].T.reshape(-1, 4, 2) + grid[core][:, None]
    )  # (n, 4, 2)
    turns = torch.stack([quad.roll(shift, 0) for shift in range(4)])  # (4, 4, 2): truth in each cyclic order
    wanted = turns[None].expand(len(cells), -1, -1, -1)
    error = functional.smooth_l1_loss(
        found[:, None].expand_as(wanted) / half, wanted / half, beta=0.02, reduction="none"
    ).mean((2, 3))  # (n, 4)
    best, shift = error.min(1)
    return {
        "corners": error[:, 0].mean() if ordered else best.mean(),
        "turn": functional.cross_entropy(maps.turn[index][:, cells[:, 0], cells[:, 1]].T, shift),
        "emblem": functional.binary_cross_entropy_with_logits(
            maps.emblem[index, 0][core], emblem.expand(len(cells))
        ),
    }


def _snap_loss(snap: Tensor, quads: Tensor, grid: Tensor) -> Tensor:
    """L1 of the exact corner offsets (2, h, w) near the corners of quads (n, 4, 2) in cells."""
    size = torch.tensor([grid.shape[1], grid.shape[0]], device=grid.device)
    half = (quads - quads.mean(1, keepdim=True)).norm(dim=2).mean(1)  # (n,)
    reaches = (half * _REACH_SHARE).clamp(_LEAST_REACH, _MOST_REACH).repeat_interleave(4)
    points = quads.reshape(-1, 2)
    asked = ((points > size * _GONE) & (points < size * (1 - _GONE))).all(1)
    points, reaches = points[asked], reaches[asked]
    if not len(points):
        return snap.sum() * 0
    towards = points[:, None, None] - grid  # (p, h, w, 2)
    nearest = towards.abs().amax(-1).argmin(0)  # (h, w)
    offset = towards.gather(0, nearest[None, :, :, None].expand(1, -1, -1, 2))[0]  # (h, w, 2)
    near = offset.abs().amax(-1) < reaches[nearest]
    if not bool(near.any()):
        return snap.sum() * 0
    return functional.smooth_l1_loss(snap.permute(1, 2, 0)[near], offset[near], beta=0.1)


def detection_loss(maps: Prediction, targets: Targets, *, ordered: bool = False) -> dict[str, Tensor]:
    """The loss's terms, each a scalar, unweighted; `total` is their weighted sum.

    Centre: penalty-reduced focal loss (CornerNet eq. 1). Corners: smooth L1 in half-diagonals of the card,
    least over the four cyclic orders while the network still chooses its own, in the card's own order once
    `ordered`. `turn` always learns which order it was.
    """
    batch, _, height, width = maps.centre.shape
    grid = _grid(height, width, maps.centre.device)
    heat = torch.zeros(batch, height, width)
    terms: dict[str, list[Tensor]] = {"corners": [], "turn": [], "emblem": [], "snap": []}
    for index in range(batch):
        quads = targets.quads[index, : int(targets.cards[index])] / STRIDE
        for quad, emblem in zip(quads, targets.emblem[index], strict=False):
            for name, value in _card_terms(
                maps, index, quad, emblem, grid, heat[index], ordered=ordered
            ).items():
                terms[name].append(value)
        terms["snap"].append(_snap_loss(maps.snap[index], quads, grid))
    # Focal loss in logits: -log p = softplus(-z), -log(1-p) = softplus(z).
    logits = maps.centre[:, 0]
    chance = logits.sigmoid()
    hit = (heat == 1) * (1 - chance) ** _HARD * functional.softplus(-logits)
    miss = (heat < 1) * (1 - heat) ** _FAR * chance**_HARD * functional.softplus(logits)
    cards = max(float(targets.cards.sum()), 1.0)
    losses = {
        name: torch.stack(values).mean() if values else logits.sum() * 0 for name, values in terms.items()
    }
    losses["centre"] = (hit + miss).sum() / cards
    losses["total"] = torch.stack([WEIGHTS[name] * value for name, value in losses.items()]).sum()
    return losses
