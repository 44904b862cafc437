"""Teach the published recogniser what cards print: `python -m tandem.training.fit.recognizer`.

The published network confuses a rare character with its commoner look-alike and doesn't know 〇 at all. Its
convolutional body sees the difference; what follows (the light transformer and the last layer) was taught
with commoner text. So the body stays as it is, and the rest is trained on drawn lanes in which rare
characters are as frequent as common ones. Shows a progress bar, can be stopped and resumed, and writes
`metrics.jsonl` and the averaged weights.

    python -m export.recognizer_torch import --weights runs/published.pt
    python -m tandem.training.fit.recognizer --weights runs/published.pt
    python -m export.recognizer_torch tail --weights runs/recognizer/text_recognizer.pt
    python -m export.recognizer --out model.onnx --characters characters.txt
    python -m export.recognizer_int8 calibrate --model model.onnx
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
from rapidfuzz.distance import Levenshtein
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from tandem.services.id_card.text.characters import is_hanzi
from tandem.training.draw.hanzi import simplified, untaught
from tandem.training.draw.pools import Pool
from tandem.training.fit.schedule import warmed_cosine
from tandem.training.network.recognizer import Recognizer, load_weights, save_weights
from tandem.training.scene.text_rows import Lane, LanePrinter

_EMA = 0.998
_GRAD_NORM = 5.0
_WARMUP = 100  # steps
_CHECKS = 300  # lanes of a validation
_LIKELY, _SOME = 4, 1500  # classes of a softmax: the likeliest of each time step, and some by chance
_NEW_BIAS = -2.0  # of a class that was added: it starts out unlikely


@dataclass(frozen=True, kw_only=True)
class RecognizerPlan:
    """How long and how to train.

    Attributes:
        steps: optimiser steps in all.
        batch: lanes a step.
        rate: peak learning rate; warm-up, then a cosine down to 2 %.
        known_share: of the hanzi in rows of chance, how many are of any that the recogniser knew.
        seed: of everything that is drawn.
        workers: processes that draw lanes.
        check_every: steps between validations and checkpoints.
    """

    steps: int = 2000
    batch: int = 16
    rate: float = 8e-4
    known_share: float = 0.08
    seed: int = 11
    workers: int = 1
    check_every: int = 250

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.check_every < 1:
            raise ValueError("steps, batch and check_every must be at least 1")

    def rate_at(self, step: int) -> float:
        """Learning rate at a step."""
        return self.rate * warmed_cosine(step, steps=self.steps, warm_up=_WARMUP, floor=0.02)


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
    wider = Recognizer(len(characters) + len(added))
    state = network.state_dict()
    weight, bias = state["head.weight"], state["head.bias"]
    new = weight.mean(0, keepdim=True).repeat(len(added), 1)
    state["head.weight"] = torch.cat([weight, new])
    state["head.bias"] = torch.cat([bias, bias.mean().repeat(len(added)) + _NEW_BIAS])
    wider.load_state_dict(state)
    return wider.eval(), [*characters, *added]


def tail_modules(network: Recognizer) -> list[nn.Module]:
    """The layers that are trained: all behind the convolutional body."""
    return [network.reduce, network.local, network.mixers, network.norm, network.skip, network.head]


class RecognizerTrainer:
    """The state of a run: network, optimiser, averaged weights, step."""

    def __init__(self, network: Recognizer, characters: Sequence[str], plan: RecognizerPlan, folder: Path):
        torch.manual_seed(plan.seed)
        self.plan, self.folder = plan, folder
        self.characters = list(characters)
        self.network = network
        self.average = copy.deepcopy(network).eval()
        self.step = 0
        for parameter in network.parameters():
            parameter.requires_grad = False
        self._trained = [p for module in tail_modules(network) for p in module.parameters()]
        for parameter in self._trained:
            parameter.requires_grad = True
        self.optimiser = torch.optim.AdamW(self._trained, lr=plan.rate, weight_decay=1e-3)
        self._classes = {character: index for index, character in enumerate(self.characters)}

    def train_step(self, lanes: Sequence[Lane]) -> float:
        """One step; returns the loss."""
        features = self.network.tail(self.seen(np.stack([lane.pixels for lane in lanes])))
        texts = [[self._classes[character] for character in lane.text] for lane in lanes]
        lengths = torch.tensor([len(text) for text in texts])
        targets = torch.tensor([index for text in texts for index in text])
        classes = self._contenders(features.detach(), targets)
        head = self.network.head
        steps = functional.linear(features, head.weight[classes], head.bias[classes]).log_softmax(-1)
        sizes = torch.full((len(lanes),), steps.shape[1])
        places = torch.searchsorted(classes, targets)
        loss = functional.ctc_loss(steps.transpose(0, 1), places, sizes, lengths, zero_infinity=True)
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._trained, _GRAD_NORM)
        self.optimiser.step()
        self.step += 1
        past = min(_EMA, self.step / (self.step + 20))
        with torch.no_grad():
            kept = [p for module in tail_modules(self.average) for p in module.parameters()]
            for mean, now in zip(kept, self._trained, strict=True):
                mean.lerp_(now, 1 - past)
        return loss.item()

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

    @torch.no_grad()
    def seen(self, lanes: NDArray[np.uint8]) -> Tensor:
        """What the body, which is not trained, makes of lanes (N, 48, W, 3) uint8."""
        pixels = torch.from_numpy(lanes).permute(0, 3, 1, 2).float() * (1 / 127.5) - 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            body: Tensor = self.network.body(pixels.contiguous(memory_format=torch.channels_last))
        seen: Tensor = body.float().contiguous()
        return seen

    @torch.no_grad()
    def read(self, lane: Lane) -> str:
        """What the averaged network reads."""
        features = self.average.tail(self.seen(lane.pixels[None]))
        best = self.average.head(features)[0].argmax(-1).tolist()
        kept = [now for before, now in zip([0, *best], best, strict=False) if now not in (0, before)]
        return "".join(self.characters[index] for index in kept).replace(" ", "")

    def validate(self, lanes: Sequence[Lane]) -> dict[str, float]:
        """Character error rate and share of lanes that are right."""
        readings = [self.read(lane) for lane in lanes]
        edits = [Levenshtein.distance(read, lane.text) for read, lane in zip(readings, lanes, strict=True)]
        characters = sum(len(lane.text) for lane in lanes)
        return {"CER": sum(edits) / characters, "right": edits.count(0) / len(edits)}

    def save(self) -> None:
        """Write the checkpoint and the averaged weights."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        torch.save(state, self.folder / "checkpoint.pt")
        save_weights(self.average, self.characters, self.folder / "text_recognizer.pt")

    def load(self) -> None:
        """Go on from the checkpoint."""
        state = torch.load(self.folder / "checkpoint.pt", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]


