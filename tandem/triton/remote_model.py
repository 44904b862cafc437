"""Another model of the same server, asked from within a Python model (Triton's business logic scripting).

The asked model batches such requests with those of the ensemble, on the device that its config names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.errors import StepError


class RemoteModelError(StepError):
    """Another model of the server did not answer."""


class RemoteModel:
    """A model with one input, as a function over arrays.

    Args:
        pb_utils: the module `triton_python_backend_utils`, which exists only inside the server.
        name: the model.
        input_name: its input.
        output_names: its outputs, in the order in which they are given back.
    """

    def __init__(self, pb_utils: Any, *, name: str, input_name: str, output_names: Sequence[str]) -> None:
        self._pb_utils = pb_utils
        self._name = name
        self._input_name = input_name
        self._output_names = list(output_names)

    def __call__(self, batch: NDArray[Any]) -> list[NDArray[Any]]:
        """The outputs for a batch (n, ...), n at most the model's `max_batch_size`.

        Raises:
            RemoteModelError: the model answered with an error; the message names the model alone.
        """
        request = self._pb_utils.InferenceRequest(
            model_name=self._name,
            requested_output_names=self._output_names,
            inputs=[self._pb_utils.Tensor(self._input_name, batch)],
        )
        response = request.exec()
        if response.has_error():
            raise RemoteModelError(f"{self._name} could not be asked")
        tensors = [self._pb_utils.get_output_tensor_by_name(response, name) for name in self._output_names]
        return [np.asarray(tensor.as_numpy()) for tensor in tensors]
