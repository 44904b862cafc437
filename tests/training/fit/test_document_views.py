"""Training views of documents: seeded one by one, of every kind; a resumed run goes on as it would have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tandem.media.document_kinds import KINDS
from tandem.media.document_views import VIEW_HEIGHT, VIEW_WIDTH

torch = pytest.importorskip("torch", reason="training needs torch")

from tandem.training.fit.document_classifier import ClassifierPlan, ClassifierTrainer  # noqa: E402
from tandem.training.fit.document_views import DocumentPools, ViewDataset, draw_pools  # noqa: E402


@pytest.fixture(scope="module")
def pools() -> DocumentPools:
    return draw_pools(3, documents=1, backdrops=3)


def test_sample_i_is_the_same_whoever_draws_it(pools: DocumentPools) -> None:
    first, second = ViewDataset(pools, 7, 40), ViewDataset(pools, 7, 40)
    view, kind = first[33]
    again, same = second[33]
    assert view.shape == (VIEW_HEIGHT, VIEW_WIDTH, 3)
    assert np.array_equal(view, again)
    assert kind == same
    assert not np.array_equal(view, ViewDataset(pools, 8, 40)[33][0])


def test_every_kind_is_seen(pools: DocumentPools) -> None:
    dataset = ViewDataset(pools, 7, 300)
    assert {dataset[i][1] for i in range(300)} == set(range(len(KINDS)))


def test_a_resumed_run_goes_on_as_if_it_had_not_stopped(pools: DocumentPools, tmp_path: Path) -> None:
    plan = ClassifierPlan(steps=4, batch=2)
    dataset = ViewDataset(pools, 7, 8)

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        views, kinds = zip(dataset[2 * step], dataset[2 * step + 1], strict=True)
        return torch.from_numpy(np.stack(views)), torch.tensor(kinds)

    whole = ClassifierTrainer(plan, tmp_path)
    for step in range(2):
        whole.train_step(batch(step))
    whole.save()
    resumed = ClassifierTrainer(plan, tmp_path)
    resumed.load()
    assert resumed.step == 2
    losses = []
    for trainer in (whole, resumed):
        torch.manual_seed(5)  # of the dropout
        losses.append([trainer.train_step(batch(step)) for step in (2, 3)])
    assert losses[0] == losses[1]
