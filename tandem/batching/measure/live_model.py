"""A model on a live server: what it is, and its errors in our words. Needs tritonclient."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tandem.batching.errors import CalibrationError, InvalidInputError, ModelNotFoundError, ServerDownError

# How a server that `scripts/serve` started wants its callers' token (`runtime.access`).
TOKEN_METADATA = "triton-grpc-protocol-tandem-token"  # noqa: S105 - a header's name
# Longest that one request or one question to the server may take; a batch of a heavy model on a CPU takes
# seconds.
TIMEOUT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """An input or output.

    Attributes:
        name: its name.
        datatype: Triton's name of the type, e.g. FP32, BYTES.
        shape: per item, without the batch dimension; -1 where it varies.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of an ensemble: which model, and how its tensors are called there.

    Attributes:
        model: the step's model.
        inputs: the model's input to the ensemble's tensor.
        outputs: the model's output to the ensemble's tensor.
    """

    model: str
    inputs: dict[str, str]
    outputs: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class LiveModel:
    """What the server says of a model.

    Attributes:
        name: its name.
        max_batch: `max_batch_size`, 1 where the model does not batch.
        batches: False where tensors have no batch dimension.
        instances: instances over all devices.
        delay_us: `max_queue_delay_microseconds`.
        hold_s: how long it keeps a lone answer back for each other on the way, seconds (the parameter
            `hold_milliseconds` of this project's first steps); 0 for any other model.
        on_cpu: True where instances run on the CPU.
        inputs: its inputs.
        outputs: its outputs.
        steps: the steps of an ensemble, in order; empty for a model.
    """

    name: str
    max_batch: int
    batches: bool
    instances: int
    delay_us: int
    on_cpu: bool
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    steps: tuple[Step, ...]
    hold_s: float = 0.0

    @property
    def fixed_shapes(self) -> bool:
        """True where no input varies: then Triton's batcher is not woken by every request."""
        return all(-1 not in tensor.shape for tensor in self.inputs)

    @property
    def lone_delay_s(self) -> float:
        """What an item that stays alone waits for others, seconds."""
        return self.delay_us / 1e6 if self.max_batch > 1 else 0.0


@dataclass(frozen=True, kw_only=True)
class Connection:
    """How to reach a server.

    Attributes:
        tls: whether to encrypt.
        roots: PEM file of the authorities to trust; None takes the system's.
        key: PEM file of our own key, for mutual TLS.
        certificate: PEM file of our own certificate; given exactly if `key` is.
        token: sent along with each request, as `authorization: Bearer …`, which proxies ask for, and as this
            project's server wants it; None for none.
    """

    tls: bool = False
    roots: Path | None = None
    key: Path | None = None
    certificate: Path | None = None
    token: str | None = None

    def __post_init__(self) -> None:
        if (self.key is None) != (self.certificate is None):
            raise InvalidInputError("a key and a certificate for TLS go together")


PLAIN = Connection()


def connect(url: str, connection: Connection = PLAIN) -> Any:
    """A gRPC client of a live server.

    Args:
        url: its gRPC address, `host:port`.
        connection: encryption and token.

    Raises:
        ServerDownError: nothing answers, it is no Triton server, or it refuses the token or certificate.
    """
    import tritonclient.grpc as grpcclient  # noqa: PLC0415 - slow to import, and only needed here

    files = (connection.roots, connection.key, connection.certificate)
    roots, key, chain = (str(path) if path else None for path in files)
    try:
        client = grpcclient.InferenceServerClient(
            url,
            ssl=connection.tls,
            root_certificates=roots,
            private_key=key,
            certificate_chain=chain,
        )
        if connection.token:
            client.register_plugin(_bearer(connection.token))
        if not client.is_server_live(client_timeout=5.0):
            raise ServerDownError(f"the server at {url} is not live; wait for it, or start it again")
    except grpcclient.InferenceServerException as error:
        raise ServerDownError(
            f"no Triton server answers at {url} ({first_line(error)}); start it, or give its gRPC address"
        ) from error
    return client


def _bearer(token: str) -> Any:
    """A plugin of the client library that sends a token along with each request, in both ways."""
    from tritonclient.grpc import InferenceServerClientPlugin  # noqa: PLC0415

    class Bearer(InferenceServerClientPlugin):  # type: ignore[misc]
        def __call__(self, request: Any) -> None:
            request.headers["authorization"] = f"Bearer {token}"
            request.headers[TOKEN_METADATA] = token

    return Bearer()


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turns the client library's errors about a model into ours.

    Raises:
        ModelNotFoundError: the server does not know the model, or has not loaded it.
        ServerDownError: the server went away.
        CalibrationError: anything else that the server says.
    """
    from tritonclient.utils import InferenceServerException  # noqa: PLC0415

    try:
        yield
    except InferenceServerException as error:
        status, message = str(error.status()), first_line(error)
        if "NOT_FOUND" in status or "unknown model" in message.lower() or "is not ready" in message:
            raise ModelNotFoundError(
                f"the server does not serve a model {name!r} ({message}); check the name, or load it"
            ) from error
        if "restricted" in message:
            raise ServerDownError(
                f"the server wants a token ({message}); give it with --token-file"
            ) from error
        if "UNAVAILABLE" in status and "connect" in message.lower():
            raise ServerDownError(f"the server went away ({message}); start it again") from error
        raise CalibrationError(f"{name} can't be measured: {message}") from error


def first_line(error: Exception) -> str:
    """The first line of an error's message, which may carry a whole traceback."""
    message = getattr(error, "message", None)
    text = str(message() if callable(message) else error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def describe_model(client: Any, name: str) -> LiveModel:
    """What the server says of the model.

    Raises:
        ModelNotFoundError: the server does not serve it.
        ServerDownError: the server went away.
    """
    with translated(name):
        config = client.get_model_config(name, client_timeout=TIMEOUT_S).config
    return from_config(config)


def from_config(config: Any) -> LiveModel:
    """The same from a ModelConfig protobuf."""
    kinds = {group.kind for group in config.instance_group}
    count = sum(group.count * max(len(group.gpus), 1) for group in config.instance_group)
    steps = tuple(
        Step(model=step.model_name, inputs=dict(step.input_map), outputs=dict(step.output_map))
        for step in config.ensemble_scheduling.step
    )
    return LiveModel(
        name=config.name,
        max_batch=max(config.max_batch_size, 1),
        batches=config.max_batch_size > 0,
        instances=max(count, 1),
        delay_us=config.dynamic_batching.max_queue_delay_microseconds,
        on_cpu=kinds <= {_KIND_CPU} and bool(kinds),
        inputs=tuple(map(_tensor, config.input)),
        outputs=tuple(map(_tensor, config.output)),
        steps=steps,
        hold_s=_hold_s(config.parameters),
    )


def _hold_s(parameters: Any) -> float:
    """What `hold_milliseconds` says; 0 where a stranger's model means something else by that name."""
    text = parameters[_HOLD].string_value if _HOLD in parameters else ""
    return float(text) / 1000 if re.fullmatch(r"\d+(\.\d*)?", text) else 0.0


_HOLD = "hold_milliseconds"
# ModelInstanceGroup.Kind in Triton's model_config.proto.
_KIND_CPU = 2
# DataType in Triton's model_config.proto, by number.
_DATATYPES = (
    "INVALID", "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
    "FP16", "FP32", "FP64", "BYTES", "BF16",
)  # fmt: skip


def _tensor(field: Any) -> Tensor:
    return Tensor(name=field.name, datatype=_DATATYPES[field.data_type], shape=tuple(field.dims))
