"""The document classifier: a small convolutional network that names the kind of a straightened document.

Its stages are the card detector's first ones, name for name, so that it can begin with their weights. Unlike
a usual classifier it keeps the place of what it sees until the last layer: the same characters are a title
above and an address below.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tandem.media.document_kinds import KINDS
from tandem.media.document_views import VIEW_HEIGHT, VIEW_WIDTH
from tandem.training.network.stages import Stage, convolution, normalise

STRIDE = 32
_NARROW = 64  # channels of each of the last map's cells
_DROPPED = 0.2


class DocumentClassifier(nn.Module):
    """The network; 1.2 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = convolution(3, 16, 2)
        self.stage4 = Stage(16, 24, 1)
        self.stage8 = Stage(24, 48, 2)
        self.stage16 = Stage(48, 96, 2)
        self.stage32 = Stage(96, 128, 2)
        self.narrow = nn.Sequential(
            nn.Conv2d(128, _NARROW, 1, bias=False), nn.BatchNorm2d(_NARROW), nn.ReLU()
        )
        cells = (VIEW_HEIGHT // STRIDE) * (VIEW_WIDTH // STRIDE)
        self.drop = nn.Dropout(_DROPPED)
        self.decide = nn.Linear(_NARROW * cells, len(KINDS))

    def forward(self, views: Tensor) -> Tensor:
        """Logits (B, kinds) of views (B, 3, 160, 256) float32 BGR, -1..1."""
        x = self.stage32(self.stage16(self.stage8(self.stage4(self.stem(views)))))
        logits: Tensor = self.decide(self.drop(self.narrow(x).flatten(1)))
        return logits


class ServedClassifier(nn.Module):
    """What is served: the views of a batch of pictures in, each view's probabilities out."""

    def __init__(self, network: DocumentClassifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: Tensor) -> Tensor:
        """(B, V, kinds) float32 probabilities of views (B, V, 160, 256, 3) uint8 BGR."""
        batch, count = views.shape[:2]
        logits = self.network(normalise(views.flatten(0, 1)))
        return torch.softmax(logits, dim=1).reshape(batch, count, len(KINDS))
