"""The text recogniser as a torch network, to be fine-tuned: PP-OCRv6 small in its merged form.

A convolutional body (PP-LCNetV4: depthwise convolution, squeeze and excitation, two pointwise ones), a light
transformer over the time steps (SVTR), and one linear layer to the classes; CTC reads its output. "Merged"
means that batch norms and parallel branches are folded into the convolutions, as in the published ONNX file,
which the weights come from (`export.recognizer_torch`).

There are two forms. As **published**, every block is bent by Gelu. The **rectified** one, which is served,
has ReLU in all blocks but the last two: it costs nothing in 8-bit integers (`tandem.training.fit.rectifying`,
docs/decisions/0019-relu-for-gelu.md).

Sources: PaddleOCR's `rec_lcnetv4.py` and `rnn.py` (EncoderWithLightSVTR), Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from tandem.training.errors import WeightsError

_STEM = (48, 96)
# Channels in and out, rows a step, whether it has squeeze and excitation.
_BLOCKS = (
    (96, 96, 1, True),
    (96, 96, 1, False),
    (96, 96, 1, False),
    (96, 192, 2, False),
    (192, 192, 1, True),
    (192, 192, 1, False),
    (192, 192, 1, True),
    (192, 192, 1, False),
    (192, 192, 1, True),
    (192, 192, 1, False),
    (192, 384, 2, False),
    (384, 384, 1, True),
    (384, 384, 1, False),
)
_RECTIFIED = 11  # so many blocks, from the first on, have ReLU in the rectified form
_TAPS = (3, 9, 12)  # blocks whose outputs a rectified body is compared by
_BODY_CHANNELS = _BLOCKS[-1][1]
_DIMS = 120  # channels of the transformer
_HEADS = 8
_LOCAL_KERNEL = 7
_DEPTH = 2
_POOL = (3, 2)  # the body's three rows become one, two columns one time step


class Stem(nn.Module):
    """To a quarter of the size, along two ways."""

    def __init__(self) -> None:
        super().__init__()
        middle, out = _STEM
        self.first = nn.Conv2d(3, middle, 3, 2, 1)
        self.narrow = nn.Conv2d(middle, middle // 2, 2)
        self.widen = nn.Conv2d(middle // 2, middle, 2)
        self.halve = nn.Conv2d(2 * middle, middle, 3, 2, 1)
        self.last = nn.Conv2d(middle, out, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, 48, W) to (N, 96, 12, W / 4)."""
        x = self.first(pixels).relu()
        # Kernels of two with the size kept: the padding is right and below only.
        ways = self.narrow(functional.pad(x, (0, 1, 0, 1))).relu()
        ways = self.widen(functional.pad(ways, (0, 1, 0, 1))).relu()
        pooled = functional.max_pool2d(functional.pad(x, (0, 1, 0, 1)), 2, 1)
        x = self.halve(torch.cat([pooled, ways], 1)).relu()
        return torch.relu(self.last(x))


class Excitation(nn.Module):
    """Squeeze and excitation: channels weighted by what the whole row shows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // 4, 1)
        self.excite = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        weights = self.squeeze(x.mean((2, 3), keepdim=True)).relu()
        return x * functional.hardsigmoid(self.excite(weights))


class Block(nn.Module):
    """Depthwise convolution, perhaps excitation, and a pointwise bottleneck turned inside out."""

    def __init__(self, channels: int, out: int, rows: int, excited: bool, *, rectified: bool) -> None:
        super().__init__()
        self.rectified = rectified
        self.depthwise = nn.Conv2d(channels, channels, 3, (rows, 1), 1, groups=channels)
        self.excitation = Excitation(channels) if excited else nn.Identity()
        self.expand = nn.Conv2d(channels, 2 * channels, 1)
        self.project = nn.Conv2d(2 * channels, out, 1)
        self.residual = rows == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, out, H / rows, W)."""
        x, inside = self.opened(x)
        return self.closed(x, inside)

    def opened(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) to what goes round the bottleneck, (N, C, H / rows, W), and what is inside."""
        x = self.excitation(self.depthwise(x))
        inside = self.expand(x)
        return x, inside.relu() if self.rectified else functional.gelu(inside)

    def closed(self, x: Tensor, inside: Tensor) -> Tensor:
        """The block's output from what `opened` gave."""
        y: Tensor = self.project(inside)
        return x + y if self.residual else y


