"""What `scripts/evaluate` runs: an evaluation, with a server of its own if none is given."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from export.errors import ExportError
from export.text_embedder.set_up import make_embedder
from export.translator.set_up import make_translator
from export.voice_activity.set_up import make_voice_activity
from export.whisper.set_up import make_speech_recognizer
from tandem.evaluation import (
    evaluate,
    keywords,
    quality_flags,
    speech,
    speech_steps,
    text_speed,
    translation,
)
from tandem.runtime.errors import EmbeddedServerError
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY, ensure_ready


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One of the evaluations.

    Attributes:
        main: takes the arguments, `--url` among them if there is a server.
        set_ups: make what is missing of its models.
        models: what its server serves; empty: all that there is.
        served: whether it needs a server.
    """

    main: Callable[[Sequence[str]], None]
    set_ups: tuple[Callable[[Callable[[str], None]], None], ...] = ()
    models: tuple[str, ...] = ()
    served: bool = True


CARDS = Evaluation(main=evaluate.main)
NAMED = {
    "flags": Evaluation(main=quality_flags.main),
    "keywords": Evaluation(
        main=keywords.main, set_ups=(make_embedder,), models=("text_keywords", "text_embedder")
    ),
    "speech": Evaluation(
        main=speech.main,
        set_ups=(make_speech_recognizer, make_voice_activity),
        models=("speech_to_text", "speech_recognizer"),
    ),
    "speech_steps": Evaluation(main=speech_steps.main, set_ups=(make_speech_recognizer,), served=False),
    "text_speed": Evaluation(main=text_speed.main, set_ups=(make_embedder, make_translator), served=False),
    "translation": Evaluation(
        main=translation.main, set_ups=(make_translator,), models=("text_translation", "translator")
    ),
}
# What is asked elsewhere, or of no server at all.
_SERVERLESS = ("--url", "--records", "--help", "-h")


def run(arguments: list[str]) -> int:
    """Exit status: 0 if the evaluation ran to its end."""
    named = NAMED.get(arguments[0] if arguments else "")
    chosen, arguments = (named, arguments[1:]) if named else (CARDS, arguments)
    if any(argument.split("=")[0] in _SERVERLESS for argument in arguments):
        chosen.main(arguments)
        return 0
    try:
        ensure_ready(say)
        for set_up in chosen.set_ups:
            set_up(say)
        if not chosen.served:
            chosen.main(arguments)
            return 0
        say("starting Triton …")
        with repository_of(chosen.models) as repository:
            options = ServerOptions(model_repository=repository, grpc_port=0, http_port=0, metrics_port=0)
            with TritonServer(options, log=lambda _line: None) as server:
                chosen.main([*arguments, "--url", server.grpc_url])
    except (EmbeddedServerError, ExportError) as error:
        say(f"error: {error}")
        return 1
    return 0


@contextmanager
def repository_of(models: Sequence[str]) -> Iterator[Path]:
    """A model repository with these of ours alone; all of them if none is named."""
    if not models:
        yield REPOSITORY
        return
    with TemporaryDirectory() as folder:
        for model in models:
            (Path(folder) / model).symlink_to(REPOSITORY / model)
        yield Path(folder)


def say(line: str) -> None:
    """Progress and errors: stdout is for the tables."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
