"""Train the card detector: `python -m tandem.training.fit.detector`.

Draws its own pictures, shows a progress bar, can be stopped and resumed at any time, and writes
`metrics.jsonl`, a checkpoint and, at the end, the weights. On two CPU cores the committed weights took
about an hour.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor, nn
from torch.utils.data import DataLoader

from tandem.media.letterbox import THUMBNAIL_SIDE
from tandem.training.fit.dataset import Batch, Pools, Sample, SampleStream, build_pools, collate, draw_sample
from tandem.training.fit.loop import LoopTrainer, Recipe, RunPlan, plan_of, run, run_parser, save_half
from tandem.training.fit.losses import Targets, detection_loss
from tandem.training.network.decode_maps import decode_maps
from tandem.training.network.detector import CardDetector, Prediction
from tandem.training.network.stages import normalise
from tandem.training.score import corner_error, match_cards

_RECIPE = Recipe(
    warm_up=200, floor=0.01, weight_decay=1e-4, averaging_delay=10, averaging_own=1, average_buffers=True
)
_QUARTER_TURN = 0.25  # share of the width: an error of the corners above it means a wrong orientation


@dataclass(frozen=True, kw_only=True)
class TrainingPlan(RunPlan):
    """How long and how to train.

    Attributes:
        small_share: share of the steps that run on pictures of `small_size` instead of full size; they cost
            less than half.
        free_share: share of the steps in which the network may name the corners in any cyclic order.
        small_size: side in pixels, a multiple of 32.
        faces, confusers, backdrops: sizes of the pools.
    """

    steps: int = 5200
    batch: int = 20
    small_share: float = 0.4
    small_size: int = 256
    free_share: float = 0.5
    rate: float = 2e-3
    seed: int = 1
    faces: int = 900
    confusers: int = 500
    backdrops: int = 300
    workers: int = 2
    check_every: int = 250

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.small_size % 32 or not (0 <= self.small_share <= 1 and 0 <= self.free_share <= 1):
            raise ValueError("small_size must be a multiple of 32 and the shares between 0 and 1")

    def size_at(self, step: int) -> int:
        """Side of the pictures at a step."""
        return self.small_size if step < self.steps * self.small_share else THUMBNAIL_SIDE

    def ordered_at(self, step: int) -> bool:
        """Whether the corners must come in the card's own order at a step.

        Not at once: before orientation is learnt, that pulls them to the card's centre. Not never: the
        network's own order has to jump somewhere as a card turns, and there the corners come out mixed.
        """
        return step >= self.steps * self.free_share


def predict(network: nn.Module, pictures: Tensor) -> Prediction:
    """Maps of uint8 pictures, bfloat16 inside (half the time on CPUs that have it)."""
    inputs = normalise(pictures).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        maps = network(inputs)
    return Prediction(*(channel.float() for channel in maps))


@dataclass
class _Tally:
    """What a validation counts."""

    cards: int = 0
    found: int = 0
    sides: int = 0
    upright: int = 0
    spare: int = 0


@torch.no_grad()
def validate(network: nn.Module, samples: Sequence[Sample], threshold: float = 0.5) -> dict[str, float]:
    """Recall, side and orientation accuracy, corner error and false positives over samples at full size."""
    network.eval()
    tally, errors = _Tally(), list[float]()
    for start in range(0, len(samples), 16):
        few = samples[start : start + 16]
        pictures = torch.from_numpy(np.stack([sample.thumbnail for sample in few]))
        quads, scores, emblem = (value.numpy() for value in decode_maps(predict(network, pictures)))
        for index, sample in enumerate(few):
            kept = scores[index] > threshold
            _count(tally, errors, sample, quads[index][kept], emblem[index][kept])
    return {
        "recall": tally.found / max(tally.cards, 1),
        "side": tally.sides / max(tally.found, 1),
        "orientation": tally.upright / max(tally.found, 1),
        "corner_median": float(np.median(errors)) if errors else math.nan,
        "corner_p95": float(np.quantile(errors, 0.95)) if errors else math.nan,
        "false_per_picture": tally.spare / max(len(samples), 1),
    }


def _count(
    tally: _Tally,
    errors: list[float],
    sample: Sample,
    quads: NDArray[np.float32],
    emblem: NDArray[np.float32],
) -> None:
    """Add one picture's detections (K, 4, 2) and sides (K,) to the tally and the corner errors."""
    matches, spare = match_cards(list(sample.quads[: sample.count]), list(quads))
    tally.cards += len(matches)
    tally.spare += len(spare)
    for match in matches:
        if match.found is None:
            continue
        error = corner_error(quads[match.found], sample.quads[match.true])
        errors.append(error)
        tally.found += 1
        tally.upright += error < _QUARTER_TURN
        tally.sides += bool((emblem[match.found] > 0.5) == (sample.emblem[match.true] > 0.5))


