"""Teach the recogniser what cards print: `python -m tandem.training.fit.recognizer`.

The published network confuses a rare character with its commoner look-alike, doesn't know 〇 at all, and has
seen few photocopies. It is trained on drawn lanes in which rare characters are as frequent as common ones
and four of ten are in poor shape. A rectified network (`tandem.training.fit.rectifying`) is also told what
the one that it was made of, its teacher, sees in the same lane. Shows a progress bar, can be stopped and
resumed, and writes `metrics.jsonl` and the averaged weights.

    python -m export.recognizer_torch import --weights runs/published.pt
    python -m tandem.training.fit.recognizer --weights runs/published.pt --out runs/gelu
    python -m tandem.training.fit.rectifying --weights runs/gelu/text_recognizer.pt --out runs/relu.pt
    python -m tandem.training.fit.recognizer --weights runs/relu.pt --teacher runs/gelu/text_recognizer.pt
    python -m export.recognizer_torch keep --weights runs/recognizer/text_recognizer.pt
    python -m export.recognizer --out model.onnx --characters characters.txt
    python -m export.recognizer_int8 calibrate --model model.onnx
    python -m export.recognizer_gate --model model.onnx

`import --tuned` starts from the weights that the repository keeps, to train them further.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rich.console import Console
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from tandem.services.id_card.text.characters import is_hanzi
from tandem.training.draw.hanzi import simplified, untaught
from tandem.training.draw.pools import Pool
from tandem.training.fit.loop import LoopTrainer, Recipe, RunPlan, plan_of, run, run_parser
from tandem.training.network.recognizer import Recognizer, load_weights, save_weights
from tandem.training.scene.text_rows import Lane, LanePrinter

_RECIPE = Recipe(
    warm_up=100, floor=0.02, weight_decay=1e-3, averaging_delay=20, averaging_own=0, average_buffers=False
)
_CHECKS = 300  # lanes of a validation
_LIKELY, _SOME = 4, 1500  # classes of a softmax: the likeliest of each time step, and random ones
_NEW_BIAS = -2.0  # of a class that was added: it starts out unlikely
# What likeness to the teacher weighs beside reading: less and less over so many steps, so much to the end.
_LIKENESS_STEPS, _LEAST_LIKENESS = 1000, 0.25


@dataclass(frozen=True, kw_only=True)
class RecognizerPlan(RunPlan):
    """How long and how to train.

    Attributes:
        known_share: in rows of random characters, the share that may be any character that the recogniser
            knows, rather than a simplified one.
    """

    steps: int = 1250
    batch: int = 16
    rate: float = 2e-4
    known_share: float = 0.08
    seed: int = 11
    workers: int = 1
    check_every: int = 250


class LaneStream(IterableDataset[Lane]):
    """Lanes without end."""

    def __init__(self, pool: Pool, hanzi: Sequence[str], seed: int) -> None:
        self._pool: Pool = pool
        self._hanzi, self._seed = hanzi, seed

    def __iter__(self) -> Iterator[Lane]:
        info = get_worker_info()
        worker = info.id if info else 0
        printer = LanePrinter(self._pool, self._hanzi, self._seed)
        rng = np.random.default_rng([self._seed, worker])
        while True:
            yield printer.draw(rng)


def widened(
    network: Recognizer, characters: Sequence[str], added: Sequence[str]
) -> tuple[Recognizer, list[str]]:
    """The network with classes for `added`, behind its own.

    Args:
        network: classes for `characters`.
        characters: one a class.
        added: characters that it lacks.
    """
    wider = Recognizer(len(characters) + len(added), published=network.published)
    state = network.state_dict()
    weight, bias = state["head.weight"], state["head.bias"]
    new = weight.mean(0, keepdim=True).repeat(len(added), 1)
    state["head.weight"] = torch.cat([weight, new])
    state["head.bias"] = torch.cat([bias, bias.mean().repeat(len(added)) + _NEW_BIAS])
    wider.load_state_dict(state)
    return wider.eval(), [*characters, *added]


class RecognizerTrainer(LoopTrainer[Sequence[Lane], RecognizerPlan]):
    """The state of one training run.

    Args:
        network: to train, all of it.
        characters: one a class.
        plan: how long.
        folder: of the run.
        teacher: a network whose body the trained one's is to resemble; None: there is none.
    """

    recipe = _RECIPE
    network: Recognizer

    def __init__(
        self,
        network: Recognizer,
        characters: Sequence[str],
        plan: RecognizerPlan,
        folder: Path,
        teacher: Recognizer | None = None,
    ) -> None:
        torch.manual_seed(plan.seed)
        self.characters = list(characters)
        self._classes = {character: index for index, character in enumerate(self.characters)}
        # The memory format that convolutions are fast in.
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._teacher = teacher
        super().__init__(network, list(network.parameters()), plan, folder)

    def losses(self, batch: Sequence[Lane]) -> dict[str, Tensor]:
        """The CTC loss of a batch of lanes, and how unlike the teacher's what the body saw is."""
        pixels = lane_pixels(np.stack([lane.pixels for lane in batch]))
        seen = _seen(self.network, pixels)
        reading = self._reading_loss(self.network.tail(seen[-1]), [lane.text for lane in batch])
        if self._teacher is None:
            return {"total": reading}
        with torch.no_grad():
            shown = _seen(self._teacher, pixels)
        unlike = torch.stack([_unlikeness(ours, his) for ours, his in zip(seen, shown, strict=True)]).sum()
        weight = max(_LEAST_LIKENESS, 1 - self.step / _LIKENESS_STEPS)
        return {"total": reading + weight * unlike, "reading": reading, "unlike": unlike}

    def _reading_loss(self, features: Tensor, written: Sequence[str]) -> Tensor:
        """The CTC loss of features (N, T, 120)."""
        texts = [[self._classes[character] for character in text] for text in written]
        lengths = torch.tensor([len(text) for text in texts])
        targets = torch.tensor([index for text in texts for index in text])
        classes = self._contenders(features.detach(), targets)
        head = self.network.head
        steps = functional.linear(features, head.weight[classes], head.bias[classes]).log_softmax(-1)
        sizes = torch.full((len(texts),), steps.shape[1])
        places = torch.searchsorted(classes, targets)
        return functional.ctc_loss(steps.transpose(0, 1), places, sizes, lengths, zero_infinity=True)

    @torch.no_grad()
    def _contenders(self, features: Tensor, targets: Tensor) -> Tensor:
        """Classes that a step's softmax runs over, ascending: the blank, what is there, what is likely, some.

        All 15,500 would take most of a step's time, and nearly all of them have no probability anywhere.
        """
        logits: Tensor = self.network.head(features)
        likely = logits.topk(_LIKELY, -1).indices.flatten()
        some = torch.randint(len(self.characters), (_SOME,))
        blank = torch.zeros(1, dtype=torch.int64)
        contenders: Tensor = torch.unique(torch.cat([blank, targets, likely, some]))
        return contenders

    @property
    def _recognizer(self) -> Recognizer:
        return cast(Recognizer, self.average)  # a copy of `network`

    @torch.no_grad()
    def read(self, lane: Lane) -> str:
        """What the averaged network reads."""
        average = self._recognizer
        seen = _seen(average, lane_pixels(lane.pixels[None]))[-1]
        best = average.head(average.tail(seen))[0].argmax(-1).tolist()
        kept = [now for before, now in zip([0, *best], best, strict=False) if now not in (0, before)]
        return "".join(self.characters[index] for index in kept).replace(" ", "")

    def validate(self, lanes: Sequence[Lane]) -> dict[str, float]:
        """Character error rate and share of lanes that are right."""
        readings = [self.read(lane) for lane in lanes]
        edits = [Levenshtein.distance(read, lane.text) for read, lane in zip(readings, lanes, strict=True)]
        characters = sum(len(lane.text) for lane in lanes)
        return {"CER": sum(edits) / characters, "right": edits.count(0) / len(edits)}

    def save_weights(self) -> None:
        """The averaged network with its characters."""
        save_weights(self._recognizer, self.characters, self.folder / "text_recognizer.pt")


