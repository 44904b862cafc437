"""Train the corner refiner: `python -m tandem.training.fit.corner_refiner`.

Draws its own cards and scenes, shows a progress bar, can be stopped and resumed at any time, and writes
`metrics.jsonl`, a checkpoint and the weights. Begins with the card detector's first stages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from rich.console import Console
from torch import Tensor, nn
from torch.utils.data import DataLoader

from tandem.training.fit.corner_views import (
    VIEWS_PER_CARD,
    Batch,
    LookStream,
    collate_looks,
    draw_corner_pools,
    draw_corner_samples,
)
from tandem.training.fit.loop import LoopTrainer, Recipe, RunPlan, plan_of, run, run_parser, save_half
from tandem.training.network.corner_refiner import CornerRefiner
from tandem.training.network.stages import normalise

_WAY_WEIGHT = 0.5  # of the cross entropy beside a mm of corner error
_BEND_MM = 1.0  # from this error on the loss is linear: some quads nobody can correct
_RECIPE = Recipe(
    warm_up=150,
    floor=0.01,
    weight_decay=1e-3,
    averaging_delay=10,
    averaging_own=1,
    average_buffers=True,
    averaged=0.995,
)


@dataclass(frozen=True, kw_only=True)
class RefinerPlan(RunPlan):
    """How long and how to train.

    Attributes:
        faces, confusers, backdrops: what is drawn once.
        checks: scenes of a validation.
    """

    steps: int = 4000
    batch: int = 10
    rate: float = 1.5e-3
    seed: int = 1
    faces: int = 1200
    confusers: int = 160
    backdrops: int = 300
    checks: int = 150
    check_every: int = 250
    workers: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.faces, self.confusers, self.backdrops, self.checks) < 1:
            raise ValueError("faces, confusers, backdrops and checks must be at least 1")


def said_of(network: nn.Module, views: Tensor) -> tuple[Tensor, Tensor]:
    """Offsets and logits of uint8 views, bfloat16 inside (half the time on CPUs that have it)."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        offsets, logits = network(normalise(views).contiguous(memory_format=torch.channels_last))
    return offsets.float(), logits.float()


@torch.no_grad()
def validate(network: nn.Module, checks: Batch) -> dict[str, float]:
    """How far the worst corner is off after one look, mm, beside how far it was; how often the way is right.

    Args:
        network: in evaluation mode.
        checks: see `collate_looks`.
    """
    views, offsets, ways = checks
    said, logits = said_of(network, views)
    worst = (said - offsets).norm(dim=2).amax(1)
    before = offsets.norm(dim=2).amax(1)
    return {
        "before_p50": float(before.median()),
        "worst_p50": float(worst.median()),
        "worst_p90": float(worst.quantile(0.9)),
        "way": float((logits.argmax(1) == ways).float().mean()),
    }


class RefinerTrainer(LoopTrainer[Batch, RefinerPlan]):
    """The state of one training run; `save` and `load` make it resumable."""

    recipe = _RECIPE

    def __init__(self, plan: RefinerPlan, folder: Path) -> None:
        """Start from random weights; nothing is drawn or written yet."""
        torch.manual_seed(plan.seed)
        network = CornerRefiner().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__(network, list(network.parameters()), plan, folder)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The corners' errors and the cross entropy of the ways."""
        self.network.train()
        views, offsets, ways = batch
        said, logits = said_of(self.network, views)
        corners = nn.functional.smooth_l1_loss(said, offsets, beta=_BEND_MM)
        way = nn.functional.cross_entropy(logits, ways)
        return {"total": corners + _WAY_WEIGHT * way, "corners": corners, "ways": way}

    def save_weights(self) -> None:
        """The averaged network in half precision, as the exported model is made from it."""
        save_half(self.average, self.folder / "corner_refiner.pt")


def train(trainer: RefinerTrainer, console: Console) -> dict[str, float]:
    """Run the plan to its end from the trainer's step; returns the last validation."""
    plan = trainer.plan
    # Before the loader forks: OpenCV's threads do not survive that, and its next call in a child hangs.
    cv2.setNumThreads(1)
    console.print("drawing cards and backgrounds…")
    pools = draw_corner_pools(plan.seed, faces=plan.faces, confusers=plan.confusers, backdrops=plan.backdrops)
    unseen = draw_corner_pools(plan.seed + 1, faces=200, confusers=40, backdrops=80, pool="test")
    rng = np.random.default_rng(plan.seed + 2)
    checks = collate_looks([draw_corner_samples(rng, unseen) for _ in range(plan.checks)])
    loader = DataLoader(
        LookStream(pools, plan.seed + 1000 * (trainer.step + 1)),
        batch_size=plan.batch,
        num_workers=plan.workers,
        collate_fn=collate_looks,
        prefetch_factor=VIEWS_PER_CARD if plan.workers else None,
    )
    return run(trainer, loader, lambda: validate(trainer.average, checks), console)


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the arguments and train."""
    parser = run_parser(
        "python -m tandem.training.fit.corner_refiner", __doc__, RefinerPlan(), Path("runs/corner_refiner")
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        default=Path("export/weights/card_detector.pt"),
        help="weights whose first stages to begin with (default: %(default)s)",
    )
    options = parser.parse_args(argv)
    trainer = RefinerTrainer(plan_of(RefinerPlan, options), options.out)
    console = Console(stderr=True)
    if options.resume:
        trainer.load()
    else:
        console.print(f"{trainer.start_from(options.start)} tensors taken over from {options.start}")
    train(trainer, console)


if __name__ == "__main__":
    main()
