"""Everything that can go wrong between "start" and "ready", one class a cause.

EmbeddedServerError
├── InstallationError       the server's wheel, its stub or a library is missing or doesn't fit
├── ModelRepositoryError    what is to be served can't be: found before the server starts
│   ├── BrokenConfigError       a config.pbtxt can't be read
│   ├── MissingModelFileError   a model's file isn't there (set-up not done)
│   ├── UnknownServiceError     a service was asked for that no repository has
│   └── WrongProcessorError     a model's file was made for processors unlike this one
├── AddressError            the address to listen on isn't one of this machine's
├── PortTakenError          another process listens on a port
├── ModelLoadError          the server refused a model
├── ServerDiedError         the server process ended by itself
│   └── ServerCrashedError      a signal ended it
├── ModelProcessDiedError   a model's process ended; the server lives on, but can't use it any more
├── GaveUpError             the server ended again and again
├── StartTimeoutError       not ready in time
├── SetupError              a step of the set-up failed
└── OnnxModelError          the ONNX backend: settings and graph don't fit each other or this machine

`code` is a stable name for programs, `retryable` says whether the same call may work later without anybody
changing anything. Every message says what to do.
"""

from __future__ import annotations

from typing import ClassVar


class EmbeddedServerError(Exception):
    """Base of all errors of `tandem.runtime`."""

    code: ClassVar[str] = "embedded_server"
    retryable: ClassVar[bool] = False


class InstallationError(EmbeddedServerError):
    """The server's wheel, the stub for this Python, or a shared library is missing or doesn't fit."""

    code = "installation"


class ModelRepositoryError(EmbeddedServerError):
    """The model repository can't be served as it is."""

    code = "model_repository"


class BrokenConfigError(ModelRepositoryError):
    """A model's config file can't be read."""

    code = "broken_config"


class MissingModelFileError(ModelRepositoryError):
    """A model's file isn't where its config says."""

    code = "missing_model_file"


class UnknownServiceError(ModelRepositoryError):
    """A service was asked for that no model repository has."""

    code = "unknown_service"


class WrongProcessorError(ModelRepositoryError):
    """A model's file was made for processors that can do more than this one."""

    code = "wrong_processor"


class AddressError(EmbeddedServerError):
    """The server can't listen on that address."""

    code = "address"


class PortTakenError(EmbeddedServerError):
    """Another process listens on a port that the server was told to use."""

    code = "port_taken"
    retryable = True


class ModelLoadError(EmbeddedServerError):
    """The server refused a model.

    Attributes:
        model: the model's name, empty where the server didn't say.
        reason: the server's own words.
    """

    code = "model_load"

    def __init__(self, message: str, *, model: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.model = model
        self.reason = reason


class ServerDiedError(EmbeddedServerError):
    """The server process ended before or while it was needed."""

    code = "server_died"


class ServerCrashedError(ServerDiedError):
    """A signal ended the server: a fault of its own, or somebody's; a new server may do better."""

    code = "server_crashed"
    retryable = True


class ModelProcessDiedError(EmbeddedServerError):
    """The process of a Python model ended; Triton does not start it again, a new server does."""

    code = "model_process_died"
    retryable = True


class GaveUpError(EmbeddedServerError):
    """The server ended so often in a short time that starting it again makes no sense."""

    code = "gave_up"


class StartTimeoutError(EmbeddedServerError):
    """The server wasn't ready before the deadline."""

    code = "start_timeout"
    retryable = True


class SetupError(EmbeddedServerError):
    """A step of the set-up failed."""

    code = "setup"


class OnnxModelError(EmbeddedServerError):
    """An ONNX model's settings and its graph don't fit each other or this machine."""

    code = "onnx_model"
