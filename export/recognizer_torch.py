"""The published recogniser as a torch network to fine-tune, and a torch network back to what Triton serves.

    python -m export.recognizer_torch import --weights recogniser.pt
    python -m export.recognizer_torch keep --weights recogniser.pt
    python -m export.recognizer_torch export --weights recogniser.pt --out model.onnx --characters
    characters.txt

A weights file holds the network's state and its characters, so that training may add some. `import --check`
exports what it imported and compares that with the published file; `import --tuned` gives what is served,
to train it further. `keep` writes the weights that the repository keeps (`export.recognizer_tuned`).
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from export.errors import ExportError
from export.files import write_atomically
from export.recognizer import folded
from export.recognizer_classes import class_names, kept_classes
from export.recognizer_graph import (
    CHARACTERS,
    LANES,
    OPSET,
    PROBABILITIES,
    RUNNERS_UP,
    dictionary_of,
    serving_graph,
)
from export.recognizer_parity import TOLERANCE, check_parity
from export.recognizer_tuned import TUNED, Pair, read_tuned, weights_of, write_tuned
from export.recognizer_weights import published_weights
from tandem.services.id_card.geometry.lanes import LANE_HEIGHT
from tandem.training.draw.hanzi import log_prior
from tandem.training.network.recognizer import Recognizer, load_weights, save_weights

_log = logging.getLogger(__name__)
_SAMPLE = (2, 3, LANE_HEIGHT, 320, 3)  # lanes the export is traced with: other than 1 in what may change


def imported(source: Path) -> tuple[Recognizer, list[str]]:
    """The published recogniser with the characters that a card can show, and those characters.

    Raises:
        ExportError: `source` is not the recogniser that we know.
    """
    published = onnx.load(str(source))
    dictionary = dictionary_of(published)
    classes = kept_classes(dictionary)
    graph = folded(serving_graph(published, classes)).graph
    network = Recognizer(len(classes), published=True)
    _fill(_layers(network), weights_of(graph))
    return network.eval(), class_names(dictionary, classes)


def tuned(source: Path, path: Path) -> tuple[Recognizer, list[str]]:
    """The recogniser that is served, to be trained further, and its characters.

    Args:
        source: the published recogniser, which knows the first characters.
        path: the trained weights that the repository keeps.

    Raises:
        ExportError: one of them is not what we know, or they do not belong together.
    """
    dictionary = dictionary_of(onnx.load(str(source)))
    kept = read_tuned(path)
    characters = [*class_names(dictionary, kept_classes(dictionary)), *kept.added]
    network = Recognizer(len(characters))
    *layers, (weight, bias) = kept.layers
    # What `keep` added for the characters that cards hardly print.
    _fill(_layers(network), [*layers, (weight, bias - log_prior(characters))])
    return network.eval(), characters


def _layers(network: Recognizer) -> list[nn.Module]:
    """The layers that have weights, in the order of the published graph."""
    kinds = (nn.Conv2d, nn.LayerNorm, nn.Linear)
    body = [
        layer
        for layer in network.modules()
        if isinstance(layer, kinds) and layer not in (network.skip, network.head)
    ]
    return [*body, network.skip, network.head]


def _fill(layers: Sequence[nn.Module], constants: Sequence[Pair]) -> None:
    if len(layers) != len(constants):
        raise ExportError(f"that recogniser has {len(constants)} layers, ours {len(layers)}")
    for layer, pair in zip(layers, constants, strict=True):
        for name, value in zip(("weight", "bias"), pair, strict=True):
            parameter = layer.get_parameter(name)
            if parameter.shape != value.shape:
                raise ExportError(f"a layer of shape {tuple(parameter.shape)} meets weights {value.shape}")
            parameter.data = torch.from_numpy(value.copy())


class ServedRecognizer(nn.Module):
    """The network between Triton's tensors: UINT8 lanes in, the five likeliest classes out."""

    def __init__(self, network: Recognizer) -> None:
        super().__init__()
        self.network = network

    def forward(self, lanes: Tensor) -> tuple[Tensor, Tensor]:
        """(B, L, 48, W, 3) uint8 to (B, L, W / 8, 5) int32 and float32, best first."""
        batch, rows, _, width, _ = lanes.shape
        folded_lanes = lanes.reshape(-1, LANE_HEIGHT, width, 3).permute(0, 3, 1, 2)
        features = self.network.features(folded_lanes.float() * (1 / 127.5) - 1)
        # One plain product over all time steps: see recognizer_graph.
        flat = features.reshape(-1, features.shape[-1])
        likelihood = functional.softmax(self.network.head(flat), 1)
        values, classes = torch.topk(likelihood, RUNNERS_UP, 1)
        shape = (batch, rows, features.shape[1], RUNNERS_UP)
        return classes.to(torch.int32).reshape(shape), values.reshape(shape)