def lane_pixels(lanes: NDArray[np.uint8]) -> Tensor:
    """Lanes (N, 48, W, 3) uint8 as the network takes them."""
    pixels = torch.from_numpy(lanes).permute(0, 3, 1, 2).float() * (1 / 127.5) - 1
    return pixels.contiguous(memory_format=torch.channels_last)


def _seen(network: Recognizer, pixels: Tensor) -> list[Tensor]:
    """What the body makes of pixels at its taps, computed in bfloat16: half the time."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        tapped = network.taps(pixels)
    return [tap.float().contiguous() for tap in tapped]


def _unlikeness(ours: Tensor, his: Tensor) -> Tensor:
    """The squared error of (N, C, H, W), as a share of the variance of each channel."""
    variance = (his - his.mean((0, 2, 3), keepdim=True)).square().mean()
    return (ours - his).square().mean() / variance


def taught_hanzi(characters: Sequence[str], known_share: float) -> list[str]:
    """The characters that random rows are drawn from; one that is there twice is drawn twice as often.

    Args:
        characters: all classes.
        known_share: share of the draws that may give any Chinese character, not only simplified ones.
    """
    classes = set(characters)
    common = [character for character in simplified() if character in classes]
    others = sorted(
        character for character in classes - set(common) if len(character) == 1 and is_hanzi(character)
    )
    times = max(1, round((1 - known_share) / known_share * len(others) / len(common))) if known_share else 1
    return common * times + (others if known_share else [])


def train(trainer: RecognizerTrainer, console: Console) -> None:
    """Run the plan to its end from the trainer's step."""
    cv2.setNumThreads(1)  # workers are forked: a child can't use the parent's pool of threads
    plan = trainer.plan
    hanzi = taught_hanzi(trainer.characters, plan.known_share)
    unseen = LanePrinter("test", hanzi, plan.seed + 1)
    rng = np.random.default_rng(plan.seed + 2)
    checks = [unseen.draw(rng) for _ in range(_CHECKS)]
    stream = LaneStream("train", hanzi, plan.seed + 1000 * (trainer.step + 1))
    loader = DataLoader(
        stream,
        batch_size=plan.batch,
        num_workers=plan.workers,
        collate_fn=list,
        prefetch_factor=4 if plan.workers else None,
    )
    if trainer.step == 0:
        console.print({"step": 0, **trainer.validate(checks)})
    run(trainer, loader, lambda: trainer.validate(checks), console)


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the arguments and train."""
    parser = run_parser(
        "python -m tandem.training.fit.recognizer", __doc__, RecognizerPlan(), Path("runs/recognizer")
    )
    parser.add_argument(
        "--weights",
        type=Path,
        required=True,
        help="what to start from: `python -m export.recognizer_torch import` makes it",
    )
    parser.add_argument("--teacher", type=Path, help="the network that a rectified one is to resemble")
    options = parser.parse_args(argv)
    known, characters = load_weights(options.weights)
    network, characters = widened(known, characters, untaught(characters))
    teacher = load_weights(options.teacher)[0].requires_grad_(False) if options.teacher else None
    plan = plan_of(RecognizerPlan, options)
    trainer = RecognizerTrainer(network, characters, plan, options.out, teacher)
    if options.resume:
        trainer.load()
    train(trainer, Console(stderr=True))


if __name__ == "__main__":
    main()
