"""One recording from bytes to the answer, on a thread of its own.

At most one step's windows for each of the recogniser's instances are under way of a recording, and as many
more are cut while those are heard: a long recording takes no more memory than a short one. Where the
recogniser left out the end of a window, that end is asked about again, on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import Any

from tandem.media.audio import decoded_blocks
from tandem.services.speech_to_text.listening import Heard, Listen
from tandem.services.speech_to_text.options import SpeechOptions
from tandem.services.speech_to_text.transcript import Segment, is_speech, result, segments_of
from tandem.services.speech_to_text.turns import FairSteps, Turn
from tandem.services.speech_to_text.vocabulary import TRANSLATE, Vocabulary
from tandem.services.speech_to_text.voice import Voice
from tandem.services.speech_to_text.windows import Window, unheard, windows_of


def transcribe(
    data: bytes,
    options: SpeechOptions,
    *,
    steps: FairSteps[Listen, Heard],
    voice: Voice,
    vocabulary: Vocabulary,
    check_wanted: Callable[[], None],
) -> dict[str, Any]:
    """The answer to one recording, as result.schema.json has it.

    Args:
        data: an encoded recording.
        options: what the caller asks for.
        steps: hands windows to the recogniser.
        voice: a voice activity network that has heard nothing yet.
        vocabulary: of the recogniser.
        check_wanted: is called before each step; raises if nobody waits for the answer any more.

    Raises:
        InputError: the recording or an option is not what is asked for.
        StepError: the recogniser's, or `check_wanted` raised it.
    """
    if options.language is not None:
        vocabulary.check_language(options.language)
    windows = windows_of(decoded_blocks(data), voice)
    segments: list[Segment] = []
    language, turn, at_once = options.language, Turn(), steps.places
    # Only the first window's language is detected, so it goes ahead alone.
    ready = list(islice(windows, 1 if language is None else at_once))
    while ready:
        check_wanted()
        going, ready = ready[:at_once], ready[at_once:]
        asked = steps.ask(
            turn, [Listen(samples=each.samples, language=language, task=options.task) for each in going]
        )
        heard, following = _heard_and_following(asked, windows, at_once - len(ready))
        for window, outcome in zip(going, heard, strict=True):
            segments += segments_of(window, outcome, vocabulary)
            if is_speech(outcome):
                language = language or outcome.language
                ready += unheard(window, window.start_s + float(outcome.times_s[-1]))
        ready += following
    segments.sort(key=lambda segment: segment.start_s)  # what was left out at first comes late
    return result(segments, "en" if options.task == TRANSLATE and segments else language)


def _heard_and_following(
    asked: Sequence[Future[Heard]], windows: Iterator[Window], count: int
) -> tuple[list[Heard], list[Window]]:
    """What was heard, and up to `count` further windows, which are cut meanwhile."""
    try:
        following = list(islice(windows, count))
        return [answer.result() for answer in asked], following
    finally:
        for answer in asked:
            answer.cancel()
