"""The document classifier as ONNX: views of documents in, probabilities of kinds out, compared with torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from export.errors import ExportError, ParityError
from export.half_weights import store_in_half
from export.trained import load_trained
from tandem.media.document_kinds import KINDS
from tandem.media.document_views import VIEW_HEIGHT, VIEW_WIDTH
from tandem.training.network.document_classifier import DocumentClassifier, ServedClassifier

INPUT, OUTPUT = "VIEWS", "KINDS"
OPSET = 18
#: float32 sums taken in another order.
TOLERANCE = 1e-4
#: Pictures and documents a picture at which the exported model is compared.
COMPARED = ((1, 1), (2, 1), (2, 3), (5, 2))


def load(weights: Path) -> ServedClassifier:
    """The classifier as it is served, with trained weights, in evaluation mode.

    Raises:
        ExportError: the weights' file is missing or belongs to another network.
    """
    network = DocumentClassifier()
    load_trained(network, weights, "tandem.training.fit.document_classifier")
    return ServedClassifier(network).eval()


def export(classifier: ServedClassifier, path: Path) -> None:
    """Write the classifier as ONNX: any number of pictures, any number of views each; weights in 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sample = torch.zeros(2, 3, VIEW_HEIGHT, VIEW_WIDTH, 3, dtype=torch.uint8)
    pictures, views = torch.export.Dim("pictures", min=1, max=64), torch.export.Dim("views", min=1, max=64)
    program = torch.onnx.export(
        classifier,
        (sample,),
        dynamo=True,
        opset_version=OPSET,
        verbose=False,
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_shapes=({0: pictures, 1: views},),
    )
    if program is None:
        raise ExportError("torch gave no ONNX program")
    model = program.model_proto
    store_in_half(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def check(classifier: ServedClassifier, path: Path, views: NDArray[np.uint8]) -> float:
    """The largest difference of a probability between torch and ONNX Runtime.

    Args:
        classifier: the original.
        path: the exported model.
        views: (10 or more, 160, 256, 3) uint8.

    Raises:
        ParityError: it is more than `TOLERANCE`.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for pictures, count in COMPARED:
        batch = views[: pictures * count].reshape(pictures, count, VIEW_HEIGHT, VIEW_WIDTH, 3)
        (got,) = session.run([OUTPUT], {INPUT: batch})
        with torch.no_grad():
            want = classifier(torch.from_numpy(batch)).numpy()
        if got.shape != (pictures, count, len(KINDS)):
            raise ParityError(f"the exported model gives {got.shape} for {(pictures, count)}")
        worst = max(worst, float(np.abs(got - want).max()))
    if worst > TOLERANCE:
        raise ParityError(f"ONNX differs from torch by {worst}; allowed is {TOLERANCE}")
    return worst
