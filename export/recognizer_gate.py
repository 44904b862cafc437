"""The gate: whether a time step of the recogniser is surely a blank, told by its features alone.

    python -m export.recognizer_gate --model model.onnx

A network of one hidden layer of 16, fitted to what the recogniser itself says on drawn cards: it speaks where
the blank has less than 0.99. Its threshold lets a fifth of the steps through
(docs/decisions/0017-a-leaner-recogniser.md). The weights lie in `weights/text_recognizer_gate.npz`; fitting
needs the extra 'training'.
"""

from __future__ import annotations

import argparse
import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

from export.errors import ExportError
from export.files import write_atomically

GATE = Path(__file__).parent / "weights" / "text_recognizer_gate.npz"
#: A step is a sure blank if the recogniser gives the blank at least this probability.
SURE = 0.99
#: Steps with a higher score (a logit) are read: far on the safe side of even odds.
THRESHOLD = -4.0
_LOWEST = -1e9
_HIDDEN, _ROUNDS, _BATCH, _RATE = 16, 600, 4096, 1e-2
_MISSED_COSTS = 10.0  # times what a step read in vain costs
_NAMES = ("gate_weight_1", "gate_bias_1", "gate_weight_2", "gate_bias_2")
_log = logging.getLogger(__name__)

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A fitted gate.

    Attributes:
        layers: weight (channels, 16), bias (16,), weight (16, 1), bias (1,), all float32.
        threshold: the least score of a step that is read.
    """

    layers: tuple[FloatArray, FloatArray, FloatArray, FloatArray]
    threshold: float = THRESHOLD

    def constants(self) -> dict[str, FloatArray]:
        """The layers by the names that the graph knows them by."""
        return dict(zip(_NAMES, self.layers, strict=True))

    def opened(self) -> Gate:
        """The gate that takes no step for a blank."""
        return replace(self, threshold=_LOWEST)

    def scores(self, features: FloatArray) -> FloatArray:
        """(n,): the score of each of `features` (n, channels); above the threshold a step is read."""
        weight_1, bias_1, weight_2, bias_2 = self.layers
        return np.asarray((np.maximum(features @ weight_1 + bias_1, 0) @ weight_2 + bias_2)[:, 0], np.float32)


def read_gate(path: Path = GATE) -> Gate:
    """The gate in a file.

    Raises:
        ExportError: there is none, or it is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            one, two, three, four = (stored[name].astype(np.float32) for name in _NAMES)
    except (OSError, KeyError, ValueError) as error:
        raise ExportError(f"{path} holds no gate of the recogniser: {error}") from error
    return Gate(layers=(one, two, three, four))


def write_gate(gate: Gate, path: Path = GATE) -> None:
    """Writes a gate's weights."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **gate.constants())
    write_atomically(path, buffer.getvalue())


def features_and_blanks(
    model: onnx.ModelProto, lanes: Iterable[NDArray[np.uint8]]
) -> tuple[FloatArray, FloatArray]:
    """What the gate sees and what it should say: features (n, channels), the blank's probabilities (n,).

    Args:
        model: the recogniser without a gate, in 8-bit integers or not.
        lanes: (B, L, 48, W, 3) uint8 each.
    """
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.append(helper.make_tensor_value_info("flat", onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    features, blanks = [], []
    for batch in lanes:
        characters, probabilities, flat = session.run(
            ["CHARACTERS", "PROBABILITIES", "flat"], {"LANES": batch}
        )
        features.append(flat)
        blanks.append(np.where(characters == 0, probabilities, 0).sum(-1).reshape(-1))
    return np.concatenate(features), np.concatenate(blanks).astype(np.float32)


def fitted(features: FloatArray, blanks: FloatArray, seed: int = 0) -> Gate:
    """The gate that tells sure blanks best on these steps; see `features_and_blanks`."""
    import torch  # noqa: PLC0415  # only who fits needs it
    from torch import nn  # noqa: PLC0415

    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(features.shape[1], _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 1))
    optimiser = torch.optim.Adam(network.parameters(), _RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.01, _ROUNDS)
    seen, speaks = torch.from_numpy(features), torch.from_numpy((blanks < SURE).astype(np.float32))
    loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(_MISSED_COSTS))
    for _ in range(_ROUNDS):
        chosen = torch.randint(0, len(seen), (_BATCH,))
        cost = loss(network(seen[chosen])[:, 0], speaks[chosen])
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()
        schedule.step()
    parameters = [parameter.detach().numpy() for parameter in network.parameters()]
    # torch has linear weights as (out, in), the graph as (in, out).
    one, two, three, four = (np.ascontiguousarray(parameter.T) for parameter in parameters)
    return Gate(layers=(one, two, three, four))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, required=True, help="the recogniser without a gate")
    parser.add_argument("--out", type=Path, default=GATE)
    parser.add_argument("--photos", type=int, default=120, help="photographs to draw")
    parser.add_argument("--seed", type=int, default=7001)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    from export.recognizer_lanes import drawn_lanes  # noqa: PLC0415  # needs the training extra

    features, blanks = features_and_blanks(
        onnx.load(str(options.model)), drawn_lanes(options.photos, options.seed)
    )
    gate = fitted(features, blanks)
    write_gate(gate, options.out)
    read = gate.scores(features) > gate.threshold
    lost = int((~read & (blanks < 0.5)).sum())
    _log.info("%d steps, %.1f %% of them read, %d with a character lost", len(read), 100 * read.mean(), lost)


if __name__ == "__main__":
    main()
