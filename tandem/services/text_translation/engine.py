"""What every kind of network behind `translator` can do, and how it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tandem.services.text_translation.prompts import Wanted
from tandem.services.text_translation.translate import Draft

IsCancelled = Callable[[int], bool]


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """How a model runs.

    Attributes:
        device: `cpu` or `cuda`.
        device_index: which GPU.
        compute_type: CTranslate2's name, e.g. `int8` or `int8_float16`.
        threads: on a CPU, of one batch; 0 = CTranslate2 decides.
    """

    device: str = "cpu"
    device_index: int = 0
    compute_type: str = "int8"
    threads: int = 0


class Engine(Protocol):
    """A network that translates sentences."""

    def translate(self, wanted: Sequence[Wanted], is_cancelled: IsCancelled) -> list[Draft]:
        """The drafts, in order.

        Args:
            wanted: sentences.
            is_cancelled: whether nobody waits for a sentence any more, by its place; its draft may then be
                anything.
        """
