"""One recording from bytes to the answer, in an event loop that it shares with all others.

What takes time runs elsewhere: decoding and cutting in threads, the networks in their own models. At most
two windows of a recording are under way, so a long one takes two places and no more memory than a short
one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tandem.media.audio import decoded_blocks
from tandem.services.speech_to_text.options import SpeechOptions
from tandem.services.speech_to_text.outcome import Heard
from tandem.services.speech_to_text.transcript import Segment, is_speech, result, segments_of
from tandem.services.speech_to_text.turns import FairSteps, Turn
from tandem.services.speech_to_text.vocabulary import Vocabulary
from tandem.services.speech_to_text.windows import Voice, Window, windows_of

AT_ONCE = 2  # windows of one recording


@dataclass(frozen=True, kw_only=True)
class Listen:
    """What the recogniser is asked: a window's samples, its language (None: detect it), and what to do."""

    samples: NDArray[np.float32]
    language: str | None
    task: str


class StillWanted(Protocol):
    """Is called before each step."""

    def __call__(self) -> None:
        """Raises a `StepError` if the caller has gone."""


@dataclass(frozen=True, kw_only=True)
class Transcriber:
    """What all recordings share.

    Attributes:
        steps: hands windows to the recogniser.
        new_voice: a voice activity network that has heard nothing yet; it is called in a thread.
        vocabulary: of the recogniser.
        threads: where recordings are decoded and cut.
    """

    steps: FairSteps[Listen, Heard]
    new_voice: Callable[[], Voice]
    vocabulary: Vocabulary
    threads: Executor

    async def transcribe(
        self, data: bytes, options: SpeechOptions, still_wanted: StillWanted
    ) -> dict[str, Any]:
        """The answer to one recording, as result.schema.json has it.

        Raises:
            InputError: the recording or an option is not what is asked for.
            StepError: `still_wanted` raised it.
        """
        if options.language is not None:
            self.vocabulary.check_language(options.language)
        windows = windows_of(decoded_blocks(data), self.new_voice())
        segments: list[Segment] = []
        language, turn = options.language, Turn()
        ready = await self._next(windows, 1 if language is None else AT_ONCE)
        while ready:
            still_wanted()
            asked = [
                self.steps.ask(turn, Listen(samples=window.samples, language=language, task=options.task))
                for window in ready
            ]
            # The next windows are cut while these are heard.
            heard, following = await self._gathered(asked, self._next(windows, AT_ONCE))
            for window, outcome in zip(ready, heard, strict=True):
                segments += segments_of(window, outcome, self.vocabulary)
                if language is None and is_speech(outcome):
                    language = outcome.language
            ready = following
        return result(segments, "en" if options.task == "translate" and segments else language)

    async def _next(self, windows: Iterator[Window], count: int) -> list[Window]:
        """Up to `count` further windows."""
        loop = asyncio.get_running_loop()
        found = []
        for _ in range(count):
            window = await loop.run_in_executor(self.threads, next, windows, None)
            if window is None:
                break
            found.append(window)
        return found

    async def _gathered(self, asked: Sequence[Any], following: Any) -> tuple[Sequence[Heard], list[Window]]:
        *heard, windows = await asyncio.gather(*asked, following)
        return heard, windows
