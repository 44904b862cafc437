"""`njit` where numba is installed, and the same loops as plain Python where it is not.

The environment of `scripts/demo` has no numba, whose compiler takes 60 MB. The ideal rule needs none: it is
simulated by numpy, many replications side by side. Triton's batcher with a delay and ensembles run these
loops, one event after the other; without numba that is some hundred times slower, but answers.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

HAVE_NUMBA = find_spec("numba") is not None

# What to run where numba is missing: from the checkout, in the environment that the scripts made.
INSTALL_HINT = "run `.venv/bin/pip install -e '.[batching]'` in the checkout"


def compiled(signature: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: numba's `njit`, its result kept on disk; nothing where numba is not installed.

    Args:
        signature: numba's types of the arguments; None compiles at the first call.
    """
    if not HAVE_NUMBA:
        return lambda function: function
    from numba import njit  # noqa: PLC0415 - takes half a second to import

    wrap: Callable[[Callable[..., Any]], Callable[..., Any]] = (
        njit(cache=True, nogil=True) if signature is None else njit(signature, cache=True, nogil=True)
    )
    return wrap
