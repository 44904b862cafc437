"""What can be wrong with a question about batching, one class each.

    BatchingError
    ├── InvalidInputError       a rate, time, size or objective outside its range
    │   ├── InvalidRateError
    │   └── InvalidServiceTimeError     also: alpha or beta that the measurements do not support
    ├── UnstableError           more items arrive than the setting can ever serve
    ├── UnreachableObjectiveError       no setting meets the SLO; carries the nearest that can be had
    ├── NoExactSolutionError    the rule has no exact solution here; simulate it
    └── ServerError             what a live server said
        ├── ServerDownError
        ├── ModelNotFoundError
        └── CalibrationError    the model answered, but its times cannot be measured

Every message says what is wrong and what to change.
"""

from __future__ import annotations


class BatchingError(Exception):
    """Base of all errors of `tandem.batching`."""


class InvalidInputError(BatchingError, ValueError):
    """A value is outside the range that its name allows."""


class InvalidRateError(InvalidInputError):
    """The arrival rate is not a positive, finite number of items a second."""


class InvalidServiceTimeError(InvalidInputError):
    """A service time is not positive and finite, or alpha and beta cannot be told from the measurements."""


class UnstableError(BatchingError):
    """The queue grows without limit, so no latency exists."""


class UnreachableObjectiveError(BatchingError):
    """No setting meets the objective.

    Attributes:
        nearest_ms: the least value of the objective that any stable setting gives, milliseconds; None where
            no setting is stable.
    """

    def __init__(self, message: str, nearest_ms: float | None = None) -> None:
        super().__init__(message)
        self.nearest_ms = nearest_ms


class NoExactSolutionError(BatchingError):
    """No exact solution is known for this rule with these instances; simulation answers it."""


class ServerError(BatchingError):
    """The live server could not answer."""


class ServerDownError(ServerError):
    """Nothing answers at the address."""


class ModelNotFoundError(ServerError):
    """The server does not serve the model."""


class CalibrationError(ServerError):
    """The model answered, but its service times cannot be measured from the answers."""
