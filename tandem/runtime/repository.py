"""What is wrong with a model repository, found in milliseconds and before any process starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tandem.runtime.errors import BrokenConfigError, MissingModelFileError, ModelRepositoryError

# The file that each backend we serve needs in a version's folder unless the config names another.
_DEFAULT_FILES = {"onnxruntime": "model.onnx", "python": "model.py"}
_HINT = (
    "put it there. Of this project's models the detector comes with the checkout, and the recogniser is made"
    " by: python -m tandem.runtime --set-up-only"
)


def check_repository(repository: Path, config_name: str | None = None) -> None:
    """Return if every model's config can be read and its file is there.

    Args:
        repository: folder of models, one folder each.
        config_name: use a model's `configs/<name>.pbtxt` where it has one.

    Raises:
        ModelRepositoryError: there are no models, or none has a config of that name.
        BrokenConfigError: a config is missing or can't be read; the message says where.
        MissingModelFileError: a model's file is missing.
    """
    models = sorted(path for path in repository.glob("*/") if path.is_dir())
    if not models:
        raise ModelRepositoryError(
            f"there are no models in {repository}: choose the folder with --model-repository"
        )
    if config_name is not None and not any(_named_config(model, config_name).exists() for model in models):
        names = sorted({path.stem for path in repository.glob("*/configs/*.pbtxt")})
        raise ModelRepositoryError(
            f"no model has configs/{config_name}.pbtxt, there are: {', '.join(names) or 'none'}"
        )
    for model in models:
        named = _named_config(model, config_name or "")
        path = named if named.exists() else model / "config.pbtxt"
        check_model_files(model, read_config(path))


def read_config(path: Path) -> Any:
    """A model's config as Triton's own protobuf message `inference.ModelConfig`.

    Raises:
        BrokenConfigError: it is missing or can't be read; the message says which line.
    """
    # Imported here: only this needs them, and they take longer to import than all else.
    from google.protobuf import text_format  # noqa: PLC0415
    from tritonclient.grpc import model_config_pb2  # noqa: PLC0415

    try:
        return text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())
    except OSError as error:
        raise BrokenConfigError(
            f"{path} can't be read: {error.strerror}: write it, or remove the folder"
        ) from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise BrokenConfigError(f"{path}, line {error}: correct it there") from error


def check_model_files(model: Path, config: Any) -> None:
    """Return if each version of a model has its file.

    Args:
        model: the model's folder.
        config: its config, see `read_config`.

    Raises:
        MissingModelFileError: a file is missing.
    """
    filename = config.default_model_filename or _DEFAULT_FILES.get(config.backend)
    if filename is None:
        return  # an ensemble, or a backend whose files we don't know
    versions = list(_versions(model)) or [model / "1"]
    for version in versions:
        if not (version / filename).exists():
            raise MissingModelFileError(f"model '{model.name}' has no file {version / filename}: {_HINT}")


def _versions(model: Path) -> Iterator[Path]:
    return (path for path in model.glob("*/") if path.name.isdecimal())


def _named_config(model: Path, name: str) -> Path:
    return model / "configs" / f"{name}.pbtxt"
