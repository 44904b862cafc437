"""One session for each shape of a model's inputs, where a session that changes between shapes is slow.

With cuDNN 9, ONNX Runtime's convolutions keep the plan of the last shape alone: a batch of two after a batch
of one plans them all again, however often both came before. A server that batches changes the shape often.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

from tandem.runtime.onnx_backend.batching import Tensors

Shapes = tuple[tuple[str, tuple[int, ...]], ...]


class ShapeSessions:
    """Sessions of one model, each kept for the inputs' shapes that it ran last.

    Args:
        make: loads the model once more.
        most: how many sessions there may be, 1 or more. A further shape takes over the session whose shape
            has not come for longest, which then plans anew.
    """

    def __init__(self, make: Callable[[], Any], most: int) -> None:
        self._make, self._most = make, max(most, 1)
        self._spare = [make()]  # what is wrong with the model shows at once
        self._by_shapes: OrderedDict[Shapes, Any] = OrderedDict()
        self._lock = Lock()  # slices ask from several threads

    @property
    def any(self) -> Any:
        """One of them, to ask what the model is."""
        return self._spare[0] if self._spare else next(iter(self._by_shapes.values()))

    def of(self, feeds: Tensors) -> Any:
        """The session for these inputs."""
        shapes = tuple(sorted((name, array.shape) for name, array in feeds.items()))
        with self._lock:
            session = self._by_shapes.pop(shapes, None)
            if session is None:
                session = self._next()
            self._by_shapes[shapes] = session  # at the end: the last one used
        return session

    def _next(self) -> Any:
        if self._spare:
            return self._spare.pop()
        if len(self._by_shapes) < self._most:
            return self._make()
        return self._by_shapes.popitem(last=False)[1]
