"""Train the document classifier: `python -m tandem.training.fit.document_classifier`.

Draws its own documents, shows a progress bar, can be stopped and resumed at any time, and writes
`metrics.jsonl`, a checkpoint and the weights. Begins with the card detector's first stages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from tandem.media.document_kinds import KINDS, RESIDENT
from tandem.training.fit.document_views import ViewDataset, draw_pools, draw_view
from tandem.training.fit.loop import LoopTrainer, Recipe, RunPlan, plan_of, run, run_parser, save_half
from tandem.training.network.document_classifier import DocumentClassifier
from tandem.training.network.stages import normalise

_SMOOTHING = 0.02  # of the labels: drawn documents are no reason to be certain
_RECIPE = Recipe(
    warm_up=60,
    floor=0.01,
    weight_decay=1e-3,
    averaging_delay=10,
    averaging_own=1,
    average_buffers=True,
    averaged=0.99,  # about the last 100 steps: a run is short
)

Batch = tuple[Tensor, Tensor]  # uint8 views and the indices of their kinds


@dataclass(frozen=True, kw_only=True)
class ClassifierPlan(RunPlan):
    """How long and how to train.

    Attributes:
        documents: drawn documents of a kind.
        backdrops: drawn backgrounds.
        checks: views a validation.
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
        super().__post_init__()
        if min(self.documents, self.backdrops, self.checks) < 1:
            raise ValueError("documents, backdrops and checks must be at least 1")


def logits_of(network: nn.Module, views: Tensor) -> Tensor:
    """Logits of uint8 views, bfloat16 inside (half the time on CPUs that have it)."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits: Tensor = network(normalise(views).contiguous(memory_format=torch.channels_last))
    return logits.float()


@torch.no_grad()
def validate(network: nn.Module, views: NDArray[np.uint8], kinds: NDArray[np.int64]) -> dict[str, float]:
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


class ClassifierTrainer(LoopTrainer[Batch, ClassifierPlan]):
    """The state of one training run; `save` and `load` make it resumable."""

    recipe = _RECIPE

    def __init__(self, plan: ClassifierPlan, folder: Path) -> None:
        """Start from random weights; nothing is drawn or written yet."""
        torch.manual_seed(plan.seed)
        network = DocumentClassifier().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__(network, list(network.parameters()), plan, folder)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross entropy of the kinds."""
        self.network.train()
        views, kinds = batch
        logits = logits_of(self.network, views)
        return {"total": nn.functional.cross_entropy(logits, kinds, label_smoothing=_SMOOTHING)}

    def save_weights(self) -> None:
        """The averaged network in half precision, as the exported model is made from it."""
        save_half(self.average, self.folder / "document_classifier.pt")


def _batches(dataset: ViewDataset, plan: ClassifierPlan, first_step: int) -> Iterator[Batch]:
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
    batches = _batches(dataset, plan, trainer.step)
    return run(trainer, batches, lambda: validate(trainer.average, *checks), console)


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the arguments and train."""
    parser = run_parser(
        "python -m tandem.training.fit.document_classifier",
        __doc__,
        ClassifierPlan(),
        Path("runs/document_classifier"),
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        default=Path("export/weights/card_detector.pt"),
        help="weights whose first stages to begin with (default: %(default)s)",
    )
    options = parser.parse_args(argv)
    trainer = ClassifierTrainer(plan_of(ClassifierPlan, options), options.out)
    console = Console(stderr=True)
    if options.resume:
        trainer.load()
    else:
        console.print(f"{trainer.start_from(options.start)} tensors taken over from {options.start}")
    train(trainer, console)


if __name__ == "__main__":
    main()
