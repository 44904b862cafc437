"""What the small convolutional networks are built of, the same tensors under the same names.

A network can so begin with another one's weights (`take_over`): the detector's first stages see the same
print, edges and colours wherever they look.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A 3x3 convolution, normalised and rectified."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two 3x3 convolutions around a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) to the same shape."""
        return torch.relu(x + self.second(self.first(x)))


class Stage(nn.Sequential):
    """Halve the resolution, then `depth` residual blocks."""

    def __init__(self, inputs: int, outputs: int, depth: int) -> None:
        super().__init__(convolution(inputs, outputs, 2), *(Residual(outputs) for _ in range(depth)))


def normalise(views: Tensor) -> Tensor:
    """Views (B, H, W, 3) uint8 BGR to a network's input (B, 3, H, W) float32, -1..1."""
    return views.permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1.0


def take_over(network: nn.Module, weights: Mapping[str, Tensor]) -> int:
    """Put those of another network's tensors in that have a name and a shape of ours; how many those are."""
    own = network.state_dict()
    shared = {
        name: value for name, value in weights.items() if name in own and own[name].shape == value.shape
    }
    network.load_state_dict({**own, **shared})
    return len(shared)
