"""Triton's adapter for `speech_to_text`: recordings in, text out, windows through `speech_recognizer`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime
import triton_python_backend_utils as pb_utils

from tandem.errors import StepError
from tandem.services.speech_to_text.listening import Heard, Listen
from tandem.services.speech_to_text.options import parse_options
from tandem.services.speech_to_text.tensors import HEARD_TENSORS, LISTEN_TENSORS, pack_listen, unpack_heard
from tandem.services.speech_to_text.transcribe import transcribe
from tandem.services.speech_to_text.turns import FairSteps
from tandem.services.speech_to_text.vocabulary import Vocabulary
from tandem.services.speech_to_text.voice import VOICE_OUTPUTS, voice_of
from tandem.triton.coordinator import Arrays, Coordinator, Item
from tandem.triton.other_models import ask_model
from tandem.triton.responder import model_parameters, stack_padded

BATCH = 2  # windows of one step, the recogniser's max_batch_size
_DEFAULTS = {
    "items": "64",
    "steps": "1",
    "calls": "speech_recognizer",
    "tokenizer": "../speech_recognizer/1/model/tokenizer.json",
    "voice": "1/voice.onnx",
}


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the parameters, and the files that they name relative to this model's folder."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        folder = Path(args["model_repository"])
        self._recognizer = parameters["calls"]
        self._vocabulary = Vocabulary(folder / parameters["tokenizer"])
        self._voice = _session(folder / parameters["voice"])
        self._steps = FairSteps(self._hear, size=BATCH, at_once=int(parameters["steps"]))
        self._coordinator = Coordinator(
            pb_utils,
            model_name=args["model_name"],
            input_name="AUDIO",
            answer=self._transcribe,
            items=int(parameters["items"]),
        )

    def execute(self, requests: Sequence[Any]) -> None:
        """Hands the requests to threads, which respond themselves."""
        self._coordinator.start(requests)

    def finalize(self) -> None:
        """Lets what is under way finish."""
        self._coordinator.close()
        self._steps.close()

    def _transcribe(self, item: Item) -> Any:
        """One recording's result."""
        return transcribe(
            item.data,
            parse_options(item.options),
            steps=self._steps,
            voice=voice_of(self._ask_voice),
            vocabulary=self._vocabulary,
            check_wanted=item.check_wanted,
        )

    def _ask_voice(self, inputs: Arrays) -> Arrays:
        return dict(zip(VOICE_OUTPUTS, self._voice.run(VOICE_OUTPUTS, dict(inputs)), strict=True))

    def _hear(self, windows: Sequence[Listen]) -> list[Heard | BaseException]:
        """A step: two windows are one request, so that nothing can come between them."""
        items = [pack_listen(window) for window in windows]
        inputs = {name: stack_padded([item[name] for item in items]) for name in LISTEN_TENSORS}
        try:
            outputs = ask_model(pb_utils, self._recognizer, HEARD_TENSORS, inputs)
        except StepError as error:
            return [error] * len(windows)
        return [
            unpack_heard({name: array[i] for name, array in outputs.items()}) for i in range(len(windows))
        ]


def _session(path: Path) -> onnxruntime.InferenceSession:
    """The voice activity network. One thread: it takes milliseconds, and every recording brings its own."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: python -m export.voice_activity.set_up makes it")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
