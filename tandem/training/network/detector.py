"""The card detector: a small convolutional network that finds cards by their centres and describes each one.

For every cell of a stride-8 grid it predicts whether a card's centre lies there and, if so, the card's four
corners, which of them is the card's own top left, and which side of the card is seen. Cells near a corner
of any card also predict that corner exactly, from close by; coarse ones are moved to where these agree.

Centres as points follow CenterNet (Zhou et al., arXiv 1904.07850). Regressing ordered corners from the start
collapses to the card's centre wherever up and down are hard to tell apart, so at first the corners may come
in any cyclic order and orientation is a class beside them, after the rotation-modulated loss of RSDet (Qian
et al., arXiv 1911.08299). Later in training they must come in the card's own order: an order of the
network's own has to jump somewhere as a card turns, and there the corners come out mixed.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from tandem.training.network.stages import Stage, convolution

STRIDE = 8  # thumbnail pixels a grid cell
SPAN = 16.0  # cells: offsets are predicted in units of this, so that the head's outputs stay near one
_PRIOR = 0.01  # initial probability of a centre, so that training starts from "no card anywhere" (focal loss)


class Prediction(NamedTuple):
    """Raw maps of the network, each (B, channels, H/8, W/8) float32.

    Attributes:
        centre: (B, 1, h, w) logits of "a card's centre is here".
        corners: (B, 8, h, w) offsets x, y of four corners from the cell, in cells; cyclic order, clockwise.
        turn: (B, 4, h, w) logits: which of the four is the card's own top left.
        emblem: (B, 1, h, w) logit of the emblem side.
        snap: (B, 2, h, w) offset x, y from the cell to the nearest card corner, in cells.
    """

    centre: Tensor
    corners: Tensor
    turn: Tensor
    emblem: Tensor
    snap: Tensor


class _Wide(nn.Module):
    """A residual block of dilated convolutions: a card that fills the frame is seen whole from its centre."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, 2, dilation=2, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 2, dilation=2, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.second_norm.weight)  # the block begins as the identity

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(x + self.second_norm(self.second(inner)))


class _Lateral(nn.Module):
    """Add a coarser map, enlarged twice, to a finer one of another width (feature pyramid)."""

    def __init__(self, fine: int, width: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(fine, width, 1)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        enlarged: Tensor = nn.functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
        return torch.relu(self.reduce(fine) + enlarged)


class CardDetector(nn.Module):
    """The network; 1.6 million parameters, 0.7 GMAC at 320 x 320."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.stem = convolution(3, 16, 2)
        self.stage4 = Stage(16, 24, 1)
        self.stage8 = Stage(24, 48, 2)
        self.stage16 = Stage(48, 96, 2)
        self.stage32 = Stage(96, 128, 2)
        self.wide = _Wide(128)
        self.context = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(128, 128, 1), nn.Sigmoid())
        self.top = nn.Conv2d(128, width, 1)
        self.merge16 = _Lateral(96, width)
        self.smooth16 = convolution(width, width)
        self.merge8 = _Lateral(48, width)
        self.smooth8 = convolution(width, width)
        self.head = convolution(width, width)
        self.predict = nn.Conv2d(width, 1 + 8 + 4 + 1 + 2, 1)
        bias = torch.zeros(16)
        bias[0] = -torch.log(torch.tensor((1 - _PRIOR) / _PRIOR))
        self.predict.bias = nn.Parameter(bias)

    def forward(self, pictures: Tensor) -> Prediction:
        """Maps for pictures (B, 3, H, W) float32 BGR scaled to about -1..1; H and W multiples of 32."""
        x4 = self.stage4(self.stem(pictures))
        x8 = self.stage8(x4)
        x16 = self.stage16(x8)
        x32 = self.wide(self.stage32(x16))
        x32 = self.top(x32 * self.context(x32))
        x = self.smooth16(self.merge16(x16, x32))
        x = self.smooth8(self.merge8(x8, x))
        maps = self.predict(self.head(x))
        centre, corners, turn, emblem, snap = maps.split([1, 8, 4, 1, 2], dim=1)
        return Prediction(centre, corners * SPAN, turn, emblem, snap * 2.0)
