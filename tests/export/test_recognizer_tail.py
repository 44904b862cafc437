"""The fine-tuned end of the recogniser: into the graph, out of torch, and refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from export.errors import ExportError
from export.recognizer import export_recognizer
from export.recognizer_parity import sample_lanes
from export.recognizer_tail import LAYERS, Tail, read_tail, slots, weights_of, with_tail, write_tail
from export.recognizer_weights import published_weights


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    folder = tmp_path_factory.mktemp("published")
    export_recognizer(published_weights(), folder / "model.onnx", folder / "characters.txt")
    return onnx.load(str(folder / "model.onnx"))


def read(model: onnx.ModelProto) -> tuple[np.ndarray, np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    classes, probabilities = session.run(["CHARACTERS", "PROBABILITIES"], {"LANES": sample_lanes(1, 2, 320)})
    return classes, probabilities


def test_its_own_weights_change_nothing(published: onnx.ModelProto) -> None:
    own = Tail(layers=tuple(weights_of(published.graph)[-LAYERS:]), added=())
    classes, probabilities = read(published)
    again, as_likely = read(with_tail(published, own))
    assert np.array_equal(classes, again)
    assert np.array_equal(probabilities, as_likely)


def test_what_is_written_is_read_back(published: onnx.ModelProto, tmp_path: Path) -> None:
    write_tail(weights_of(published.graph), "〇垅", tmp_path / "tail.npz")
    tail = read_tail(tmp_path / "tail.npz")
    assert tail.added == ("〇", "垅")
    assert len(tail.layers) == LAYERS
    for (weight, bias), (kept, kept_bias) in zip(
        weights_of(published.graph)[-LAYERS:], tail.layers, strict=True
    ):
        np.testing.assert_allclose(kept, weight, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(kept_bias, bias, rtol=1e-3, atol=1e-6)


def test_the_committed_one_fits_and_adds_classes(published: onnx.ModelProto, tmp_path: Path) -> None:
    tail = read_tail()
    assert tail.added
    out, characters = tmp_path / "model.onnx", tmp_path / "characters.txt"
    known = export_recognizer(published_weights(), out, characters, tail)
    names = characters.read_text(encoding="utf-8").split("\n")[:-1]
    assert len(names) == len(known) + len(tail.added) == len(set(names))
    assert tuple(names[len(known) :]) == tail.added
    assert weights_of(onnx.load(str(out)).graph)[-1][0].shape[0] == len(names)
    # Latin text is read as before: nothing was unlearnt.
    now, before = read(onnx.load(str(out)))[0], read(published)[0]
    assert (now[..., 0] == before[..., 0]).mean() > 0.8


def test_a_tail_of_another_recogniser_is_refused(published: onnx.ModelProto) -> None:
    own = weights_of(published.graph)[-LAYERS:]
    wrong = [(weight[:-1], bias) for weight, bias in own[:1]] + own[1:]
    with pytest.raises(ExportError, match="another recogniser"):
        with_tail(published, Tail(layers=tuple(wrong), added=()))
    with pytest.raises(ExportError, match="another recogniser"):
        with_tail(published, replace(Tail(layers=tuple(own), added=()), added=("〇",)))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="holds no fine-tuned recogniser"):
        read_tail(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(ExportError, match="holds no fine-tuned recogniser"):
        read_tail(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(1))
    with pytest.raises(ExportError, match="holds no fine-tuned recogniser"):
        read_tail(tmp_path / "other.npz")


def test_every_layer_has_its_slot(published: onnx.ModelProto) -> None:
    assert len({slot.weight for slot in slots(published.graph)}) == len(slots(published.graph))
