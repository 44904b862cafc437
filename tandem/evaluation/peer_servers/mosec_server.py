"""The same steps behind mosec: a worker process holds all steps, or three stages hold a part of them each."""

from __future__ import annotations

import os

from mosec import Server, Worker

from tandem.evaluation.peer_servers.arrangement import parse_arguments
from tandem.evaluation.peer_servers.steps import Found, Steps, Straightened
from tandem.runtime.setup import REPOSITORY

# What mosec reads, ms: sixteen clients wait longer than its 3 s where a picture takes 0.2 s.
_TIMEOUT_MS = 120_000


class _Steps(Worker):  # type: ignore[misc]  # mosec is not installed where this is checked
    """Pictures come in and answers leave as they are."""

    resp_mime_type = "application/json"

    def __init__(self) -> None:
        super().__init__()
        self._steps = Steps(REPOSITORY)

    def deserialize(self, data: bytes) -> bytes:
        return bytes(data)

    def serialize(self, data: bytes) -> bytes:
        return data


class Whole(_Steps):
    """All steps."""

    def forward(self, data: list[bytes] | bytes) -> list[bytes] | bytes:
        """A batch of pictures to their results; batches of one are handed over as the picture itself."""
        return self._steps.answer([data])[0] if isinstance(data, bytes) else self._steps.answer(data)


class Find(_Steps):
    """Decodes and detects."""

    def forward(self, data: list[bytes]) -> list[Found]:
        """A batch of pictures to what is found in them."""
        return self._steps.find(data)


class Straighten(_Steps):
    """Straightens cards and names their kind."""

    def forward(self, data: list[Found]) -> list[Straightened]:
        """A batch of what was found to lanes of text rows."""
        return self._steps.straighten(data)


class Read(_Steps):
    """Recognises and parses."""

    def forward(self, data: list[Straightened]) -> list[bytes]:
        """A batch of lanes to results."""
        return self._steps.read(data)


def main() -> None:
    """Serve until ended by a signal."""
    port, arrangement = parse_arguments()
    os.environ |= {
        "MOSEC_ADDRESS": "127.0.0.1",
        "MOSEC_PORT": str(port),
        "MOSEC_TIMEOUT": str(_TIMEOUT_MS),
        "MOSEC_LOG_LEVEL": "warning",
    }
    server = Server()
    for worker in (Find, Straighten, Read) if arrangement.stages else (Whole,):
        server.append_worker(
            worker,
            num=arrangement.workers,
            max_batch_size=arrangement.batch,
            max_wait_time=arrangement.wait_ms,
        )
    server.run()


if __name__ == "__main__":
    main()
