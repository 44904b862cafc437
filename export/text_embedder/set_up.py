"""The embedder that is served, made when it is missing or was made by other code.

python -m export.text_embedder.set_up
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from export.errors import ParityError
from export.files import write_atomically
from export.made_once import digest_of, make_once
from export.package_weights import ensure_weights
from export.text_embedder.pinned import BLOB, E5_SMALL
from tandem.runtime.setup import REPOSITORY

_MODEL = "text_embedder"
_HERE = Path(__file__).parent
#: Largest difference of a coordinate of a unit vector between the graph and numpy; measured: 2e-7.
TOLERANCE = 1e-5
#: (lanes of a batch, tokens of a lane) that are compared: one as served, and two at another length.
_SHAPES = ((1, 128), (2, 60))


def make_embedder(say: Callable[[str], None], repository: Path = REPOSITORY) -> None:
    """Make the embedder's files in the model repository, unless they are there.

    Args:
        say: gets lines if they have to be made: a download of 91 MB, then some seconds.
        repository: where the model `text_embedder` is.

    Raises:
        ExportError: the weights can't be had or are others, or the graph doesn't compute what they say.
    """
    model = repository / _MODEL
    made_from = f"weights {E5_SMALL.sha256}, export {digest_of(_HERE.glob('*.py'))}\n"
    make_once(model, made_from, lambda: _make(say, model))


def _make(say: Callable[[str], None], model: Path) -> None:
    # Imported here: onnx and its friends take a second, and mostly there is nothing to make.
    from export.text_embedder.blob import read_blob  # noqa: PLC0415
    from export.text_embedder.graph import build_graph  # noqa: PLC0415
    from export.text_embedder.parity import largest_difference  # noqa: PLC0415
    from export.text_embedder.tokens import (  # noqa: PLC0415
        NORMALISATION_FILE,
        TOKENIZER_FILE,
        normalisation_json,
        tokenizer_json,
    )

    folder = ensure_weights(E5_SMALL, say=say)
    say("making the text embedder from its weights, once …")
    embedder = read_blob((folder / BLOB).read_bytes())
    graph = build_graph(embedder).SerializeToString()
    worst = largest_difference(embedder, graph, _SHAPES)
    if worst > TOLERANCE:
        raise ParityError(
            f"the embedder's graph differs from its weights by {worst:.1e}, allowed {TOLERANCE:.0e}"
        )
    write_atomically(model / "1" / "model.onnx", graph)
    write_atomically(model / TOKENIZER_FILE, tokenizer_json(embedder.vocabulary).encode())
    write_atomically(model / NORMALISATION_FILE, normalisation_json(embedder.vocabulary).encode())


if __name__ == "__main__":
    make_embedder(lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
