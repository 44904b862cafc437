"""What is wrong with model repositories, found in milliseconds and before any process starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tandem.runtime.errors import (
    BrokenConfigError,
    MissingModelFileError,
    ModelRepositoryError,
    UnknownServiceError,
)
from tandem.runtime.processor import check_processor

# The file that each backend we serve needs in a version's folder unless the config names another.
_DEFAULT_FILES = {"onnxruntime": "model.onnx", "python": "model.py"}
_HINT = "put it there. What this project's own services need is made by scripts/serve --set-up-only"
# A config's parameter: the models that a Python model calls, with commas between; no ensemble shows them.
CALLS = "calls"


def check_repository(repository: Path, config_name: str | None = None) -> None:
    """Return if every model of one repository can be served; see `check_repositories`."""
    check_repositories([repository], config_name=config_name)


def check_repositories(
    repositories: Sequence[Path], services: Sequence[str] = (), config_name: str | None = None
) -> list[str]:
    """The models to serve, if each one's config can be read and its file is there.

    Args:
        repositories: folders of models, one folder each.
        services: only these models, and those that they need: an ensemble's steps, and what the parameter
            `calls` of a config names. Empty: every model.
        config_name: use a model's `configs/<name>.pbtxt` where it has one.

    Raises:
        ModelRepositoryError: there are no models, one is there twice, or none has a config of that name.
        UnknownServiceError: a service, or a model that one needs, isn't there.
        BrokenConfigError: a config is missing or can't be read; the message says where.
        MissingModelFileError: a model's file is missing.
        WrongProcessorError: a model's file was made for processors unlike this one.
    """
    folders = find_models(repositories)
    chosen = needed_models(folders, services, config_name) if services else sorted(folders)
    if config_name is not None and not any(
        _named_config(path, config_name).exists() for path in folders.values()
    ):
        names = sorted({path.stem for folder in folders.values() for path in folder.glob("configs/*.pbtxt")})
        raise ModelRepositoryError(
            f"no model has configs/{config_name}.pbtxt, there are: {', '.join(names) or 'none'}"
        )
    for name in chosen:
        check_model_files(folders[name], _config(folders[name], config_name))
    return chosen


def find_models(repositories: Sequence[Path]) -> dict[str, Path]:
    """Name → folder of every model.

    Raises:
        ModelRepositoryError: a repository has none, or two have one of the same name.
    """
    folders: dict[str, Path] = {}
    for repository in repositories:
        found = sorted(path for path in repository.glob("*/") if path.is_dir())
        if not found:
            raise ModelRepositoryError(
                f"there are no models in {repository}: choose the folder with --model-repository"
            )
        for path in found:
            if path.name in folders:
                raise ModelRepositoryError(
                    f"model '{path.name}' is in {folders[path.name].parent} and in {repository}: remove one"
                )
            folders[path.name] = path
    return folders


def needed_models(
    folders: Mapping[str, Path], services: Sequence[str], config_name: str | None = None
) -> list[str]:
    """The services and every model that they need, in alphabetical order.

    Raises:
        UnknownServiceError: one isn't there.
        BrokenConfigError: a config can't be read.
    """
    needed: set[str] = set()
    waiting = list(services)
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        if name not in folders:
            raise UnknownServiceError(
                f"there is no model '{name}' in the model repository; there are: {', '.join(sorted(folders))}"
            )
        needed.add(name)
        config = _config(folders[name], config_name)
        waiting += [step.model_name for step in config.ensemble_scheduling.step]
        waiting += (
            config.parameters[CALLS].string_value.replace(",", " ").split()
            if CALLS in config.parameters
            else []
        )
    return sorted(needed)


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
    """Return if each version of a model has its file, and this machine can run it.

    Args:
        model: the model's folder.
        config: its config, see `read_config`.

    Raises:
        MissingModelFileError: a file is missing.
        WrongProcessorError: it was made for processors unlike this one.
    """
    filename = config.default_model_filename or _DEFAULT_FILES.get(config.backend)
    if filename is None:
        return  # an ensemble, or a backend whose files we don't know
    versions = list(_versions(model)) or [model / "1"]
    for version in versions:
        if not (version / filename).exists():
            raise MissingModelFileError(f"model '{model.name}' has no file {version / filename}: {_HINT}")
        check_processor(version / filename)


def _config(model: Path, config_name: str | None) -> Any:
    named = _named_config(model, config_name or "")
    return read_config(named if named.exists() else model / "config.pbtxt")


def _versions(model: Path) -> Iterator[Path]:
    return (path for path in model.glob("*/") if path.name.isdecimal())


def _named_config(model: Path, name: str) -> Path:
    return model / "configs" / f"{name}.pbtxt"
