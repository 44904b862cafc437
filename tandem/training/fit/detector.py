"""Train the card detector: `python -m tandem.training.fit.detector`.

Draws its own pictures, shows a progress bar, can be stopped and resumed at any time, and writes
`metrics.jsonl`, a checkpoint and, at the end, the weights. On two CPU cores the committed weights took
about an hour.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import Tensor
from torch.utils.data import DataLoader

from tandem.training.fit.dataset import Batch, Pools, Sample, SampleStream, build_pools, collate, draw_sample
from tandem.training.fit.losses import Targets, detection_loss
from tandem.training.fit.schedule import warmed_cosine
from tandem.training.network.decode_maps import decode_maps
from tandem.training.network.detector import INPUT_SIZE, CardDetector, Prediction, normalise
from tandem.training.score import corner_error, match_cards

_EMA = 0.998  # weight of the past in the averaged weights that are kept: about the last 500 steps
_GRAD_NORM = 5.0
_WARMUP = 200  # steps


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """How long and how to train.

    Attributes:
        steps: optimiser steps in all.
        batch: pictures a step.
        small_share: share of the steps that run on pictures of `small_size` instead of 320 px; they cost
            less than half.
        free_share: share of the steps in which the network may name the corners in any cyclic order.
        small_size: side in pixels, a multiple of 32.
        rate: peak learning rate; warm-up, then a cosine down to 1 %.
        seed: of everything that is drawn.
        faces, confusers, backdrops: sizes of the pools.
        workers: processes that draw pictures.
        check_every: steps between validations and checkpoints.
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
        if self.steps < 1 or self.batch < 1 or self.check_every < 1:
            raise ValueError("steps, batch and check_every must be at least 1")
        if self.small_size % 32 or not (0 <= self.small_share <= 1 and 0 <= self.free_share <= 1):
            raise ValueError("small_size must be a multiple of 32 and the shares between 0 and 1")

    def size_at(self, step: int) -> int:
        """Side of the pictures at a step."""
        return self.small_size if step < self.steps * self.small_share else INPUT_SIZE

    def ordered_at(self, step: int) -> bool:
        """Whether the corners must come in the card's own order at a step.

        Not at once: before orientation is learnt, that pulls them to the card's centre. Not never: the
        network's own order has to jump somewhere as a card turns, and there the corners come out mixed.
        """
        return step >= self.steps * self.free_share

    def rate_at(self, step: int) -> float:
        """Learning rate at a step."""
        return self.rate * warmed_cosine(step, steps=self.steps, warm_up=_WARMUP, floor=0.01)


def predict(network: CardDetector, pictures: Tensor) -> Prediction:
    """Maps of uint8 pictures, bfloat16 inside (half the time on CPUs that have it)."""
    inputs = normalise(pictures).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        maps = network(inputs)
    return Prediction(*(channel.float() for channel in maps))


@torch.no_grad()
def validate(network: CardDetector, samples: Sequence[Sample], threshold: float = 0.5) -> dict[str, float]:
    """Recall, side and orientation accuracy, corner error and false positives over samples at full size."""
    network.eval()
    cards = found_cards = sides = upright = spare = 0
    errors: list[float] = []
    for start in range(0, len(samples), 16):
        part = samples[start : start + 16]
        pictures = torch.from_numpy(np.stack([sample.thumbnail for sample in part]))
        quads, scores, emblem = (value.numpy() for value in decode_maps(predict(network, pictures)))
        for index, sample in enumerate(part):
            kept = scores[index] > threshold
            found, found_emblem = quads[index][kept], emblem[index][kept]
            matches, extra = match_cards(list(sample.quads[: sample.count]), list(found))
            cards += len(matches)
            spare += len(extra)
            for match in matches:
                if match.found is None:
                    continue
                found_cards += 1
                error = corner_error(found[match.found], sample.quads[match.true])
                upright += error < 0.25  # a quarter turn moves the corners by more than half the width
                errors.append(error)
                sides += (found_emblem[match.found] > 0.5) == (sample.emblem[match.true] > 0.5)
    return {
        "recall": found_cards / max(cards, 1),
        "side": sides / max(found_cards, 1),
        "orientation": upright / max(found_cards, 1),
        "corner_median": float(np.median(errors)) if errors else math.nan,
        "corner_p95": float(np.quantile(errors, 0.95)) if errors else math.nan,
        "false_per_picture": spare / max(len(samples), 1),
    }