def exported(network: Recognizer) -> onnx.ModelProto:
    """The network with the interface that Triton serves, in standard operators.

    Raises:
        ExportError: torch could not express it.
    """
    lanes = torch.zeros(_SAMPLE, dtype=torch.uint8)
    columns = torch.export.Dim("columns", min=2, max=1024)
    program = torch.onnx.export(
        ServedRecognizer(network).eval(),
        (lanes,),
        dynamo=True,
        opset_version=OPSET,
        verbose=False,
        input_names=[LANES],
        output_names=[CHARACTERS, PROBABILITIES],
        dynamic_shapes=({0: torch.export.Dim("batch"), 1: torch.export.Dim("lanes"), 3: 8 * columns},),
    )
    if program is None:
        raise ExportError("torch gave no ONNX program")
    return folded(program.model_proto)


def layer_weights(network: Recognizer) -> list[Pair]:
    """Weight and bias of every layer, in the order of the published graph."""
    return [
        (layer.get_parameter("weight").detach().numpy(), layer.get_parameter("bias").detach().numpy())
        for layer in _layers(network)
    ]


def kept_of(source: Path) -> list[int]:
    """The classes of a published recogniser that are kept."""
    return kept_classes(dictionary_of(onnx.load(str(source))))


def check_import(network: Recognizer, source: Path) -> float:
    """The largest difference between the imported network, exported again, and the published one.

    Raises:
        ParityError: it is above the tolerance.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(exported(network).SerializeToString())
        return check_parity(source, path, kept_of(source))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    importing = commands.add_parser("import", help="published ONNX file to torch weights")
    importing.add_argument("--source", type=Path, help="default: the file in rapidocr's wheel")
    ways = importing.add_mutually_exclusive_group()
    ways.add_argument(
        "--tuned", action="store_true", help="the weights that are served, to train them further"
    )
    ways.add_argument("--check", action="store_true", help="export again and compare")
    exporting = commands.add_parser("export", help="torch weights to the ONNX file that Triton serves")
    exporting.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    exporting.add_argument("--characters", type=Path, required=True, help="character list to write")
    keeping = commands.add_parser("keep", help="the weights that the repository keeps")
    keeping.add_argument("--out", type=Path, default=TUNED, help="file to write (default: %(default)s)")
    for command in (importing, exporting, keeping):
        command.add_argument("--weights", type=Path, required=True, help="torch file")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s")
    _log.setLevel(logging.INFO)  # not all loggers: torch's exporter tells a lot
    if options.command == "import":
        source = options.source or published_weights()
        network, characters = tuned(source, TUNED) if options.tuned else imported(source)
        save_weights(network, characters, options.weights)
        _log.info("recogniser with %d characters imported", len(characters))
        if options.check:
            _log.info("largest difference %.1e, allowed %.0e", check_import(network, source), TOLERANCE)
        return
    network, characters = load_weights(options.weights)
    if options.command == "keep":
        known = len(kept_of(published_weights()))
        *layers, (weight, bias) = layer_weights(network)
        layers.append((weight, bias + log_prior(characters)))
        write_tuned(layers, characters[known:], options.out)
    else:
        write_atomically(options.out, exported(network).SerializeToString())
        write_atomically(options.characters, "\n".join([*characters, ""]).encode())


if __name__ == "__main__":
    main()
