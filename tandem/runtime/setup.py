"""What serving needs beyond the packages: made here if missing, skipped in milliseconds if not.

`scripts/demo`, `scripts/serve` and `scripts/test` do it each time; by hand:
`python -m tandem.runtime --set-up-only`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tandem.runtime.errors import SetupError
from tandem.runtime.python_library import ensure_python_library
from tandem.runtime.wheel import find_installation

CHECKOUT = Path(__file__).parents[2]
REPOSITORY = CHECKOUT / "model_repository"
# The wheel that carries the recogniser's weights; nothing else of it is used, so it comes alone.
WEIGHTS_PACKAGE = "rapidocr"
WEIGHTS_HINT = "pip install --no-deps rapidocr==3.10.0"


def ensure_ready(say: Callable[[str], None]) -> None:
    """Make what is missing of the server and the project's models.

    Args:
        say: gets one line when something takes longer than a moment.

    Raises:
        EmbeddedServerError: something is missing and can't be made; the message says what to do.
    """
    find_installation()
    ensure_python_library()
    ensure_recognizer(say)


def ensure_recognizer(say: Callable[[str], None], repository: Path = REPOSITORY) -> None:
    """Make the recogniser's ONNX file from the wheel that carries its weights, if it is missing or outdated.

    Args:
        say: as for `ensure_ready`.
        repository: where the model `text_recognizer` is.

    Raises:
        SetupError: the wheel is missing, or the export failed.
    """
    model = repository / "text_recognizer"
    out, characters = model / "1" / "model.onnx", model / "characters.txt"
    stamp = out.with_name("made-from.txt")
    source = _source_of_recognizer()
    if out.exists() and characters.exists() and stamp.exists() and stamp.read_text() == source:
        return
    say("making the recogniser from its wheel, once …")
    command = [
        sys.executable,
        "-m",
        "export.recognizer",
        "--out",
        str(out),
        "--characters",
        str(characters),
        "--check",
    ]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise SetupError(f"the recogniser couldn't be made: {last}; to see all: {' '.join(command[1:])}")
    stamp.write_text(source)


def _source_of_recognizer() -> str:
    """What the recogniser is made from, as a line of text that changes when that does."""
    try:
        version = importlib.metadata.version(WEIGHTS_PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise SetupError(
            f"the package {WEIGHTS_PACKAGE}, which carries the recogniser, is missing: {WEIGHTS_HINT}"
        ) from error
    digest = hashlib.sha256()
    made_by = (*CHECKOUT.glob("export/recognizer*"), *CHECKOUT.glob("export/weights/text_recognizer*"))
    for path in sorted(made_by):
        digest.update(path.read_bytes())
    return f"{WEIGHTS_PACKAGE} {version}, export {digest.hexdigest()}\n"