class Trainer:
    """The state of one training run; `save` and `load` make it resumable."""

    def __init__(self, plan: TrainingPlan, folder: Path) -> None:
        """Start from random weights; nothing is drawn or written yet."""
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.folder = folder
        self.network = CardDetector().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval()
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=plan.rate, weight_decay=1e-4)
        self.step = 0

    def train_step(self, batch: Batch) -> dict[str, float]:
        """One optimiser step; the loss's terms."""
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        pictures, quads, emblem, cards = batch
        losses = detection_loss(
            predict(self.network, pictures),
            Targets(quads, emblem, cards),
            ordered=self.plan.ordered_at(self.step),
        )
        self.optimiser.zero_grad(set_to_none=True)
        losses["total"].backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _GRAD_NORM)
        self.optimiser.step()
        self.step += 1
        self._update_average()
        return {name: float(value.detach()) for name, value in losses.items()}

    @torch.no_grad()
    def _update_average(self) -> None:
        keep = min(_EMA, (1 + self.step) / (10 + self.step))
        for mean, now in zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def save(self) -> None:
        """Write the checkpoint and the averaged weights."""
        state = {
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        scratch = self.folder / "checkpoint.new"
        torch.save(state, scratch)
        scratch.replace(self.folder / "checkpoint.pt")  # never half a file, however it is interrupted
        # Half the size in the repository; the exported model is made from these, so nothing differs later.
        weights = {
            name: value.half() if value.dtype.is_floating_point else value
            for name, value in self.average.state_dict().items()
        }
        torch.save(weights, self.folder / "detector.pt")

    def start_from(self, weights: Path) -> None:
        """Begin with the weights of an earlier run."""
        state = torch.load(weights, weights_only=True)
        for network in (self.network, self.average):
            network.load_state_dict(state)

    def load(self) -> None:
        """Go on from the folder's checkpoint."""
        state = torch.load(self.folder / "checkpoint.pt", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])


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
    metrics: dict[str, float] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress, (trainer.folder / "metrics.jsonl").open("a") as log:
        task = progress.add_task("training", total=plan.steps, completed=trainer.step)
        sums: dict[str, float] = {}
        since, started = trainer.step, time.monotonic()
        for batch in _batches(pools, plan, trainer.step):
            for name, value in trainer.train_step(batch).items():
                sums[name] = sums.get(name, 0.0) + value
            progress.update(
                task, completed=trainer.step, description=f"loss {sums['total'] / (trainer.step - since):.3f}"
            )
            if trainer.step % plan.check_every == 0 or trainer.step == plan.steps:
                metrics = {name: total / (trainer.step - since) for name, total in sums.items()}
                metrics |= {"step": trainer.step, "seconds": time.monotonic() - started}
                metrics |= validate(trainer.average, checks)
                log.write(json.dumps(metrics) + "\n")
                log.flush()
                console.print({name: round(value, 4) for name, value in metrics.items()})
                trainer.save()
                sums, since = {}, trainer.step
    return metrics


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the arguments and train."""
    parser = argparse.ArgumentParser(prog="python -m tandem.training.fit.detector", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("runs/detector"), help="folder of the run (default: %(default)s)"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    parser.add_argument(
        "--threads", type=int, default=None, help="threads of the network (default: all cores)"
    )
    for name, value in asdict(TrainingPlan()).items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(value), default=value, help="default: %(default)s"
        )
    parser.add_argument(
        "--start", type=Path, metavar="FILE", help="weights to begin with (default: random ones)"
    )
    options = vars(parser.parse_args(argv))
    folder, resume, threads = options.pop("out"), options.pop("resume"), options.pop("threads")
    start = options.pop("start")
    if threads:
        torch.set_num_threads(threads)
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(TrainingPlan(**options), folder)
    if start:
        trainer.start_from(start)
    if resume:
        trainer.load()
    train(trainer, Console(stderr=True))


if __name__ == "__main__":
    main()
