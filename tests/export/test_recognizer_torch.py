"""The recogniser in torch: import, parity of what it exports again, weights files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra 'training')")

from export.recognizer import export_recognizer  # noqa: E402
from export.recognizer_parity import TOLERANCE, check_parity, sample_lanes  # noqa: E402
from export.recognizer_torch import exported, imported, kept_of, layer_weights, tuned  # noqa: E402
from export.recognizer_tuned import TUNED, read_tuned  # noqa: E402
from export.recognizer_weights import published_weights  # noqa: E402
from tandem.training.draw.hanzi import log_prior  # noqa: E402
from tandem.training.errors import WeightsError  # noqa: E402
from tandem.training.network.recognizer import Recognizer, load_weights, save_weights  # noqa: E402

# What torch's exporter says about its own insides.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def network() -> tuple[Recognizer, list[str]]:
    return imported(published_weights())


@pytest.fixture(scope="module")
def model(network: tuple[Recognizer, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    path.write_bytes(exported(network[0]).SerializeToString())
    return path


def test_exported_again_it_computes_what_the_published_one_computes(model: Path) -> None:
    assert check_parity(published_weights(), model, kept_of(published_weights())) <= TOLERANCE


def test_torch_and_onnx_agree(network: tuple[Recognizer, list[str]], model: Path) -> None:
    lanes = sample_lanes(2, 1, 160, seed=7)
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    characters, probabilities = session.run(["CHARACTERS", "PROBABILITIES"], {"LANES": lanes})
    pixels = torch.from_numpy(lanes[:, 0].transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
    with torch.no_grad():
        likelihood = network[0](pixels).softmax(-1).numpy()
    expected = np.take_along_axis(likelihood, characters[:, 0].astype(np.int64), -1)
    assert np.abs(expected - probabilities[:, 0]).max() < TOLERANCE


def test_a_weights_file_gives_the_network_back(network: tuple[Recognizer, list[str]], tmp_path: Path) -> None:
    save_weights(*network, tmp_path / "weights" / "recogniser.pt")
    again, characters = load_weights(tmp_path / "weights" / "recogniser.pt")
    assert characters == network[1]
    state = again.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in network[0].state_dict().items())


def test_training_goes_on_from_the_weights_that_are_kept(network: tuple[Recognizer, list[str]]) -> None:
    further, characters = tuned(published_weights(), TUNED)
    kept = read_tuned()
    assert characters == [*network[1], *kept.added]
    layers = layer_weights(further)
    for (weight, _), (expected, _) in zip(layers, kept.layers, strict=True):
        assert np.array_equal(weight, expected)
    for (_, bias), (_, expected) in zip(layers[:-1], kept.layers[:-1], strict=True):
        assert np.array_equal(bias, expected)
    # Written anew, the prior is added once, not twice.
    assert np.allclose(layers[-1][1] + log_prior(characters), kept.layers[-1][1], atol=1e-5)


def test_the_trained_network_and_the_served_graph_agree(tmp_path: Path) -> None:
    further, characters = tuned(published_weights(), TUNED)
    export_recognizer(published_weights(), tmp_path / "model.onnx", tmp_path / "served.txt", read_tuned())
    assert (tmp_path / "served.txt").read_text("utf-8").split("\n")[:-1] == characters
    lanes = sample_lanes(1, 2, 320)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    classes, probabilities = session.run(["CHARACTERS", "PROBABILITIES"], {"LANES": lanes})
    pixels = torch.from_numpy(lanes[0].transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
    with torch.no_grad():
        scores = further(pixels) + torch.from_numpy(log_prior(characters))
    expected = np.take_along_axis(scores.softmax(-1).numpy(), classes[0].astype(np.int64), -1)
    assert np.abs(expected - probabilities[0]).max() < TOLERANCE


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights at"):
        load_weights(tmp_path / "none.pt")
    torch.save({"something": 1}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="no weights file"):
        load_weights(tmp_path / "other.pt")


def test_a_small_network_learns() -> None:
    torch.manual_seed(0)
    network = Recognizer(5)
    pixels = torch.rand(2, 3, 48, 64) * 2 - 1
    targets, lengths = torch.tensor([[1, 2], [3, 4]]), torch.tensor([2, 2])
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(6):
        steps = network(pixels).log_softmax(-1).transpose(0, 1)
        loss = torch.nn.functional.ctc_loss(steps, targets, torch.tensor([8, 8]), lengths)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