class Mixer(nn.Module):
    """A transformer layer over the time steps."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(_DIMS, eps=1e-5)
        self.qkv = nn.Linear(_DIMS, 3 * _DIMS)
        self.proj = nn.Linear(_DIMS, _DIMS)
        self.norm2 = nn.LayerNorm(_DIMS, eps=1e-5)
        self.fc1 = nn.Linear(_DIMS, 2 * _DIMS)
        self.fc2 = nn.Linear(2 * _DIMS, _DIMS)

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, 120) to the same."""
        rows, steps, _ = x.shape
        q, k, v = (
            part.reshape(rows, steps, _HEADS, _DIMS // _HEADS).transpose(1, 2)
            for part in self.qkv(self.norm1(x)).chunk(3, -1)
        )
        weights = (q * (_DIMS // _HEADS) ** -0.5 @ k.transpose(2, 3)).softmax(-1)
        x = x + self.proj((weights @ v).transpose(1, 2).reshape(rows, steps, _DIMS))
        y: Tensor = self.fc2(functional.silu(self.fc1(self.norm2(x))))
        return x + y


class Recognizer(nn.Module):
    """Rows of text to class scores for each time step.

    Args:
        classes: number of classes, the blank (0) included.
        published: in the published form, not the rectified one.
    """

    def __init__(self, classes: int, *, published: bool = False) -> None:
        super().__init__()
        self.published = published
        self.stem = Stem()
        self.blocks = nn.ModuleList(
            Block(*block, rectified=not published and index < _RECTIFIED)
            for index, block in enumerate(_BLOCKS)
        )
        self.reduce = nn.Conv2d(_BODY_CHANNELS, _DIMS, 1)
        self.local = nn.Conv2d(
            _DIMS, _DIMS, (1, _LOCAL_KERNEL), padding=(0, _LOCAL_KERNEL // 2), groups=_DIMS
        )
        self.mixers = nn.Sequential(*(Mixer() for _ in range(_DEPTH)))
        self.norm = nn.LayerNorm(_DIMS, eps=1e-6)
        self.skip = nn.Conv2d(_BODY_CHANNELS, _DIMS, 1)
        self.head = nn.Linear(_DIMS, classes)

    def body(self, pixels: Tensor) -> Tensor:
        """(N, 3, 48, W) float32 BGR in [-1, 1], W a multiple of 8, to (N, 384, 1, W / 8)."""
        return self.taps(pixels)[-1]

    def taps(self, pixels: Tensor) -> list[Tensor]:
        """What the body makes of the pixels, (N, C, H, W) each, at some depths; what `body` gives last."""
        x, tapped = self.stem(pixels), []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in _TAPS:
                tapped.append(x)
        return [*tapped, functional.avg_pool2d(x, _POOL)]

    def tail(self, x: Tensor) -> Tensor:
        """What the body saw, (N, 384, 1, T), to features (N, T, 120)."""
        z = functional.silu(self.reduce(x))
        z = z + functional.silu(self.local(z))
        z = self.norm(self.mixers(z.squeeze(2).transpose(1, 2)))
        features: Tensor = z + functional.silu(self.skip(x)).squeeze(2).transpose(1, 2)
        return features

    def features(self, pixels: Tensor) -> Tensor:
        """(N, 3, 48, W) float32 BGR in [-1, 1], W a multiple of 8, to (N, W / 8, 120)."""
        return self.tail(self.body(pixels))

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, 48, W) float32 BGR in [-1, 1] to logits (N, W / 8, classes)."""
        logits: Tensor = self.head(self.features(pixels))
        return logits


def save_weights(network: Recognizer, characters: Sequence[str], path: Path) -> None:
    """Writes a weights file: the network's state and its characters, so that training may add some."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "state": network.state_dict(),
        "characters": list(characters),
        "published": network.published,
    }
    torch.save(content, path)


def load_weights(path: Path) -> tuple[Recognizer, list[str]]:
    """The network and the characters of a weights file.

    Raises:
        WeightsError: there is no such file, or it is none.
    """
    try:
        content = torch.load(path, weights_only=True)
        network = Recognizer(len(content["characters"]), published=content["published"])
        network.load_state_dict(content["state"])
    except FileNotFoundError as error:
        raise WeightsError(
            f"no weights at {path}: python -m export.recognizer_torch import makes them"
        ) from error
    except (KeyError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{path} is no weights file of the recogniser") from error
    return network.eval(), content["characters"]
