"""The options of `tandem plan`, and what can be said of them before any work."""

from __future__ import annotations

import argparse
import math
from importlib.util import find_spec
from pathlib import Path

from tandem.batching.errors import InvalidInputError
from tandem.batching.plan.planner import OBJECTIVES
from tandem.batching.simulate.compiled import INSTALL_HINT

# Measuring a model takes about so long; with its margins well under a minute.
SECONDS_A_MODEL = 20.0
MAX_BATCH = 16
# Until a new replica serves: the image is there, the server starts and loads its models.
REPLICA_S = 30.0
# What an option needs that the environment of `scripts/demo` may not have.
PACKAGES = {
    "plot": ("matplotlib",),
    "report": ("matplotlib",),
    "url": ("tritonclient", "grpc"),
    "write": ("tritonclient", "google.protobuf"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tandem plan`."""
    _add_question(parser.add_argument_group("what is asked"))
    _add_climb(parser.add_argument_group("a rate that changes, and replicas that come late"))
    known = parser.add_argument_group("a model whose times are known")
    known.add_argument("--alpha-ms", type=float, metavar="MS", help="time of a batch, s(b) = alpha + beta b")
    known.add_argument("--beta-ms", type=float, metavar="MS", help="time of an item")
    known.add_argument("--table-ms", metavar="MS,MS,…", help="s(1), s(2), … instead of alpha and beta")
    known.add_argument("--instances", type=int, metavar="C", help="instances of the model (default 1)")
    _add_live(parser.add_argument_group("a model on a live server, measured first"))
    tried = parser.add_argument_group("what is tried")
    tried.add_argument("--rule", choices=("greedy", "strict", "timeout"), help="default: greedy and timeout")
    tried.add_argument("--max-batch", type=int, metavar="M", help=f"largest batch (default {MAX_BATCH})")
    tried.add_argument(
        "--delay-ms",
        action="append",
        default=[],
        metavar="MS[,MS…]",
        help="delays (default: s(1)/4, s(1)/2, s(1))",
    )
    tried.add_argument(
        "--batcher",
        choices=("ideal", "triton"),
        help="the rule as it should be, or Triton's batcher as it is (default: ideal; with --url triton)",
    )
    out = parser.add_argument_group("what comes out")
    out.add_argument("--json", action="store_true", help="print JSON instead of a table")
    out.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="draw latency over rate, and the map of the best M"
    )
    out.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write the answer, plots and table as one HTML file"
    )
    out.add_argument("--write", metavar="NAME", help="write configs/NAME.pbtxt with the recommended setting")
    out.add_argument(
        "--overwrite", action="store_true", help="also where a configs/NAME.pbtxt is that it did not write"
    )
    out.add_argument("--model-repository", type=Path, default=Path("model_repository"), metavar="FOLDER")


def _add_question(ask: argparse._ArgumentGroup) -> None:
    ask.add_argument("--rate", type=float, metavar="R", help="arrivals, items a second")
    ask.add_argument("--rate-max", type=float, metavar="R", help="highest arrivals that must be kept up with")
    ask.add_argument("--objective", choices=OBJECTIVES, default="mean", help="what to make small")
    ask.add_argument("--slo-ms", type=float, default=math.inf, metavar="MS", help="limit of the objective")
    ask.add_argument(
        "--burst",
        metavar="FACTOR,SECONDS,SHARE",
        help="arrivals come in bursts: FACTOR times the mean rate, for SECONDS on average, SHARE of the time "
        "(3,2,0.1); without it they are independent (Poisson)",
    )
    ask.add_argument(
        "--arrivals",
        type=Path,
        metavar="FILE",
        help="arrivals as they were: a time in seconds a line; --rate then makes them faster or slower",
    )


def _add_climb(climb: argparse._ArgumentGroup) -> None:
    climb.add_argument(
        "--ramp",
        metavar="FACTOR,SECONDS",
        help="the rate climbs to FACTOR times --rate within SECONDS (4,300): says when to start the next "
        "replica",
    )
    climb.add_argument(
        "--rates",
        type=Path,
        metavar="FILE",
        help="the same for a rate over the day: a time in seconds and a rate a line, linear between; --rate, "
        "for which the batch is chosen, is then its first rate unless given",
    )
    climb.add_argument(
        "--replica-s",
        type=float,
        default=REPLICA_S,
        metavar="S",
        help=f"from asking for a replica to its first answer (default {REPLICA_S:g})",
    )


def _add_live(live: argparse._ArgumentGroup) -> None:
    live.add_argument("--url", metavar="HOST:PORT", help="the server's gRPC address")
    live.add_argument("--model", metavar="NAME", help="the model or ensemble")
    live.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="sample for a BYTES input, e.g. a picture; again for more of them",
    )
    live.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="NAME=N,…",
        help="shape of an input that varies, one item",
    )
    live.add_argument(
        "--budget-s", type=float, default=SECONDS_A_MODEL, metavar="S", help="time to measure each model"
    )
    live.add_argument(
        "--pid",
        type=int,
        metavar="PID",
        help="the server's process here: tells how many processors a step uses",
    )
    live.add_argument(
        "--processors",
        type=float,
        metavar="P",
        help="processors that an ensemble's steps share (default: all, if it is here and on CPU)",
    )
    _add_watching_and_connection(live)


def _add_watching_and_connection(live: argparse._ArgumentGroup) -> None:
    live.add_argument(
        "--watch",
        action="store_true",
        help="follow the model's own traffic, send nothing, and say when its setting is no longer right",
    )
    live.add_argument(
        "--every-s", type=float, default=10.0, metavar="S", help="with --watch: how often to look"
    )
    live.add_argument(
        "--for-s", type=float, metavar="S", help="with --watch: how long (default: until stopped)"
    )
    live.add_argument(
        "--metrics-file",
        type=Path,
        metavar="FILE.prom",
        help="with --watch: write each verdict here, for node_exporter's textfile collector",
    )
    live.add_argument("--tls", action="store_true", help="speak TLS, trusting the system's authorities")
    live.add_argument("--tls-roots", type=Path, metavar="FILE", help="PEM of the authorities to trust")
    live.add_argument("--tls-key", type=Path, metavar="FILE", help="PEM of our own key, for mutual TLS")
    live.add_argument("--tls-certificate", type=Path, metavar="FILE", help="PEM of our own certificate")
    live.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="its first line is the token that goes along with each request",
    )


def check_packages(arguments: argparse.Namespace) -> None:
    """Say, before any work, what an option needs that is not installed.

    Raises:
        InvalidInputError: a package is missing; the message says what to run.
    """
    for option, packages in PACKAGES.items():
        missing = [name for name in packages if not _installed(name)]
        if getattr(arguments, option, None) and missing:
            raise InvalidInputError(
                f"--{option} needs {' and '.join(missing)}, which is not installed; {INSTALL_HINT}"
            )


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is missing
        return False
