"""How a peer server is arranged, and the arguments that carry it to the server's process."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """How a server's work is shared out.

    Attributes:
        workers: how many take batches, each by itself: processes, or threads of the bare server; at least 1.
        batch: pictures a batch takes at most, at least 1.
        wait_ms: how long an unfilled batch waits for more pictures, ms.
        stages: whether the workers form a pipeline, so many a stage: decode and detect, straighten, read.
    """

    workers: int = 1
    batch: int = 2
    wait_ms: int = 1
    stages: bool = False

    def __post_init__(self) -> None:
        if self.workers < 1 or self.batch < 1 or self.wait_ms < 0:
            raise ValueError(f"needs a worker, a batch of one and no negative wait at least: {self}")

    def arguments(self) -> list[str]:
        """As arguments of a command."""
        return [f"--{name.replace('_', '-')}={int(value)}" for name, value in asdict(self).items()]


def parse_arguments(arguments: Sequence[str] | None = None) -> tuple[int, Arrangement]:
    """The port on this machine to listen on, and the arrangement; defaults where it isn't given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    for name, default in asdict(Arrangement()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=int(default))
    chosen = vars(parser.parse_args(arguments))
    port = int(chosen.pop("port"))
    return port, Arrangement(**{**chosen, "stages": bool(chosen["stages"])})
