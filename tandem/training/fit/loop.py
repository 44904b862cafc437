"""The training loop that every network shares: steps, averaged weights, checkpoints, progress.

A network's own trainer says what a step's loss is, what is trained, and how the average is judged and stored.
A run can be stopped at any time and goes on from its folder's checkpoint.
"""

from __future__ import annotations

import argparse
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Generic, TypeVar

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
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from tandem.training.fit.schedule import warmed_cosine
from tandem.training.network.stages import take_over

GRADIENT_NORM = 5.0  # gradients are shortened to this
_CHECKPOINT, _METRICS = "checkpoint.pt", "metrics.jsonl"

Batch = TypeVar("Batch")
Metrics = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """How long and how fast to train.

    Attributes:
        steps: optimiser steps in all.
        batch: examples a step.
        rate: peak learning rate.
        seed: of everything that is drawn.
        workers: processes that draw examples.
        check_every: steps between validations and checkpoints.
    """

    steps: int
    batch: int
    rate: float
    seed: int
    workers: int
    check_every: int

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.check_every < 1:
            raise ValueError("steps, batch and check_every must be at least 1")


Plan = TypeVar("Plan", bound=RunPlan)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What differs from network to network in how it is optimised.

    Attributes:
        warm_up: steps in which the learning rate rises.
        floor: share of the peak learning rate that is left at the end.
        weight_decay: of AdamW.
        averaging_delay: the average forgets its first steps faster the smaller this is: after n steps the
            past weighs `(n + own) / (n + averaging_delay)` at most.
        averaging_own: see above.
        average_buffers: average buffers too (batch normalisation's statistics), instead of copying them.
        averaged: weight of the past in the averaged weights that are kept, once there is enough past.
    """

    warm_up: int
    floor: float
    weight_decay: float
    averaging_delay: int
    averaging_own: int
    average_buffers: bool
    averaged: float = 0.998  # about the last 500 steps


class LoopTrainer(ABC, Generic[Batch, Plan]):
    """The state of one training run.

    Attributes:
        plan: how long to train.
        folder: where checkpoint, metrics and weights go.
        network: as it is being trained.
        step: steps that have been made.
    """

    recipe: Recipe

    def __init__(self, network: nn.Module, trained: Sequence[nn.Parameter], plan: Plan, folder: Path) -> None:
        """A run at its beginning; nothing is drawn or written yet.

        Args:
            network: to train.
            trained: its parameters that the optimiser may change.
            plan: how long.
            folder: must exist when something is saved.
        """
        self.plan, self.folder, self.network, self.step = plan, folder, network, 0
        self._trained = list(trained)
        self.optimiser = torch.optim.AdamW(self._trained, lr=plan.rate, weight_decay=self.recipe.weight_decay)
        self._schedule = LambdaLR(self.optimiser, self.share_of_rate)
        self._averaged = AveragedModel(
            network, multi_avg_fn=self._average, use_buffers=self.recipe.average_buffers
        ).eval()
        # 0 would make the first step's weights the average; the network's own beginning counts as well.
        self._averaged.n_averaged.fill_(1)

    @property
    def average(self) -> nn.Module:
        """The network with averaged weights, in evaluation mode: what is judged and kept."""
        return self._averaged.module

    @abstractmethod
    def losses(self, batch: Batch) -> Mapping[str, Tensor]:
        """The terms of a batch's loss; `total` is what is minimised."""

    @abstractmethod
    def save_weights(self) -> None:
        """Write the averaged weights into the folder, as the export reads them."""

    def share_of_rate(self, step: int) -> float:
        """Share of the peak learning rate at a step."""
        recipe = self.recipe
        return warmed_cosine(step, steps=self.plan.steps, warm_up=recipe.warm_up, floor=recipe.floor)

    def train_step(self, batch: Batch) -> Metrics:
        """One optimiser step; the loss's terms."""
        losses = self.losses(batch)
        self.optimiser.zero_grad(set_to_none=True)
        losses["total"].backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._trained, GRADIENT_NORM)
        self.optimiser.step()
        self._schedule.step()
        self._averaged.update_parameters(self.network)
        self.step += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    def _average(self, means: Sequence[Tensor], now: Sequence[Tensor], steps: Tensor | int) -> None:
        """Moves averaged tensors towards the current ones; what is counted in whole numbers is copied."""
        made, recipe = int(steps), self.recipe
        past = min(recipe.averaged, (made + recipe.averaging_own) / (made + recipe.averaging_delay))
        for mean, current in zip(means, now, strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(current, 1 - past)
            else:
                mean.copy_(current)

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
        scratch.replace(self.folder / _CHECKPOINT)  # never half a file, however it is interrupted
        self.save_weights()

    def start_from(self, weights: Path) -> int:
        """Begin with the tensors that another network shares with ours; how many those are."""
        state = torch.load(weights, weights_only=True)
        return min(take_over(network, state) for network in (self.network, self.average))

    def load(self) -> None:
        """Go on from the folder's checkpoint."""
        state = torch.load(self.folder / _CHECKPOINT, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])
        self._averaged.n_averaged.fill_(self.step + 1)
        # A checkpoint holds no schedule: the step says all of it.
        self._schedule.last_epoch = self.step
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate * self.share_of_rate(self.step)