class Trainer(LoopTrainer[Batch, TrainingPlan]):
    """The state of one training run; `save` and `load` make it resumable."""

    recipe = _RECIPE

    def __init__(self, plan: TrainingPlan, folder: Path) -> None:
        """Start from random weights; nothing is drawn or written yet."""
        torch.manual_seed(plan.seed)
        network = CardDetector().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__(network, list(network.parameters()), plan, folder)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The terms of the detection loss."""
        self.network.train()
        pictures, quads, emblem, cards = batch
        return detection_loss(
            predict(self.network, pictures),
            Targets(quads, emblem, cards),
            ordered=self.plan.ordered_at(self.step),
        )

    def save_weights(self) -> None:
        """The averaged network in half precision, as the exported model is made from it."""
        save_half(self.average, self.folder / "detector.pt")

    def start_from(self, weights: Path) -> int:
        """Begin with all weights of an earlier run; how many tensors those are."""
        state = torch.load(weights, weights_only=True)
        for network in (self.network, self.average):
            network.load_state_dict(state)
        return len(state)


def _batches(pools: Pools, plan: TrainingPlan, first_step: int) -> Iterator[Batch]:
    """The batches from a step to the plan's end: small pictures first, then full size."""
    # Before the loader forks: OpenCV's threads do not survive that, and stopping them in a child hangs.
    cv2.setNumThreads(1)
    step = first_step
    while step < plan.steps:
        size = plan.size_at(step)
        # A resumed run must not see the same pictures again, so the step is part of the seed.
        stream = SampleStream(pools, plan.seed * 1_000_003 + step, size)
        loader = DataLoader(
            stream,
            batch_size=plan.batch,
            num_workers=plan.workers,
            collate_fn=collate,
            prefetch_factor=4 if plan.workers else None,
        )
        for batch in loader:
            yield batch
            step += 1
            if step >= plan.steps or plan.size_at(step) != size:
                break


def train(trainer: Trainer, console: Console) -> dict[str, float]:
    """Run the plan to its end from the trainer's step; returns the last validation."""
    plan = trainer.plan
    console.print("drawing faces, confusers and backgrounds…")
    pools = build_pools(plan.seed, faces=plan.faces, confusers=plan.confusers, backdrops=plan.backdrops)
    unseen = build_pools(plan.seed + 1, faces=120, confusers=60, backdrops=80, pool="test")
    rng = np.random.default_rng(plan.seed + 2)
    checks = [draw_sample(rng, unseen) for _ in range(256)]
    batches = _batches(pools, plan, trainer.step)
    return run(trainer, batches, lambda: validate(trainer.average, checks), console)


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the arguments and train."""
    parser = run_parser(
        "python -m tandem.training.fit.detector", __doc__, TrainingPlan(), Path("runs/detector")
    )
    parser.add_argument(
        "--start", type=Path, metavar="FILE", help="weights to begin with (default: random ones)"
    )
    options = parser.parse_args(argv)
    trainer = Trainer(plan_of(TrainingPlan, options), options.out)
    if options.start:
        trainer.start_from(options.start)
    if options.resume:
        trainer.load()
    train(trainer, Console(stderr=True))


if __name__ == "__main__":
    main()
