"""Sends items to a live model and collects when each came back."""

from __future__ import annotations

import queue
import time
from typing import Any

import numpy as np

from tandem.batching.errors import CalibrationError
from tandem.batching.measure.live_model import TIMEOUT_S, LiveModel
from tandem.batching.measure.samples import Sample


class Caller:
    """Sends items and collects when each came back.

    Attributes:
        items_sent: so far.
    """

    def __init__(self, client: Any, model: LiveModel, samples: list[Sample]) -> None:
        self._client, self._model, self._samples = client, model, samples
        self.items_sent = 0
        self._sent = 0
        self._done: queue.Queue[tuple[float, Exception | None]] = queue.Queue()

    def send(self, items: int = 1) -> None:
        """Send one request of `items` items, all the next sample."""
        self.send_samples([self._sent % len(self._samples)] * items)
        self._sent += 1

    def send_samples(self, chosen: list[int]) -> None:
        """Send one request of these samples, by their places."""
        import tritonclient.grpc as grpcclient  # noqa: PLC0415 - slow to import

        inputs = []
        for tensor in self._model.inputs:
            array = self._samples[chosen[0]][tensor.name]
            if self._model.batches:
                array = np.stack([self._samples[place][tensor.name] for place in chosen])
            entry = grpcclient.InferInput(tensor.name, list(array.shape), tensor.datatype)
            entry.set_data_from_numpy(array)
            inputs.append(entry)
        self.items_sent += len(chosen)
        self._client.async_infer(self._model.name, inputs, self._take, client_timeout=TIMEOUT_S)

    def _take(self, result: object, error: Exception | None) -> None:
        del result
        self._done.put((time.perf_counter(), error))

    def receive(self) -> float:
        """Clock time at which the next answer came.

        Raises:
            CalibrationError: it was an error, or none came in time.
        """
        try:
            when, error = self._done.get(timeout=TIMEOUT_S)
        except queue.Empty:
            raise CalibrationError(f"{self._model.name} did not answer within {TIMEOUT_S:g} s") from None
        if error is not None:
            raise error
        return when
