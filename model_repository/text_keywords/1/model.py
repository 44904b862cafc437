"""Triton's adapter for `text_keywords`: passages in, keywords out, phrases through `text_embedder`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from tandem.services.text_keywords import candidates
from tandem.services.text_keywords.keywords import keywords_of_bytes
from tandem.services.text_keywords.lanes import Lane
from tandem.services.text_keywords.tokens import TextTokenizer
from tandem.triton.coordinator import Coordinator, Item
from tandem.triton.responder import model_parameters

_DEFAULTS = {"items": "16", "calls": "text_embedder", "tokenizer": "../text_embedder"}


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the dictionary and the tokenizer (its path: relative to this folder); starts the threads."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        candidates.load()
        self._network = parameters["calls"]
        self._tokenizer = TextTokenizer(Path(args["model_repository"]) / parameters["tokenizer"])
        self._coordinator = Coordinator(
            pb_utils,
            model_name=args["model_name"],
            input_name="TEXT",
            answer=self._keywords,
            items=int(parameters["items"]),
        )

    def execute(self, requests: Sequence[Any]) -> None:
        """Hands the requests to threads, which respond themselves."""
        self._coordinator.start(requests)

    def finalize(self) -> None:
        """Lets what is under way finish."""
        self._coordinator.close()

    def _keywords(self, item: Item) -> Any:
        """One passage's result."""

        def embed(lanes: Sequence[Lane]) -> Iterator[NDArray[np.float32]]:
            pieces = [lane.tensors() for lane in lanes]
            for answer in item.ask(self._network, ("EMBEDDINGS",), pieces):
                yield answer["EMBEDDINGS"]

        return keywords_of_bytes(item.data, item.options, self._tokenizer, embed)
