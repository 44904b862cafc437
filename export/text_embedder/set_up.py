"""The embedder that is served, made when it is missing or was made by other code.

python -m export.text_embedder.set_up
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

from export.errors import ParityError
from export.files import locked, write_atomically
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
    if _is_made(model):
        return
    with locked(model / "1"):  # two commands may be started at once
        if not _is_made(model):
            _make(say, model)


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
    _stamp(model).unlink(missing_ok=True)
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
    write_atomically(_stamp(model), _made_from().encode())


def _is_made(model: Path) -> bool:
    try:
        return _stamp(model).read_text("utf-8") == _made_from()
    except OSError:
        return False


def _stamp(model: Path) -> Path:
    """Written last: where it is, the other files are whole."""
    return model / "1" / "made-from.txt"


def _made_from() -> str:
    """What the embedder is made from, as a line of text that changes when that does."""
    digest = hashlib.sha256()
    for path in sorted(_HERE.glob("*.py")):
        digest.update(path.read_bytes())
    return f"weights {E5_SMALL.sha256}, export {digest.hexdigest()}\n"


if __name__ == "__main__":
    make_embedder(lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
