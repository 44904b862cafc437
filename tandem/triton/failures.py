"""What a Python model answers when an item fails, and how it counts that."""

from __future__ import annotations

import logging
import threading
import traceback
from typing import Any

from tandem.errors import StepError

ERROR_METRIC = "tandem_failed_requests"
_UNEXPECTED = "INTERNAL"
_log = logging.getLogger(__name__)


class CancelledError(StepError):
    """Nobody waits for this item any more."""

    code = "CANCELLED"


class StepFailedError(StepError):
    """A model that this one asked answered with an error, whose code it keeps."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code  # type: ignore[misc]  # of this one error, not of the class


def describe(error: Exception, model_name: str) -> tuple[str, str]:
    """The name of a Triton error code, and what to say.

    A `StepError` speaks for itself; any other exception's own message could quote what was read.
    """
    if isinstance(error, StepError):
        return error.code, str(error)
    return _UNEXPECTED, f"{model_name} failed ({type(error).__name__})"


def log_unexpected(error: Exception, model_name: str) -> None:
    """Where it happened, not what was said: an exception's message may quote the item."""
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s failed on a request: %s\n%s", model_name, type(error).__name__, where)


class FailureCounter:
    """Triton's statistics count an error response as a success, so a model counts its failures itself.

    Args:
        pb_utils: the module `triton_python_backend_utils`.
        model_name: the label of the counter.
    """

    def __init__(self, pb_utils: Any, model_name: str) -> None:
        self._model_name = model_name
        self._family = _counter_family(pb_utils)
        self._counters: dict[str, Any] = {}
        self._lock = threading.Lock()

    def count(self, code: str) -> None:
        """One more failure with this code."""
        if self._family is None:
            return
        with self._lock:
            if code not in self._counters:
                self._counters[code] = self._family.Metric(labels={"model": self._model_name, "code": code})
            self._counters[code].increment(1)

    def close(self) -> None:
        """Gives the counters back while the server is there to take them: later the process would crash."""
        with self._lock:
            self._counters.clear()
            self._family = None


def _counter_family(pb_utils: Any) -> Any | None:
    """The family of error counters, or None where the server runs without metrics."""
    try:
        return pb_utils.MetricFamily(
            name=ERROR_METRIC,
            description="Requests a step answered with an error, by model and code",
            kind=pb_utils.MetricFamily.COUNTER,
        )
    except pb_utils.TritonModelException:
        _log.warning("the server has no metrics: failed requests are not counted")
        return None
