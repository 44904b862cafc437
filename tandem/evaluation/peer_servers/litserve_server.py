"""The same steps behind LitServe: every worker process holds all steps."""

# No deferred annotations: LitServe hands those of `decode_request` to FastAPI as they are.

import os
import signal
from typing import Annotated

from fastapi import Depends, Request, Response
from litserve import LitAPI, LitServer

from tandem.evaluation.peer_servers.arrangement import parse_arguments
from tandem.evaluation.peer_servers.steps import Steps
from tandem.runtime.setup import REPOSITORY

_TIMEOUT_S = 120


async def _body(request: Request) -> bytes:
    return await request.body()


class Cards(LitAPI):  # type: ignore[misc]  # LitServe is not installed where this is checked
    """Pictures in as they are, results out as they are."""

    def setup(self, device: str) -> None:
        """Load the networks; LitServe calls it in each worker."""
        self._steps = Steps(REPOSITORY)

    def decode_request(self, request: Annotated[bytes, Depends(_body)]) -> bytes:
        """The body is the picture."""
        return request

    def batch(self, inputs: list[bytes]) -> list[bytes]:
        """Pictures of different sizes are no array."""
        return list(inputs)

    def predict(self, x: list[bytes] | bytes) -> list[bytes] | bytes:
        """A batch of pictures to their results; batches of one are handed over as the picture itself."""
        return self._steps.answer([x])[0] if isinstance(x, bytes) else self._steps.answer(x)

    def unbatch(self, output: list[bytes]) -> list[bytes]:
        """The results, in order."""
        return output

    def encode_response(self, output: bytes) -> Response:
        """The result is JSON already."""
        return Response(output, media_type="application/json")


def main() -> None:
    """Serve until ended by a signal."""
    # LitServe's own end by this signal leaves its workers behind.
    signal.signal(signal.SIGTERM, lambda _number, _frame: os.killpg(0, signal.SIGKILL))
    port, arrangement = parse_arguments()
    api = Cards(max_batch_size=arrangement.batch, batch_timeout=arrangement.wait_ms / 1e3)
    server = LitServer(
        api,
        accelerator="cpu",
        workers_per_device=arrangement.workers,
        timeout=_TIMEOUT_S,
        fast_queue=True,
    )
    server.run(
        host="127.0.0.1",
        port=port,
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )


if __name__ == "__main__":
    main()
