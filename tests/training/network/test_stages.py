"""A network begins with the tensors that it shares with another one, and with no others."""

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from tandem.training.network.corner_refiner import CornerRefiner  # noqa: E402
from tandem.training.network.detector import CardDetector  # noqa: E402
from tandem.training.network.stages import take_over  # noqa: E402


def test_what_has_the_same_name_and_shape_is_taken_over() -> None:
    torch.manual_seed(0)
    detector, refiner = CardDetector(), CornerRefiner()
    weights, before = detector.state_dict(), refiner.state_dict()
    own = {name: value.clone() for name, value in before.items() if name not in weights}
    taken = take_over(refiner, weights)
    after = refiner.state_dict()
    assert taken == len(after) - len(own) > 80
    assert all(torch.equal(after[name], value) for name, value in own.items())
    assert all(torch.equal(after[name], weights[name]) for name in after if name not in own)


def test_another_shape_is_left_alone() -> None:
    refiner = CornerRefiner()
    bias = refiner.decide.bias.detach().clone()
    assert take_over(refiner, {"decide.bias": torch.ones(99), "unknown": torch.ones(3)}) == 0
    assert torch.equal(refiner.decide.bias, bias)