def save_half(network: nn.Module, path: Path) -> None:
    """Write a network's weights in half precision: half the bytes, and nothing that its answers show."""
    weights = {
        name: value.half() if value.dtype.is_floating_point else value
        for name, value in network.state_dict().items()
    }
    torch.save(weights, path)


def run(
    trainer: LoopTrainer[Batch, Plan],
    batches: Iterable[Batch],
    validate: Callable[[], Metrics],
    console: Console,
) -> Metrics:
    """Train to the plan's end; returns the last metrics.

    Args:
        trainer: at any step.
        batches: from the trainer's step on.
        validate: gives the averaged network's metrics; called every `check_every` steps and at the end.
        console: gets a progress bar and the metrics.
    """
    plan, metrics = trainer.plan, {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress, (trainer.folder / _METRICS).open("a") as log:
        task = progress.add_task("training", total=plan.steps, completed=trainer.step)
        sums: Metrics = {}
        since, started = trainer.step, time.monotonic()
        for batch in batches:
            for name, value in trainer.train_step(batch).items():
                sums[name] = sums.get(name, 0.0) + value
            mean = sums["total"] / (trainer.step - since)
            progress.update(task, completed=trainer.step, description=f"loss {mean:.3f}")
            if trainer.step % plan.check_every == 0 or trainer.step >= plan.steps:
                metrics = {name: total / (trainer.step - since) for name, total in sums.items()}
                metrics |= {"step": trainer.step, "seconds": time.monotonic() - started, **validate()}
                log.write(json.dumps(metrics) + "\n")
                log.flush()
                console.print({name: round(value, 4) for name, value in metrics.items()})
                trainer.save()
                sums, since = {}, trainer.step
            if trainer.step >= plan.steps:
                break
    return metrics


def run_parser(program: str, description: str | None, plan: RunPlan, folder: Path) -> argparse.ArgumentParser:
    """The arguments that every training has: one for each of the plan's fields, and where the run lies.

    Args:
        program: how it is called.
        description: what it does.
        plan: gives the defaults.
        folder: default of the run's folder.
    """
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--out", type=Path, default=folder, help="folder of the run (default: %(default)s)")
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    parser.add_argument("--threads", type=int, help="threads of the network (default: all cores)")
    for name, value in asdict(plan).items():
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=type(value), default=value, help="default: %(default)s")
    return parser


def plan_of(kind: type[Plan], options: argparse.Namespace) -> Plan:
    """The plan that was asked for; the threads and the run's folder are set up on the way."""
    if options.threads:
        torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    return kind(**{field.name: getattr(options, field.name) for field in fields(kind)})
