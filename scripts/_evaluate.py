"""What `scripts/evaluate` runs: an evaluation, with a server of its own if none is given."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from export.services import set_up
from tandem.evaluation import (
    document_kinds,
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
from tandem.runtime.setup import REPOSITORY


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One of the evaluations.

    Attributes:
        main: takes the arguments, `--url` among them if there is a server.
        services: what its server serves, or whose networks it runs in this process.
        served: whether it needs a server.
    """

    main: Callable[[Sequence[str]], None]
    services: tuple[str, ...] = ("id_card",)
    served: bool = True


CARDS = Evaluation(main=evaluate.main)
NAMED = {
    "flags": Evaluation(main=quality_flags.main),
    "kinds": Evaluation(main=document_kinds.main, services=("id_card", "find_cards", "document_kind")),
    "keywords": Evaluation(main=keywords.main, services=("text_keywords",)),
    "speech": Evaluation(main=speech.main, services=("speech_to_text",)),
    "speech_steps": Evaluation(main=speech_steps.main, services=("speech_to_text",), served=False),
    "text_speed": Evaluation(
        main=text_speed.main, services=("text_keywords", "text_translation"), served=False
    ),
    "translation": Evaluation(main=translation.main, services=("text_translation",)),
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
        set_up(chosen.services, say)
        if not chosen.served:
            chosen.main(arguments)
            return 0
        say("starting Triton …")
        options = ServerOptions(
            model_repository=REPOSITORY,
            services=chosen.services,
            grpc_port=0,
            http_port=0,
            metrics_port=0,
        )
        with TritonServer(options, log=lambda _line: None) as server:
            chosen.main([*arguments, "--url", server.grpc_url])
    except EmbeddedServerError as error:
        say(f"error: {error}")
        return 1
    return 0


def say(line: str) -> None:
    """Progress and errors: stdout is for the tables."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
