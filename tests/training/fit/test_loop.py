"""The training loop: weights, averages, and a run that goes on as if it had not stopped."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra 'training')")

from rich.console import Console  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from tandem.training.fit.loop import LoopTrainer, Recipe, RunPlan, run  # noqa: E402
from tandem.training.fit.schedule import warmed_cosine  # noqa: E402

STEPS = 12
RECIPE = Recipe(
    warm_up=3,
    floor=0.1,
    weight_decay=1e-2,
    averaging_delay=10,
    averaging_own=1,
    average_buffers=True,
    averaged=0.5,  # reached within the few steps of the test
)


@dataclass(frozen=True, kw_only=True)
class Plan(RunPlan):
    """A short run."""

    steps: int = STEPS
    batch: int = 4
    rate: float = 0.05
    seed: int = 3
    workers: int = 0
    check_every: int = 5


class Squares(LoopTrainer[Tensor, Plan]):
    """Learns the squares of its inputs; batch normalisation has buffers, one of them a whole number."""

    recipe = RECIPE

    def __init__(self, folder: Path, plan: Plan | None = None) -> None:
        network = small_network()
        super().__init__(network, list(network.parameters()), plan or Plan(), folder)

    def losses(self, batch: Tensor) -> Mapping[str, Tensor]:
        self.network.train()
        return {"total": loss_of(self.network, batch)}

    def save_weights(self) -> None:
        torch.save(self.average.state_dict(), self.folder / "weights.pt")


def small_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))


def loss_of(network: nn.Module, batch: Tensor) -> Tensor:
    return (network(batch) - batch**2).square().mean() * 100  # large enough for its gradient to be shortened


def batches(first: int = 0) -> Iterator[Tensor]:
    for step in range(first, STEPS):
        yield torch.rand(4, 1, generator=torch.Generator().manual_seed(step))


def written_out() -> tuple[nn.Module, nn.Module]:
    """The same run in plain steps, as the definition has it: the network and its average."""
    network = small_network()
    average = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.05, weight_decay=1e-2)
    for step, batch in enumerate(batches()):
        network.train()
        for group in optimiser.param_groups:
            group["lr"] = 0.05 * warmed_cosine(step, steps=STEPS, warm_up=3, floor=0.1)
        optimiser.zero_grad()
        loss_of(network, batch).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        past = min(0.5, (step + 2) / (step + 11))
        with torch.no_grad():
            pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
            for mean, now in pairs:
                if mean.dtype.is_floating_point:
                    mean.copy_(past * mean + (1 - past) * now)
                else:
                    mean.copy_(now)
    return network, average


def same(one: nn.Module, other: nn.Module) -> None:
    for (name, value), again in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        torch.testing.assert_close(value, again, rtol=1e-5, atol=1e-6, msg=name)


def test_a_run_is_what_its_definition_says(tmp_path: Path) -> None:
    trainer = Squares(tmp_path)
    run(trainer, batches(), lambda: {}, Console(quiet=True))
    network, average = written_out()
    same(trainer.network, network)
    same(trainer.average, average)
    assert not trainer.average.training


def test_a_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole = Squares(tmp_path)
    run(whole, batches(), lambda: {}, Console(quiet=True))
    (tmp_path / "again").mkdir()
    stopped = Squares(tmp_path / "again")
    for _, batch in zip(range(7), batches(), strict=False):
        stopped.train_step(batch)
    stopped.save()
    resumed = Squares(tmp_path / "again")
    resumed.load()
    assert resumed.step == 7
    run(resumed, batches(7), lambda: {}, Console(quiet=True))
    same(resumed.network, whole.network)
    same(resumed.average, whole.average)


def test_a_checkpoint_holds_what_it_always_held(tmp_path: Path) -> None:
    trainer = Squares(tmp_path)
    trainer.train_step(next(batches()))
    trainer.save()
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert set(state) == {"step", "network", "average", "optimiser"}
    assert set(state["average"]) == set(state["network"]) == set(small_network().state_dict())
    for group in state["optimiser"]["param_groups"]:
        group.pop("initial_lr")  # those of earlier versions know no schedule
    torch.save(state, tmp_path / "checkpoint.pt")
    older = Squares(tmp_path)
    older.load()
    run(older, batches(1), lambda: {}, Console(quiet=True))
    same(older.network, written_out()[0])


def test_metrics_are_written_at_every_check_and_at_the_end(tmp_path: Path) -> None:
    judged: list[int] = []
    trainer = Squares(tmp_path)

    def validate() -> dict[str, float]:
        judged.append(trainer.step)
        return {"seen": float(trainer.step)}

    last = run(trainer, batches(), validate, Console(quiet=True))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert judged == [line["step"] for line in lines] == [5, 10, STEPS]
    assert last["seen"] == STEPS
    assert (tmp_path / "weights.pt").exists()


def test_a_plan_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Plan(check_every=0)
