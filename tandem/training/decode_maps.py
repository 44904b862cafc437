"""From the detector's maps to cards: peaks, corners, orientation, in operations that export to ONNX."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tandem.training.detector import STRIDE, CardDetector, Prediction, normalise

MAX_CARDS = 8
# Of two cards whose centres are nearer than this share of the larger one's short side, the weaker goes.
_SAME = 0.5
# A correction longer than this, in cells plus a share of the card's half-diagonal, belongs to another corner.
_SNAP_LIMIT, _SNAP_SHARE = 0.5, 0.08


def _gather(maps: Tensor, cells: Tensor) -> Tensor:
    """Values (B, N, C) of maps (B, C, h, w) at flat cell indices (B, N)."""
    flat = maps.flatten(2)  # (B, C, h*w)
    return flat.gather(2, cells[:, None, :].expand(-1, flat.shape[1], -1)).transpose(1, 2)


def decode_maps(maps: Prediction) -> tuple[Tensor, Tensor, Tensor]:
    """The likeliest cards of each picture, best first.

    Returns:
        quads: (B, 8, 4, 2) float32, thumbnail pixels, clockwise from the card's own top left.
        scores: (B, 8) float32, 0-1; duplicates have 0.
        emblem: (B, 8) float32, probability of the emblem side.
    """
    height, width = maps.centre.shape[2], maps.centre.shape[3]
    heat = maps.centre.sigmoid()
    heat = heat * (functional.max_pool2d(heat, 3, 1, 1) == heat).to(heat.dtype)
    scores, cells = heat.flatten(1).topk(MAX_CARDS, dim=1)
    # Not `cells % width`: with a dynamic width torch's exporter cannot translate that.
    row = torch.div(cells, width, rounding_mode="floor")
    column = cells - row * width
    centre = torch.stack([column, row], -1).to(heat.dtype)[:, :, None] + 0.5  # (B, 8, 1, 2)
    quads = _gather(maps.corners, cells).reshape(-1, MAX_CARDS, 4, 2) + centre

    half = (quads - quads.mean(2, keepdim=True)).norm(dim=-1, keepdim=True).mean(2, keepdim=True)
    reach = _SNAP_LIMIT + _SNAP_SHARE * half  # (B, 8, 1, 1)
    for _ in range(2):  # the second look starts from a better place
        column = quads[..., 0].floor().clamp(0, width - 1)  # (B, 8, 4) cells
        row = quads[..., 1].floor().clamp(0, height - 1)
        at = torch.stack([column, row], -1)
        flat = (row * width + column).to(torch.int64).flatten(1)  # (B, 32)
        exact = at + 0.5 + _gather(maps.snap, flat).reshape(-1, MAX_CARDS, 4, 2)
        near = ((exact - quads).abs().amax(-1, keepdim=True) < reach).to(quads.dtype)
        quads = near * exact + (1 - near) * quads

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
