"""What `scripts/evaluate` runs: the evaluation, with a server of its own if none is given."""

from __future__ import annotations

import sys

from tandem.evaluation import document_kinds, evaluate, quality_flags
from tandem.runtime.errors import EmbeddedServerError
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY, ensure_ready

# What is asked elsewhere, or of no server at all.
_SUBCOMMANDS = {"flags": quality_flags.main, "kinds": document_kinds.main}
_SERVERLESS = ("--url", "--records")


def run(arguments: list[str]) -> int:
    """Exit status: 0 if the evaluation ran to its end."""
    main = _SUBCOMMANDS.get(arguments[0] if arguments else "", evaluate.main)
    arguments = arguments[main is not evaluate.main :]
    if any(argument.split("=")[0] in _SERVERLESS for argument in arguments):
        main(arguments)
        return 0
    try:
        ensure_ready(say)
        say("starting Triton …")
        options = ServerOptions(model_repository=REPOSITORY, grpc_port=0, http_port=0, metrics_port=0)
        with TritonServer(options, log=lambda _line: None) as server:
            main([*arguments, "--url", server.grpc_url])
    except EmbeddedServerError as error:
        say(f"error: {error}")
        return 1
    return 0


def say(line: str) -> None:
    """Progress and errors: stdout is for the tables."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
