"""The corner refiner: a small convolutional network that says where in a view a card's corners are.

Its stages are the card detector's first ones, name for name, so that it can begin with their weights. What
decides keeps every place of the last map: where something is seen is what is asked.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tandem.services.id_card.geometry.corner_look import VIEW_HEIGHT, VIEW_WIDTH, WAYS
from tandem.training.network.stages import Stage, convolution, normalise

STRIDE = 16
_NARROW = 32  # channels of each of the last map's cells
_HIDDEN = 160
_MM = 5.0  # an output of 1 moves a corner so far


class CornerRefiner(nn.Module):
    """The network; 0.9 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = convolution(3, 16, 2)
        self.stage4 = Stage(16, 24, 1)
        self.stage8 = Stage(24, 48, 2)
        self.stage16 = Stage(48, 96, 2)
        self.narrow = nn.Sequential(nn.Conv2d(96, _NARROW, 1, bias=False), nn.BatchNorm2d(_NARROW), nn.ReLU())
        cells = (VIEW_HEIGHT // STRIDE) * (VIEW_WIDTH // STRIDE)
        self.hidden = nn.Linear(_NARROW * cells, _HIDDEN)
        self.decide = nn.Linear(_HIDDEN, 8 + len(WAYS))

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Offsets (B, 4, 2), mm, and logits (B, 4) of views (B, 3, 128, 176) float32 BGR, -1..1."""
        x = self.stage16(self.stage8(self.stage4(self.stem(views))))
        said = self.decide(torch.relu(self.hidden(self.narrow(x).flatten(1))))
        return said[:, :8].unflatten(1, (4, 2)) * _MM, said[:, 8:]


class ServedRefiner(nn.Module):
    """What is served: views in, offsets and probabilities out."""

    def __init__(self, network: CornerRefiner) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 4, 2) float32 mm and (B, 4) float32 of views (B, 128, 176, 3) uint8 BGR."""
        offsets, logits = self.network(normalise(views))
        return offsets, torch.softmax(logits, dim=1)
