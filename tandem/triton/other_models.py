"""One model asks another of the same server (Triton calls it business logic scripting, BLS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from tandem.triton.failures import StepFailedError

_CODES = ("INVALID_ARG", "UNAVAILABLE", "CANCELLED", "NOT_FOUND", "UNSUPPORTED")


def ask_model(
    pb_utils: Any, model: str, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """The model's outputs for one request; waits for them. Any thread may call it.

    Args:
        pb_utils: the module `triton_python_backend_utils`, which exists only inside the server.
        model: its name.
        outputs: names of its outputs.
        inputs: as the model takes them, the batch dimension included where it has one.

    Raises:
        StepFailedError: the model answered with an error; its code is kept.
    """
    tensors = [pb_utils.Tensor(name, array) for name, array in inputs.items()]
    asked = pb_utils.InferenceRequest(model_name=model, requested_output_names=list(outputs), inputs=tensors)
    answer = asked.exec()
    if answer.has_error():
        code = answer.error().code()
        error_class = pb_utils.TritonError
        name = next((name for name in _CODES if getattr(error_class, name) == code), "INTERNAL")
        raise StepFailedError(answer.error().message(), code=name)
    found = {tensor.name(): tensor.as_numpy() for tensor in answer.output_tensors()}
    return {name: found[name] for name in outputs}
