"""The recogniser of speech, put into the model repository: Whisper base from its packages, or one's own.

python -m export.whisper.set_up                  the one that is there, else Whisper base
python -m export.whisper.set_up --from FOLDER    another size, in CTranslate2's format
python -m export.whisper.set_up --base           Whisper base again
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from export.files import locked, write_atomically
from export.model_folder import install_folder
from export.package_weights import ensure_weights, from_folder
from export.whisper.base import WHISPER_BASE
from tandem.runtime.setup import REPOSITORY

_MODEL = "speech_recognizer"
NEEDED = ("model.bin", "config.json", "tokenizer.json")
_BASE_STAMP = f"weights {WHISPER_BASE.sha256}\n"

Say = Callable[[str], None]


def make_speech_recognizer(say: Say, repository: Path = REPOSITORY) -> None:
    """Make the recogniser's files in the model repository, unless some are there: Whisper base.

    Who has chosen a folder of their own keeps it.

    Args:
        say: gets lines if they have to be made: a download of 133 MB.
        repository: where the model `speech_recognizer` is.

    Raises:
        ExportError: the weights can't be had or are others; the message says what to do.
    """
    if not (_is_whole(repository) and _made_from(repository).startswith(("folder ", _BASE_STAMP))):
        choose_base(say, repository)


def choose_base(say: Say, repository: Path = REPOSITORY) -> None:
    """Serve Whisper base from now on; milliseconds if it is served already.

    Raises:
        ExportError: as for `make_speech_recognizer`.
    """
    if _is_whole(repository) and _made_from(repository) == _BASE_STAMP:
        return
    with locked(_version(repository)):  # two commands may be started at once
        if not (_is_whole(repository) and _made_from(repository) == _BASE_STAMP):
            _install(ensure_weights(WHISPER_BASE, say=say), _BASE_STAMP, repository)


def choose_folder(folder: Path, say: Say, repository: Path = REPOSITORY) -> None:
    """Serve a Whisper of one's own from now on.

    Args:
        folder: a multilingual Whisper of any size in CTranslate2's format, with its `tokenizer.json`.
        say: gets a line.
        repository: as for `make_speech_recognizer`.

    Raises:
        UnfitFolderError: a file is missing.
    """
    from_folder(folder, NEEDED, title="speech_to_text")
    say(f"serving the Whisper of {folder} from now on")
    with locked(_version(repository)):
        size = (folder / "model.bin").stat().st_size
        _install(folder, f"folder {folder.name}, {size} bytes\n", repository)


def _install(folder: Path, stamp: str, repository: Path) -> None:
    _stamp_file(repository).unlink(missing_ok=True)
    install_folder(folder, _version(repository) / "model")
    write_atomically(_stamp_file(repository), stamp.encode())


def _version(repository: Path) -> Path:
    return repository / _MODEL / "1"


def _stamp_file(repository: Path) -> Path:
    """Written last: where it is, the other files are whole."""
    return _version(repository) / "made-from.txt"


def _is_whole(repository: Path) -> bool:
    return all((_version(repository) / "model" / name).is_file() for name in NEEDED)


def _made_from(repository: Path) -> str:
    try:
        return _stamp_file(repository).read_text("utf-8")
    except OSError:
        return ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Choose by the command line."""
    parser = argparse.ArgumentParser(prog="python -m export.whisper.set_up", description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--base", action="store_true", help="Whisper base, as packaged")
    choice.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="a Whisper of your own")
    options = parser.parse_args(arguments)
    if options.folder:
        choose_folder(options.folder, _say)
    elif options.base:
        choose_base(_say)
    else:
        make_speech_recognizer(_say)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
