"""Writes reference models into a model repository: models whose s(b) is set (see `reference_model`)."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tandem.batching.errors import InvalidInputError
from tandem.batching.service_time import ServiceTime

_SOURCE = Path(__file__).with_name("reference_model.py")
_CONFIG = """\
backend: "python"
max_batch_size: {max_batch}
input [ {{ name: "ITEM" data_type: TYPE_FP32 dims: [ 1 ] }} ]
output [ {{ name: "SAME" data_type: TYPE_FP32 dims: [ 1 ] }} ]
instance_group [ {{ kind: KIND_CPU count: {instances} }} ]
parameters {{ key: "ALPHA_MS" value: {{ string_value: "{alpha_ms}" }} }}
parameters {{ key: "BETA_MS" value: {{ string_value: "{beta_ms}" }} }}
"""


_BATCHER = """\
dynamic_batching {{ preferred_batch_size: [ {max_batch} ] max_queue_delay_microseconds: {delay_us} }}
"""


@dataclass(frozen=True, kw_only=True)
class ReferenceModel:
    """A model that waits alpha + beta b.

    Attributes:
        name: its name on the server.
        alpha_ms: time of a batch, milliseconds.
        beta_ms: time of an item, milliseconds.
        max_batch: `max_batch_size` and the preferred size.
        delay_us: `max_queue_delay_microseconds`.
        instances: how many.
        dynamic: False leaves the batcher out: then every request runs by itself, whatever waits.
    """

    name: str
    alpha_ms: float
    beta_ms: float
    max_batch: int
    delay_us: int = 0
    instances: int = 1
    dynamic: bool = True

    def __post_init__(self) -> None:
        ServiceTime.linear(self.alpha_ms / 1e3, self.beta_ms / 1e3, self.max_batch)
        if self.delay_us < 0 or self.instances < 1:
            raise InvalidInputError("the delay must be 0 or more, and the instances 1 or more")


def write_reference_model(repository: Path, model: ReferenceModel) -> None:
    """Make the model's folder in the repository: config and code.

    Args:
        repository: an existing folder, or one to be made.
        model: which.
    """
    version = repository / model.name / "1"
    version.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_SOURCE, version / "model.py")
    template = _CONFIG + (_BATCHER if model.dynamic else "")
    config = template.format(**{field: getattr(model, field) for field in model.__dataclass_fields__})
    (version.parent / "config.pbtxt").write_text(f'name: "{model.name}"\n{config}', encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class PaddedModel:
    """A stand-in for models of sound and text (see `padded_model`).

    Attributes:
        name: its name on the server.
        alpha_ms: time of a batch, milliseconds.
        character_ms: time of a character of its longest text, milliseconds.
        extra: what each further text costs, padded, as a share of the first.
        max_batch: `max_batch_size` and the preferred size.
    """

    name: str
    alpha_ms: float
    character_ms: float
    extra: float
    max_batch: int

    def seconds(self, lengths: Sequence[int]) -> float:
        """What a batch of texts takes, seconds."""
        padded = self.character_ms * max(lengths) * (1 + self.extra * (len(lengths) - 1))
        return (self.alpha_ms + padded) / 1e3


_PADDED_CONFIG = """\
name: "{name}"
backend: "python"
max_batch_size: {max_batch}
input [ {{ name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] }} ]
output [ {{ name: "SAME" data_type: TYPE_STRING dims: [ 1 ] }} ]
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
dynamic_batching {{ preferred_batch_size: [ {max_batch} ] }}
parameters {{ key: "ALPHA_MS" value: {{ string_value: "{alpha_ms}" }} }}
parameters {{ key: "CHARACTER_MS" value: {{ string_value: "{character_ms}" }} }}
parameters {{ key: "EXTRA" value: {{ string_value: "{extra}" }} }}
"""


def write_padded_model(repository: Path, model: PaddedModel) -> None:
    """Make the model's folder in the repository: config and code."""
    version = repository / model.name / "1"
    version.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_SOURCE.with_name("padded_model.py"), version / "model.py")
    config = _PADDED_CONFIG.format(**{field: getattr(model, field) for field in model.__dataclass_fields__})
    (version.parent / "config.pbtxt").write_text(config, encoding="utf-8")
