"""ReLU for Gelu in a trained recogniser: `python -m tandem.training.fit.rectifying`.

Block by block, in the order in which a lane passes them: ReLU takes Gelu's place; the least-squares solution
over some lanes tells what leaves the bottleneck; and some steps of training make the block give what it gave
with Gelu, from what the changed blocks before it make. What is left then is for training of the whole
(`tandem.training.fit.recognizer`).

Sources: He, Zhang, Sun, "Channel pruning for accelerating very deep neural networks", ICCV 2017 (least
squares after a change, layer by layer); Hinton, Vinyals, Dean, "Distilling the knowledge in a neural
network", 2015.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from torch import Tensor

from tandem.training.fit.recognizer import lane_pixels, taught_hanzi
from tandem.training.network.recognizer import Block, Recognizer, load_weights, save_weights
from tandem.training.scene.text_rows import LanePrinter

_LANES, _SEED, _AT_ONCE = 160, 77, 16
_SOLVED = 5  # parts of the lanes that least squares are taken over
_STEPS, _RATE = 250, 1e-3  # of each block's own training
_RIDGE = 1e-4  # of the mean square of what is inside

_log = logging.getLogger(__name__)


def rectified(published: Recognizer, pixels: Tensor) -> Recognizer:
    """The network with ReLU that resembles one with Gelu.

    Args:
        published: in the published form.
        pixels: (N, 3, 48, W) float32 in [-1, 1], lanes to learn from.
    """
    changed = Recognizer(published.head.out_features).eval()
    changed.load_state_dict(published.state_dict())
    with torch.no_grad():
        shown = [published.stem(part) for part in torch.split(pixels, _AT_ONCE)]
    seen = shown
    blocks = (cast("Sequence[Block]", network.blocks) for network in (published, changed))
    for index, (his, ours) in enumerate(zip(*blocks, strict=True)):
        if not ours.rectified:
            break
        with torch.no_grad():
            wanted = [his(part) for part in shown]
            _solve(ours, seen[:_SOLVED], wanted[:_SOLVED])
        _train(ours, seen, wanted)
        with torch.no_grad():
            seen = [ours(part) for part in seen]
        shown = wanted
        _log.info("block %d: %.1f %% of the variance missing", index, 100 * _missing(seen, wanted))
    return changed


def _solve(block: Block, seen: Sequence[Tensor], wanted: Sequence[Tensor]) -> None:
    """Sets what leaves the bottleneck to the ridge regression of what is wanted on what is inside."""
    size = block.expand.out_channels + 1
    squares = torch.zeros(size, size, dtype=torch.float64)
    products = torch.zeros(size, block.project.out_channels, dtype=torch.float64)
    for part, target in zip(seen, wanted, strict=True):
        around, inside = block.opened(part)
        rows = _rows(inside)
        rows = torch.cat([rows, torch.ones(len(rows), 1, dtype=torch.float64)], 1)
        squares += rows.T @ rows
        products += rows.T @ _rows(target - around if block.residual else target)
    before = torch.cat([block.project.weight[:, :, 0, 0].T, block.project.bias[None]]).double()  # type: ignore[index]
    ridge = _RIDGE * squares.diagonal().mean() * torch.eye(size)
    after = (before + torch.linalg.solve(squares + ridge, products - squares @ before)).float()
    block.project.weight.copy_(after[:-1].T[:, :, None, None])
    block.project.bias.copy_(after[-1])  # type: ignore[union-attr]


def _rows(maps: Tensor) -> Tensor:
    """(N, C, H, W) to (N H W, C) float64."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2).double()


def _train(block: Block, seen: Sequence[Tensor], wanted: Sequence[Tensor]) -> None:
    """Some steps towards what is wanted, over the parts in turn."""
    optimiser = torch.optim.Adam(block.parameters(), _RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=_STEPS)
    for step in range(_STEPS):
        part, target = seen[step % len(seen)], wanted[step % len(seen)]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            made = block(part)
        loss = (made.float() - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def _missing(made: Sequence[Tensor], wanted: Sequence[Tensor]) -> float:
    ours, his = torch.cat(list(made)), torch.cat(list(wanted))
    return float((ours - his).square().mean() / (his - his.mean((0, 2, 3), keepdim=True)).square().mean())


def main(argv: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--weights", type=Path, required=True, help="a network in the published form")
    parser.add_argument("--out", type=Path, required=True, help="weights file to write")
    options = parser.parse_args(argv)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    cv2.setNumThreads(1)
    published, characters = load_weights(options.weights)
    printer = LanePrinter("train", taught_hanzi(characters, 0.08), _SEED)
    rng = np.random.default_rng(_SEED)
    pixels = lane_pixels(np.stack([printer.draw(rng).pixels for _ in range(_LANES)]))
    save_weights(rectified(published, pixels), characters, options.out)


if __name__ == "__main__":
    main()
