"""The same steps without a server worth the name: one process, Python's own HTTP, batches by a queue."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from tandem.evaluation.peer_servers.arrangement import Arrangement, parse_arguments
from tandem.evaluation.peer_servers.plain_http import server_of
from tandem.evaluation.peer_servers.steps import Steps
from tandem.runtime.setup import REPOSITORY

AnswerBatch = Callable[[Sequence[bytes]], Sequence[bytes]]


class Batcher:
    """Pictures of many callers as batches.

    Args:
        answer: gives a batch's answers in order; called from `arrangement.workers` threads.
        arrangement: how many threads, how large a batch, how long it waits.
    """

    def __init__(self, answer: AnswerBatch, arrangement: Arrangement) -> None:
        self._answer = answer
        self._arrangement = arrangement
        self._waiting: queue.SimpleQueue[tuple[bytes, Future[bytes]]] = queue.SimpleQueue()
        for _ in range(arrangement.workers):
            threading.Thread(target=self._work, daemon=True).start()

    def __call__(self, data: bytes) -> bytes:
        """The picture's answer; what `answer` raises is raised to every caller of its batch."""
        future: Future[bytes] = Future()
        self._waiting.put((data, future))
        return future.result()

    def _work(self) -> None:
        while True:
            batch = self._batch()
            try:
                answers = self._answer([data for data, _ in batch])
                for (_, future), answer in zip(batch, answers, strict=True):
                    future.set_result(answer)
            except Exception as error:  # the callers' to deal with
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)

    def _batch(self) -> list[tuple[bytes, Future[bytes]]]:
        batch = [self._waiting.get()]
        until = time.monotonic() + self._arrangement.wait_ms / 1e3
        while len(batch) < self._arrangement.batch:
            try:
                batch.append(self._waiting.get(timeout=max(until - time.monotonic(), 0)))
            except queue.Empty:
                break
        return batch


def main() -> None:
    """Serve until ended by a signal."""
    port, arrangement = parse_arguments()
    server_of(Batcher(Steps(REPOSITORY).answer, arrangement), port).serve_forever()


if __name__ == "__main__":
    main()
