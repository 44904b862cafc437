"""A batch run slice by slice instead of in one tensor, where that is faster.

On a CPU a large tensor falls out of the cache between one layer and the next, and threads within an operator
wait for each other at its end. Slices that fit into the cache, each on a thread of its own, cost a third less
(docs/decisions/0017-a-leaner-recogniser.md). Triton's batches stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.runtime.onnx_backend.batching import Tensors

Run = Callable[[Tensors, Sequence[str]], dict[str, NDArray[Any]]]


class SliceRunner:
    """Runs each index of the tensors' first two dimensions by itself.

    Args:
        run: computes the named outputs of one slice; called from several threads at once.
        threads: how many slices run at once.
    """

    def __init__(self, run: Run, threads: int) -> None:
        self._run = run
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="slices")

    def __call__(self, feeds: Tensors, outputs: Sequence[str]) -> dict[str, NDArray[Any]]:
        """The outputs of a batch.

        Args:
            feeds: input tensors by name, all with the same first two dimensions (B, L, …).
            outputs: the outputs to compute, (B, L, …) each.

        Raises:
            ValueError: the inputs differ in their first two dimensions, or have none.
        """
        leading = {array.shape[:2] for array in feeds.values()}
        if len(leading) != 1 or len(next(iter(leading))) != 2:
            raise ValueError(f"inputs with other first dimensions than each other's: {sorted(leading)}")
        ((items, lanes),) = leading
        slices = [
            {name: array[item : item + 1, lane : lane + 1] for name, array in feeds.items()}
            for item in range(items)
            for lane in range(lanes)
        ]
        if not slices:  # nothing to slice: let the model say what it makes of it
            return self._run(feeds, outputs)
        results = list(self._workers.map(lambda part: self._run(part, outputs), slices))
        return {
            name: np.concatenate([result[name] for result in results], axis=1).reshape(
                items, lanes, *results[0][name].shape[2:]
            )
            for name in outputs
        }
