"""Train the document classifier: `python -m tandem.training.fit.document_classifier`.

Draws its own documents, shows a progress bar, can be stopped and resumed at any time, and writes
`metrics.jsonl`, a checkpoint and the weights. Begins with the card detector's first stages.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from tandem.media.document_kinds import KINDS, RESIDENT
from tandem.training.fit.document_views import ViewDataset, draw_pools, draw_view
from tandem.training.fit.schedule import warmed_cosine
from tandem.training.network.document_classifier import DocumentClassifier, normalise

_EMA = 0.99  # weight of the past in the averaged weights that are kept: about the last 100 steps
_WARMUP = 60  # steps
_SMOOTHING = 0.02  # of the labels: drawn documents are no reason to be certain
_GRAD_NORM = 5.0


@dataclass(frozen=True, kw_only=True)
class ClassifierPlan:
    """How long and how to train.

    Attributes:
        steps: optimiser steps in all.
        batch: views a step.
        rate: peak learning rate; warm-up, then a cosine down to 1 %.
        seed: of everything that is drawn.
        documents: drawn documents of a kind.
        backdrops: drawn backgrounds.
        checks: views a validation.
        check_every: steps between validations and checkpoints.
        workers: processes that draw views.
    """

    steps: int = 1000
    batch: int = 32
    rate: float = 2e-3
    seed: int = 1
    documents: int = 170
    backdrops: int = 250
    checks: int = 640
    check_every: int = 200
    workers: int = 1

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.documents, self.backdrops, self.checks, self.check_every) < 1:
            raise ValueError("steps, batch, documents, backdrops, checks and check_every must be at least 1")

    def rate_at(self, step: int) -> float:
        """Learning rate at a step."""
        return self.rate * warmed_cosine(step, steps=self.steps, warm_up=_WARMUP, floor=0.01)


def logits_of(network: DocumentClassifier, views: Tensor) -> Tensor:
    """Logits of uint8 views, bfloat16 inside (half the time on CPUs that have it)."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits: Tensor = network(normalise(views).contiguous(memory_format=torch.channels_last))
    return logits.float()


@torch.no_grad()
def validate(
    network: DocumentClassifier, views: NDArray[np.uint8], kinds: NDArray[np.int64]
) -> dict[str, float]:
    """Accuracy, and how often other documents are taken for resident cards and the other way round.

    Args:
        network: in evaluation mode.
        views: (n, 160, 256, 3) uint8.
        kinds: (n,) indices of their kinds.
    """
    guessed = np.concatenate(
        [
            logits_of(network, torch.from_numpy(views[i : i + 64])).argmax(1).numpy()
            for i in range(0, len(views), 64)
        ]
    )
    resident = np.array([kind in RESIDENT for kind in KINDS])
    is_resident, said = resident[kinds], resident[guessed]
    return {
        "accuracy": float((guessed == kinds).mean()),
        "taken_for_resident": float(said[~is_resident].mean()),
        "resident_refused": float(1 - said[is_resident].mean()),
    }


class ClassifierTrainer:
    """The state of one training run; `save` and `load` make it resumable."""

    def __init__(self, plan: ClassifierPlan, folder: Path) -> None:
        """Start from random weights; nothing is drawn or written yet."""
        torch.manual_seed(plan.seed)
        self.plan, self.folder, self.step = plan, folder, 0
        network = DocumentClassifier()
        self.network: DocumentClassifier = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval()
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=plan.rate, weight_decay=1e-3)

    def train_step(self, views: Tensor, kinds: Tensor) -> float:
        """One optimiser step; its loss."""
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        loss = torch.nn.functional.cross_entropy(
            logits_of(self.network, views), kinds, label_smoothing=_SMOOTHING
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _GRAD_NORM)
        self.optimiser.step()
        self.step += 1
        self._update_average()
        return float(loss.detach())

    @torch.no_grad()
    def _update_average(self) -> None:
        keep = min(_EMA, (1 + self.step) / (10 + self.step))
        pairs = zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True)
        for mean, now in pairs:
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def start_from(self, weights: Path) -> int:
        """Begin with the tensors that another network shares with ours; how many those are."""
        state = torch.load(weights, weights_only=True)
        return min(network.start_from(state) for network in (self.network, self.average))

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
        weights = {
            name: value.half() if value.dtype.is_floating_point else value
            for name, value in self.average.state_dict().items()
        }
        torch.save(weights, self.folder / "document_classifier.pt")

    def load(self) -> None:
        """Go on from the folder's checkpoint."""
        state = torch.load(self.folder / "checkpoint.pt", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])


def _batches(dataset: ViewDataset, plan: ClassifierPlan, first_step: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches from a step to the plan's end."""
    rest = Subset(dataset, range(first_step * plan.batch, plan.steps * plan.batch))
    yield from DataLoader(rest, batch_size=plan.batch, num_workers=plan.workers)


def train(trainer: ClassifierTrainer, console: Console) -> dict[str, float]:
    """Run the plan to its end from the trainer's step; returns the last validation."""
    plan = trainer.plan
    # Before the loader forks: OpenCV's threads do not survive that, and its next call in a child hangs.
    cv2.setNumThreads(1)
    console.print("drawing documents and backgrounds…")
    pools = draw_pools(plan.seed, documents=plan.documents, backdrops=plan.backdrops)
    unseen = draw_pools(plan.seed + 1, documents=max(plan.documents // 8, 2), backdrops=60, pool="test")
    rng = np.random.default_rng(plan.seed + 2)
    views, kinds = zip(*(draw_view(rng, unseen) for _ in range(plan.checks)), strict=True)
    checks = np.stack(views), np.array(kinds)
    dataset = ViewDataset(pools, plan.seed, plan.steps * plan.batch)
    metrics: dict[str, float] = {}
    losses: list[float] = []
    started = time.monotonic()
    batches = track(
        _batches(dataset, plan, trainer.step),
        description="training",
        total=plan.steps,
        completed=trainer.step,
        console=console,
    )
    with (trainer.folder / "metrics.jsonl").open("a") as log:
        for batch in batches:
            losses.append(trainer.train_step(*batch))
            if trainer.step % plan.check_every and trainer.step != plan.steps:
                continue
            metrics = {
                "step": trainer.step,
                "loss": float(np.mean(losses)),
                "seconds": time.monotonic() - started,
            }
            metrics |= validate(trainer.average, *checks)
            log.write(json.dumps(metrics) + "\n")
            log.flush()
            console.print({name: round(value, 4) for name, value in metrics.items()})
            trainer.save()
            losses = []
    return metrics


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the arguments and train."""
    parser = argparse.ArgumentParser(
        prog="python -m tandem.training.fit.document_classifier", description=__doc__
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/document_classifier"), help="default: %(default)s"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    parser.add_argument("--threads", type=int, default=1, help="of the network (default: %(default)s)")
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        default=Path("export/weights/card_detector.pt"),
        help="weights whose first stages to begin with (default: %(default)s)",
    )
    for name, value in asdict(ClassifierPlan()).items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(value), default=value, help="default: %(default)s"
        )
    options = vars(parser.parse_args(argv))
    folder, resume, start = options.pop("out"), options.pop("resume"), options.pop("start")
    torch.set_num_threads(options.pop("threads"))
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    trainer = ClassifierTrainer(ClassifierPlan(**options), folder)
    if resume:
        trainer.load()
    else:
        console.print(f"{trainer.start_from(start)} tensors taken over from {start}")
    train(trainer, console)


if __name__ == "__main__":
    main()