def taught_hanzi(characters: Sequence[str], known_share: float) -> list[str]:
    """Hanzi to draw rows of chance from, each with its weight by repetition.

    Args:
        characters: all classes.
        known_share: of draws that take any hanzi among them rather than a simplified one.
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
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress, (trainer.folder / "metrics.jsonl").open("a") as log:
        if trainer.step == 0:
            console.print({"step": 0, **trainer.validate(checks)})
        task = progress.add_task("training", total=plan.steps, completed=trainer.step)
        losses: list[float] = []
        started = time.monotonic()
        for lanes in loader:
            losses.append(trainer.train_step(lanes))
            progress.update(task, completed=trainer.step, description=f"loss {np.mean(losses[-50:]):.3f}")
            if trainer.step % plan.check_every == 0 or trainer.step >= plan.steps:
                metrics = {"step": trainer.step, "seconds": time.monotonic() - started}
                metrics |= {"loss": float(np.mean(losses)), **trainer.validate(checks)}
                losses = []
                log.write(json.dumps(metrics) + "\n")
                log.flush()
                console.print({name: round(value, 4) for name, value in metrics.items()})
                trainer.save()
            if trainer.step >= plan.steps:
                break


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the arguments and train."""
    parser = argparse.ArgumentParser(prog="python -m tandem.training.fit.recognizer", description=__doc__)
    parser.add_argument(
        "--weights",
        type=Path,
        required=True,
        help="what to start from: `python -m export.recognizer_torch import` makes it",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/recognizer"), help="folder of the run (default: %(default)s)"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    parser.add_argument("--threads", type=int, default=None, help="threads of the network")
    for name, value in asdict(RecognizerPlan()).items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(value), default=value, help="default: %(default)s"
        )
    options = vars(parser.parse_args(argv))
    folder, resume, threads = options.pop("out"), options.pop("resume"), options.pop("threads")
    published, characters = load_weights(options.pop("weights"))
    if threads:
        torch.set_num_threads(threads)
    folder.mkdir(parents=True, exist_ok=True)
    network, characters = widened(published, characters, untaught(characters))
    trainer = RecognizerTrainer(network, characters, RecognizerPlan(**options), folder)
    if resume:
        trainer.load()
    train(trainer, Console(stderr=True))


if __name__ == "__main__":
    main()
