"""Everything that a step of a service can refuse, and the code each refusal travels under.

    StepError                     INTERNAL      base: never raised itself
    └── InputError                INVALID_ARG   the sender can mend it: what was sent is not what is asked for

`code` is the name of a Triton error code (an attribute of `pb_utils.TritonError`); `retryable` says whether
sending the same bytes again can help. Messages name the limit that was broken, never what was read.
"""

from __future__ import annotations

from typing import ClassVar


class StepError(Exception):
    """Base of every error that a step raises on purpose."""

    code: ClassVar[str] = "INTERNAL"
    retryable: ClassVar[bool] = False


class InputError(StepError):
    """What was sent is not what is asked for."""

    code = "INVALID_ARG"
