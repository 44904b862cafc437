"""The language model that translates, put into the model repository: a packaged size, or one's own.

python -m export.translator.set_up                  the one that is there, else the small one
python -m export.translator.set_up --model 1.5b     better and three times slower
python -m export.translator.set_up --from FOLDER    a model of your own in CTranslate2's format
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from export.files import locked, write_atomically
from export.package_weights import ensure_weights, from_folder
from export.translator.pinned import DEFAULT_SIZE, FILE, SIZES
from tandem.runtime.cache import cache_folder
from tandem.runtime.setup import REPOSITORY

_MODEL = "translator"
_HERE = Path(__file__).parent
NEEDED = ("model.bin", "config.json", "tokenizer.json")

Say = Callable[[str], None]


def make_translator(say: Say, repository: Path = REPOSITORY) -> None:
    """Make the translator's files in the model repository, unless some are there: the small model.

    Who has chosen another (`choose_size`, `choose_folder`) keeps it.

    Args:
        say: gets lines if they have to be made: a download of 478 MB, then a minute of converting.
        repository: where the model `translator` is.

    Raises:
        ExportError: the weights can't be had or are others; the message says what to do.
    """
    made_from = _made_from(repository)
    if made_from.startswith("folder ") and _is_whole(repository):
        return
    size = next((size for size in SIZES if made_from.startswith(f"size {size},")), DEFAULT_SIZE)
    choose_size(size, say, repository)


def choose_size(size: str, say: Say, repository: Path = REPOSITORY) -> None:
    """Serve the model of this size from now on; milliseconds if it is served already.

    Args:
        size: one of `SIZES`.
        say: as for `make_translator`.
        repository: as for `make_translator`.

    Raises:
        ExportError: as for `make_translator`.
    """
    if _made_from(repository) == _stamp_of(size) and _is_whole(repository):
        return
    with locked(repository / _MODEL / "1"):  # two commands may be started at once
        if _made_from(repository) != _stamp_of(size) or not _is_whole(repository):
            _install(_converted(size, say), _stamp_of(size), repository)


def choose_folder(folder: Path, say: Say, repository: Path = REPOSITORY) -> None:
    """Serve a model of one's own from now on.

    Args:
        folder: CTranslate2's files and `tokenizer.json`; a decoder with a ChatML prompt (Qwen2, 2.5, 3), or a
            translation model whose tokenizer names its languages as NLLB does.
        say: gets a line.
        repository: as for `make_translator`.

    Raises:
        UnfitFolderError: a file is missing.
    """
    from_folder(folder, NEEDED, title="text_translation")
    say(f"serving the model of {folder} from now on")
    with locked(repository / _MODEL / "1"):
        size = (folder / "model.bin").stat().st_size
        _install(folder, f"folder {folder.name}, {size} bytes\n", repository)


def _converted(size: str, say: Say) -> Path:
    """The model of this size in CTranslate2's format, in the cache."""
    weights = SIZES[size]
    cache = cache_folder(os.environ) / "weights"
    folder = cache / f"{weights.sha256}-{_code()}"
    if folder.is_dir():
        return folder
    source = ensure_weights(weights, say=say)
    # Imported here: these take a second, and mostly there is nothing to make.
    from export.translator.convert import convert  # noqa: PLC0415

    say(f"converting {weights.title}, once: about a minute …")
    scratch = Path(tempfile.mkdtemp(prefix=".converting-", dir=cache))
    try:
        convert(source / FILE, scratch)
        scratch.chmod(0o755)
        scratch.replace(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    shutil.rmtree(source)  # a second copy in another format: it can be fetched again
    return folder


def _install(folder: Path, stamp: str, repository: Path) -> None:
    """Put the folder's files into the repository: as links, which cost no room, or as copies."""
    version = repository / _MODEL / "1"
    _stamp_file(repository).unlink(missing_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".installing-", dir=version))
    try:
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            _link_or_copy(path, scratch / path.name)
        scratch.chmod(0o755)
        shutil.rmtree(_model_folder(repository), ignore_errors=True)
        scratch.replace(_model_folder(repository))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    write_atomically(_stamp_file(repository), stamp.encode())


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)


def _model_folder(repository: Path) -> Path:
    return repository / _MODEL / "1" / "model"


def _stamp_file(repository: Path) -> Path:
    """Written last: where it is, the other files are whole."""
    return repository / _MODEL / "1" / "made-from.txt"


def _is_whole(repository: Path) -> bool:
    return all((_model_folder(repository) / name).is_file() for name in NEEDED)


def _made_from(repository: Path) -> str:
    try:
        return _stamp_file(repository).read_text("utf-8")
    except OSError:
        return ""


def _stamp_of(size: str) -> str:
    return f"size {size}, weights {SIZES[size].sha256}, export {_code()}\n"


def _code() -> str:
    """Changes when the conversion may give something else."""
    return hashlib.sha256((_HERE / "convert.py").read_bytes()).hexdigest()[:16]


def main(arguments: Sequence[str] | None = None) -> None:
    """Choose by the command line."""
    parser = argparse.ArgumentParser(prog="python -m export.translator.set_up", description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--model", choices=sorted(SIZES), help=f"default: {DEFAULT_SIZE}")
    choice.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="a model of your own")
    options = parser.parse_args(arguments)
    if options.folder:
        choose_folder(options.folder, _say)
    elif options.model:
        choose_size(options.model, _say)
    else:
        make_translator(_say)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
