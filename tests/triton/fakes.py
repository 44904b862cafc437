"""The part of `triton_python_backend_utils` that our plumbing uses, without a server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Error(Exception):
    """`TritonError`: codes are themselves."""

    INVALID_ARG, INTERNAL, CANCELLED = "INVALID_ARG", "INTERNAL", "CANCELLED"
    UNAVAILABLE, NOT_FOUND, UNSUPPORTED = "UNAVAILABLE", "NOT_FOUND", "UNSUPPORTED"

    def __init__(self, message: str, code: str = "INTERNAL") -> None:
        super().__init__(message)
        self._code = code

    def code(self) -> str:
        return self._code

    def message(self) -> str:
        return str(self)


class Tensor:
    def __init__(self, name: str, array: NDArray[Any]) -> None:
        self._name, self._array = name, array

    def name(self) -> str:
        return self._name

    def as_numpy(self) -> NDArray[Any]:
        return self._array


class Response:
    def __init__(self, output_tensors: Sequence[Tensor] = (), error: Error | None = None) -> None:
        self.tensors = {tensor.name(): tensor.as_numpy() for tensor in output_tensors}
        self.error_ = error
        self._tensors = list(output_tensors)

    def output_tensors(self) -> list[Tensor]:
        return self._tensors

    def has_error(self) -> bool:
        return self.error_ is not None

    def error(self) -> Error | None:
        return self.error_


class Sender:
    """A request's response sender; `cancelled` may be set by a test."""

    def __init__(self) -> None:
        self.responses: list[Response] = []
        self.cancelled = False

    def send(self, response: Response, flags: int) -> None:
        assert flags == 1
        self.responses.append(response)

    def is_cancelled(self) -> bool:
        return self.cancelled


class Request:
    """What a model's `execute` gets: arrays by name."""

    def __init__(
        self, *, cancelled: bool = False, wanted: Collection[str] = ("RESULT", "OUT"), **arrays: NDArray[Any]
    ) -> None:
        self.arrays = arrays
        self._wanted = list(wanted)
        self.sender = Sender()
        self._cancelled = cancelled

    def requested_output_names(self) -> list[str]:
        return self._wanted

    def is_cancelled(self) -> bool:
        return self._cancelled

    def get_response_sender(self) -> Sender:
        return self.sender


def texts(*items: bytes) -> NDArray[np.object_]:
    """A BYTES tensor [n, 1]."""
    return np.array([[item] for item in items], np.object_)


def fake_backend(network: Callable[[dict[str, NDArray[Any]]], Response] | None = None) -> SimpleNamespace:
    """The module; `network` answers every model that is asked, from its inputs by name."""

    class InferenceRequest:
        def __init__(self, model_name: str, requested_output_names: list[str], inputs: list[Tensor]) -> None:
            self.inputs = {tensor.name(): tensor.as_numpy() for tensor in inputs}

        def exec(self) -> Response:
            assert network is not None
            return network(self.inputs)

    counts: dict[str, int] = {}

    class Family:
        COUNTER = "counter"

        def __init__(self, **_: object) -> None: ...

        def Metric(self, labels: dict[str, str]) -> SimpleNamespace:  # noqa: N802  # Triton's name
            def increment(by: int) -> None:
                counts[labels["code"]] = counts.get(labels["code"], 0) + by

            return SimpleNamespace(increment=increment)

    def tensor_of(request: Request, name: str) -> Tensor | None:
        return Tensor(name, request.arrays[name]) if name in request.arrays else None

    return SimpleNamespace(
        TritonError=Error,
        TritonModelException=RuntimeError,
        MetricFamily=Family,
        Tensor=Tensor,
        InferenceRequest=InferenceRequest,
        InferenceResponse=Response,
        TRITONSERVER_RESPONSE_COMPLETE_FINAL=1,
        get_input_tensor_by_name=tensor_of,
        counts=counts,
    )
