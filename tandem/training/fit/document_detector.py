"""Train the document detector: `python -m tandem.training.fit.document_detector`.

The card detector passes over every other document on purpose. This one begins with its weights and learns, in
a few hundred steps, that documents of all kinds are to be found; their kind is the document classifier's. Can
be stopped and resumed at any time; writes `metrics.jsonl`, a checkpoint and the weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from torch.utils.data import DataLoader, Dataset

from tandem.media.document_kinds import KINDS, NONE, RESIDENT
from tandem.training.draw.confuser_kinds import draw_document
from tandem.training.draw.pools import Pool
from tandem.training.fit.dataset import Batch, Pools, Sample, collate, draw_sample
from tandem.training.fit.detector import Trainer, TrainingPlan, validate
from tandem.training.fit.loop import plan_of, run, run_parser
from tandem.training.scene.backdrops import draw_backdrop
from tandem.training.scene.photographs import StoredFlat

_FLAT_WIDTH = 320  # px: as wide as a thumbnail
_BACKDROP_SIZE = 448  # px, what the detector's samples cut their grounds from
#: Times as many of these as of another kind: what matters most, and what is overlooked most.
_MORE = {**dict.fromkeys(RESIDENT, 3), "bank_card": 3, "driving_licence": 2, "other_card": 2}
_CHECKS = 192  # thumbnails a validation


def document_pools(seed: int, *, documents: int, backdrops: int, pool: Pool = "train") -> Pools:
    """The detector's pools with documents of all kinds as what is to be found.

    Args:
        seed: of everything.
        documents: of each kind.
        backdrops: backgrounds.
        pool: names, places and fonts.
    """
    rng = np.random.default_rng(seed)
    flats: dict[str, list[StoredFlat]] = {}
    for kind in KINDS:
        count = documents * _MORE.get(kind, 1)
        flats[kind] = [_flat(rng, kind, pool) for _ in range(count)]
    wanted = [flat for kind in KINDS if kind != NONE for flat in flats[kind]]
    return Pools(
        faces=wanted,
        copies=[flat for flat in wanted if np.ptp(flat.image.astype(np.int16), axis=2).max() == 0] or wanted,
        confusers=flats[NONE],
        backdrops=[draw_backdrop(rng, _BACKDROP_SIZE, _BACKDROP_SIZE, pool) for _ in range(backdrops)],
    )


def _flat(rng: np.random.Generator, kind: str, pool: Pool) -> StoredFlat:
    """A document; its side only says that it is one."""
    image, alpha = draw_document(rng, kind, width_px=_FLAT_WIDTH, pool=pool)
    side = None if kind == NONE else "emblem" if kind.endswith(".emblem") else "portrait"
    return StoredFlat(image=image, alpha=alpha, side=side)


class ThumbnailDataset(Dataset[Sample]):
    """As many thumbnails as asked for; number i is the same whoever draws it, so a run can be resumed."""

    def __init__(self, pools: Pools, seed: int, first: int, count: int, side: int) -> None:
        self._pools, self._seed, self._first, self._count, self._side = pools, seed, first, count, side

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        return draw_sample(np.random.default_rng([self._seed, self._first + index]), self._pools, self._side)


def _batches(pools: Pools, plan: TrainingPlan, first_step: int) -> Iterator[Batch]:
    """The batches from a step to the plan's end: small pictures first, then full size."""
    turn = next((step for step in range(plan.steps) if plan.size_at(step) != plan.size_at(0)), plan.steps)
    for start, end in ((first_step, turn), (max(first_step, turn), plan.steps)):
        if start < end:
            dataset = ThumbnailDataset(
                pools, plan.seed, start * plan.batch, (end - start) * plan.batch, plan.size_at(start)
            )
            yield from DataLoader(
                dataset, batch_size=plan.batch, num_workers=plan.workers, collate_fn=collate
            )


def train(trainer: Trainer, console: Console) -> dict[str, float]:
    """Run the plan to its end from the trainer's step; returns the last validation."""
    plan = trainer.plan
    # Before the loader forks: OpenCV's threads do not survive that, and its next call in a child hangs.
    cv2.setNumThreads(1)
    console.print("drawing documents and backgrounds…")
    pools = document_pools(plan.seed, documents=plan.confusers, backdrops=plan.backdrops)
    unseen = document_pools(plan.seed + 1, documents=6, backdrops=60, pool="test")
    rng = np.random.default_rng(plan.seed + 2)
    checks = [draw_sample(rng, unseen) for _ in range(_CHECKS)]
    batches = _batches(pools, plan, trainer.step)
    return run(trainer, batches, lambda: validate(trainer.average, checks), console)


# Shorter than the card detector's run, since it begins with that one's weights. They know the order of a
# card's corners, not that of another document's: asked for at once, it pulls them inwards (free_share).
# `faces` is not used: a document of each kind is drawn `confusers` times.
_PLAN = TrainingPlan(
    steps=500,
    small_share=0.8,
    free_share=0.5,
    rate=1e-3,
    confusers=45,
    backdrops=160,
    workers=1,
    check_every=100,
)


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the arguments and train."""
    parser = run_parser(
        "python -m tandem.training.fit.document_detector", __doc__, _PLAN, Path("runs/document_detector")
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        default=Path("export/weights/card_detector.pt"),
        help="weights to begin with (default: %(default)s)",
    )
    options = parser.parse_args(argv)
    trainer = Trainer(plan_of(TrainingPlan, options), options.out)
    if options.resume:
        trainer.load()
    else:
        trainer.start_from(options.start)
    train(trainer, Console(stderr=True))


if __name__ == "__main__":
    main()
