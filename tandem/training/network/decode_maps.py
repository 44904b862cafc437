"""From the detector's maps to cards: peaks, corners, orientation, in operations that export to ONNX.

The corners that a card's centre predicts are coarse, the more so the more the card is tilted: 5-9 % of its
width off. The cells around a corner know it from close by, so they vote: where neighbours agree on a point,
there is a corner, and the coarse one is moved to the best supported of those near it. (A single cell asked at
the coarse corner would often lie too far from the true one to know.)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tandem.services.id_card.records import MAX_CARDS
from tandem.training.network.detector import STRIDE, CardDetector, Prediction
from tandem.training.network.stages import normalise

# Of two cards whose centres are nearer than this share of the larger one's short side, the weaker goes.
_SAME = 0.5
# Votes of neighbours, up to so many cells away, agree if they are about so near to each other, in cells.
_NEIGHBOURS, _AGREE = 2, 0.4
# Below this support (of 25, itself included) a point is no corner.
_LEAST_SUPPORT = 4.0
# A corner further from the coarse one, in cells plus a share of the card's half-diagonal, is another one's.
_REACH, _REACH_SHARE = 1.0, 0.3


def _gather(maps: Tensor, cells: Tensor) -> Tensor:
    """Values (B, N, C) of maps (B, C, h, w) at flat cell indices (B, N)."""
    flat = maps.flatten(2)  # (B, C, h*w)
    return flat.gather(2, cells[:, None, :].expand(-1, flat.shape[1], -1)).transpose(1, 2)


def _moved_to_votes(quads: Tensor, snap: Tensor) -> Tensor:
    """Coarse corners (B, N, 4, 2), in cells, moved to where the cells around see them; snap (B, 2, h, w)."""
    height, width = snap.shape[2], snap.shape[3]
    y, x = torch.meshgrid(
        torch.arange(height, device=snap.device), torch.arange(width, device=snap.device), indexing="ij"
    )
    votes = snap + torch.stack([x, y]).to(snap.dtype) + 0.5  # (B, 2, h, w)
    support = torch.zeros_like(votes[:, :1])
    for down in range(-_NEIGHBOURS, _NEIGHBOURS + 1):
        for right in range(-_NEIGHBOURS, _NEIGHBOURS + 1):
            # Rolled over the picture's border, votes are too far away to agree.
            apart = (votes.roll((down, right), (2, 3)) - votes).square().sum(1, keepdim=True)
            support = support + torch.exp(apart / (-2 * _AGREE**2))
    points, strength = votes.flatten(2).transpose(1, 2), support.flatten(1)  # (B, hw, 2), (B, hw)

    half = (quads - quads.mean(2, keepdim=True)).norm(dim=-1).mean(2)  # (B, N)
    reach = (_REACH + _REACH_SHARE * half)[..., None, None]
    away = (quads[:, :, :, None] - points[:, None, None]).norm(dim=-1) / reach  # (B, N, 4, hw)
    usable = (away < 1) & (strength > _LEAST_SUPPORT)[:, None, None]
    merit = torch.where(usable, strength[:, None, None] / (2 * _NEIGHBOURS + 1) ** 2 - away, -2.0)
    best, index = merit.max(-1)  # (B, N, 4)
    chosen = _gather(points.transpose(1, 2)[..., None], index.flatten(1)).reshape(quads.shape)
    # The mean of those who agree: which of them was the best does not matter then.
    apart = (chosen[:, :, :, None] - points[:, None, None]).square().sum(-1)
    weight = strength[:, None, None] * torch.exp(apart / (-2 * _AGREE**2))  # (B, N, 4, hw)
    mean = (weight @ points[:, None]) / weight.sum(-1, keepdim=True)
    return torch.where(best[..., None] > -2.0, mean, quads)


def decode_maps(maps: Prediction) -> tuple[Tensor, Tensor, Tensor]:
    """The likeliest cards of each picture, best first.

    Returns:
        quads: (B, 8, 4, 2) float32, thumbnail pixels, clockwise from the card's own top left.
        scores: (B, 8) float32, 0-1; duplicates have 0.
        emblem: (B, 8) float32, probability of the emblem side.
    """
    width = maps.centre.shape[3]
    heat = maps.centre.sigmoid()
    heat = heat * (functional.max_pool2d(heat, 3, 1, 1) == heat).to(heat.dtype)
    scores, cells = heat.flatten(1).topk(MAX_CARDS, dim=1)
    # Not `cells % width`: with a dynamic width torch's exporter cannot translate that.
    row = torch.div(cells, width, rounding_mode="floor")
    column = cells - row * width
    centre = torch.stack([column, row], -1).to(heat.dtype)[:, :, None] + 0.5  # (B, 8, 1, 2)
    quads = _gather(maps.corners, cells).reshape(-1, MAX_CARDS, 4, 2) + centre

    quads = _moved_to_votes(quads, maps.snap)

    turn = _gather(maps.turn, cells).argmax(-1)  # (B, 8): truth rolled by `turn` is what was found
    order = (torch.arange(4, device=quads.device) + turn[..., None]) % 4
    quads = quads.gather(2, order[..., None].expand(-1, -1, -1, 2))

    middle = quads.mean(2)  # (B, 8, 2)
    apart = (middle[:, :, None] - middle[:, None]).norm(dim=-1)  # (B, 8, 8)
    sides = (quads - quads.roll(-1, 2)).norm(dim=-1)  # (B, 8, 4)
    short = torch.minimum((sides[..., 0] + sides[..., 2]) / 2, (sides[..., 1] + sides[..., 3]) / 2)
    close = _SAME * torch.maximum(short[:, :, None], short[:, None])
    stronger = torch.ones(MAX_CARDS, MAX_CARDS, device=quads.device).triu(1)  # [i, j]: i comes before j
    beaten = ((apart < close).to(quads.dtype) * stronger).amax(1)
    emblem = _gather(maps.emblem, cells)[..., 0].sigmoid()
    return quads * STRIDE, scores * (1 - beaten), emblem


class ExportedDetector(nn.Module):
    """The whole step as Triton serves it: uint8 thumbnails in, cards out."""

    def __init__(self, network: CardDetector) -> None:
        super().__init__()
        self.network = network

    def forward(self, thumbnails: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`decode_maps` of thumbnails (B, H, W, 3) uint8 BGR."""
        return decode_maps(self.network(normalise(thumbnails)))
