"""Our model repository with more instances of every step: the peers may have two workers, so may Triton."""

from __future__ import annotations

import re
from pathlib import Path

from tandem.evaluation.errors import PeerError

_COUNT = re.compile(r"(KIND_CPU\s+count:\s*)\d+")


def with_instances(repository: Path, ensemble: str, folder: Path, count: int) -> Path:
    """A repository of an ensemble's models in which each has `count` instances on CPUs.

    Args:
        repository: folder of models.
        ensemble: the ensemble's name; models that its steps call are those of their parameter `calls`.
        folder: where to write; what isn't a config is a link.
        count: instances a model, at least 1.

    Returns:
        `folder`.

    Raises:
        PeerError: a step's config has no instances on CPUs to count.
    """
    for name in models_of(repository, ensemble):
        (folder / name).mkdir(parents=True)
        for path in (repository / name).iterdir():
            if path.name != "config.pbtxt":
                (folder / name / path.name).symlink_to(path.resolve())
        text = (repository / name / "config.pbtxt").read_text("utf-8")
        changed, found = _COUNT.subn(rf"\g<1>{count}", text)
        if not found and name != ensemble:
            raise PeerError(f"{name}'s config says nothing about instances on CPUs")
        (folder / name / "config.pbtxt").write_text(changed, "utf-8")
    return folder


def models_of(repository: Path, ensemble: str) -> list[str]:
    """The ensemble, its steps and what they call, each once."""
    found: list[str] = []
    waiting = [ensemble]
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        found.append(name)
        text = (repository / name / "config.pbtxt").read_text("utf-8")
        waiting += re.findall(r'model_name: "([^"]+)"', text)
        for called in re.findall(r'key: "calls" value \{ string_value: "([^"]+)"', text):
            waiting += called.split(",")
    return found
