"""Writes a setting into Triton's own configs: `<model>/configs/<name>.pbtxt`, through Triton's protobuf."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tandem.batching.errors import InvalidInputError
from tandem.batching.rules import Rule

# What a file may be called so that it stays in its folder and works as --model-config-name.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_HEAD = "# Written by `tandem plan --write "


def check_configs(repository: Path, model: str, name: str, *, overwrite: bool = False) -> list[Path]:
    """The files that `write_configs` would write.

    Args:
        repository: the model repository.
        model: a model or an ensemble in it.
        name: what to call the config.
        overwrite: take the place of files that others wrote, too.

    Raises:
        InvalidInputError: the name is no file name, a config is missing or can't be read, or such a file is
            there and was not written by `tandem plan`.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInputError(f"{name!r} can't be a config's name; use letters, digits, - _ and .")
    steps = read_config(repository, model).ensemble_scheduling.step
    paths = [
        repository / part / "configs" / f"{name}.pbtxt"
        for part in (model, *(step.model_name for step in steps))
    ]
    for path in paths:
        if path.exists() and not overwrite and not path.read_text(encoding="utf-8").startswith(_HEAD):
            raise InvalidInputError(
                f"{path} is there and not from tandem plan; take another name for --write, or --overwrite it"
            )
    return paths


def write_configs(
    repository: Path, model: str, name: str, rule: Rule, *, overwrite: bool = False
) -> list[Path]:
    """Write `configs/<name>.pbtxt` for the model, or for an ensemble and all its steps.

    Everything but the batcher is taken over from the model's config.pbtxt. An ensemble's largest batch
    follows its steps', so that a request may hold as many items as a step takes.

    Args:
        repository: the model repository, as `scripts/serve` serves it.
        model: a model or an ensemble in it.
        name: what to call the config.
        rule: greedy or timeout.
        overwrite: see `check_configs`.

    Returns:
        The files written.

    Raises:
        InvalidInputError: see `check_configs`; or the rule is strict.
    """
    targets = check_configs(repository, model, name, overwrite=overwrite)
    if rule.kind == "strict":
        raise InvalidInputError(
            "Triton has no strict rule; ask for --rule greedy or timeout, then write that"
        )
    from google.protobuf import text_format  # noqa: PLC0415 - slow to import, and only needed here

    for target in targets:
        changed = read_config(repository, target.parents[1].name)
        apply_rule(changed, rule)
        target.parent.mkdir(exist_ok=True)
        head = f"{_HEAD}{name}`; the rest is config.pbtxt's.\n"
        target.write_text(head + text_format.MessageToString(changed, as_utf8=True), encoding="utf-8")
    return targets


def read_config(repository: Path, model: str) -> Any:
    """The model's config.pbtxt as Triton's ModelConfig.

    Raises:
        InvalidInputError: there is none, or Triton could not read it either.
    """
    from google.protobuf import text_format  # noqa: PLC0415
    from tritonclient.grpc import model_config_pb2  # noqa: PLC0415

    path = repository / model / "config.pbtxt"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(
            f"{path} can't be read ({error.strerror}); check --model and --model-repository"
        ) from error
    try:
        return text_format.Parse(text, model_config_pb2.ModelConfig())
    except text_format.ParseError as error:
        raise InvalidInputError(f"{path} is no model config: {error}") from error


def apply_rule(config: Any, rule: Rule) -> None:
    """Set the batcher of a ModelConfig; an ensemble, which has none, only gets the largest batch."""
    config.max_batch_size = rule.max_batch
    if config.ensemble_scheduling.step:
        return
    batcher = config.dynamic_batching
    del batcher.preferred_batch_size[:]
    # Preferring one would forbid batches; greedy prefers as many as it may take.
    batcher.preferred_batch_size.append(rule.max_batch if rule.kind == "greedy" else rule.preferred)
    batcher.max_queue_delay_microseconds = round(rule.delay_s * 1e6)
