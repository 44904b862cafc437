"""What is planned for: a model whose times are known, or one on a live server, which is measured first."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tandem.batching.commands.plan_options import MAX_BATCH
from tandem.batching.errors import InvalidInputError
from tandem.batching.lengths import LengthModel
from tandem.batching.measure.live_model import Connection
from tandem.batching.outcome import Outcome, Station
from tandem.batching.plan.planner import TWO
from tandem.batching.plan.report import measured_text
from tandem.batching.rules import Rule
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.compiled import HAVE_NUMBA, INSTALL_HINT
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.traffic import Traffic
from tandem.batching.solve import solve


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is planned for.

    Attributes:
        name: for people.
        max_batch: its largest batch.
        one_s: s(1), seconds.
        figures: what it does with a given effort, under a rule, with such traffic.
        measured: what was measured of it, lines for people; empty where its times are known.
        station: a single model under a rule; None for ensembles and for items of different lengths.
        spread: coefficient of variation of its service times.
        transport_s: latency beyond the station's, seconds.
        lengths: how a batch's time depends on its items; None where they take about the same time.
        instances: of a model with `lengths`.
    """

    name: str
    max_batch: int
    one_s: float
    figures: Callable[[Effort, Rule, Traffic], Outcome]
    measured: str = ""
    station: Callable[[Rule], Station] | None = None
    spread: float = 0.0
    transport_s: float = 0.0
    lengths: LengthModel | None = None
    instances: int = 1


def known_model(arguments: argparse.Namespace) -> Subject:
    """The model that --alpha-ms and --beta-ms, or --table-ms, describe.

    Raises:
        InvalidInputError: they contradict, or are outside their ranges.
    """
    max_batch = MAX_BATCH if arguments.max_batch is None else arguments.max_batch
    service = known_service(arguments, max(max_batch, TWO))
    instances = 1 if arguments.instances is None else arguments.instances
    triton = arguments.batcher == "triton"
    if triton and arguments.rule != "greedy":
        _warn_of_slow_loops("Triton's batcher with a delay")

    def station(rule: Rule) -> Station:
        return Station(service=service, rule=rule, instances=instances)

    def figures(effort: Effort, rule: Rule, traffic: Traffic) -> Outcome:
        return solve(station(rule), traffic, effort, triton=triton)

    name = f"s(1) = {service.of(1) * 1e3:g} ms, s(2) = {service.of(2) * 1e3:g} ms, {instances} instance(s)"
    return Subject(name=name, max_batch=max_batch, one_s=service.of(1), figures=figures, station=station)


def live_model(arguments: argparse.Namespace) -> Subject:
    """Measure the model first; says what was found on stderr.

    Raises:
        InvalidInputError: an option is missing, contradicts, or names a file that can't be read.
        ServerError: the server or the model can't be measured.
    """
    from tandem.batching.measure import live_model as server  # noqa: PLC0415 - needs tritonclient
    from tandem.batching.measure.processor_time import processor_seconds_by_model  # noqa: PLC0415
    from tandem.batching.plan.measured import measure  # noqa: PLC0415

    if not (arguments.url and arguments.model):
        raise InvalidInputError("a live model needs both --url and --model")
    if arguments.alpha_ms is not None or arguments.beta_ms is not None or arguments.table_ms is not None:
        raise InvalidInputError(
            "with --url the times are measured; leave --alpha-ms, --beta-ms and --table-ms out"
        )
    client = server.connect(arguments.url, connection(arguments))
    if arguments.rule != "greedy" or server.describe_model(client, arguments.model).steps:
        _warn_of_slow_loops("Triton's batcher with a delay, and ensembles")
    found = measure(
        client,
        arguments.model,
        files=[read_file(path, "--data") for path in arguments.data],
        shapes=dict(parse_shape(text) for text in arguments.shape),
        max_batch=arguments.max_batch,
        budget_s=arguments.budget_s,
        processor_clock=partial(processor_seconds_by_model, arguments.pid) if arguments.pid else None,
    )
    shared = arguments.processors
    if shared is None and found.on_cpu and is_here(arguments.url):
        shared = float(os.cpu_count() or 1)
        print(f"its steps share this machine's {shared:g} processors (--processors)", file=sys.stderr)
    if shared is not None:
        found = found.sharing(shared)
    said = measured_text(found)
    if not arguments.data:
        made = ", ".join(f"{tensor.name} {tensor.datatype}" for tensor in found.model.inputs)
        said += (
            f"\nits inputs were made up, all zeros ({made}); give real ones with --data if content matters"
        )
    print(said, file=sys.stderr)
    triton = arguments.batcher != "ideal"
    return Subject(
        name=arguments.model,
        max_batch=found.max_batch,
        one_s=found.one_s,
        figures=lambda effort, rule, traffic: found.figures(rule, traffic, effort, triton=triton),
        measured=said,
        station=found.station,
        spread=found.spread,
        transport_s=found.transport_s,
        lengths=found.lengths,
        instances=found.steps[0].model.instances,
    )


def _warn_of_slow_loops(what: str) -> None:
    """Say before the work that it could be faster."""
    if not HAVE_NUMBA:
        print(
            f"{what} is simulated without a compiler: seconds to a minute instead of moments, and wider "
            f"intervals; to have numba, {INSTALL_HINT}",
            file=sys.stderr,
        )


def connection(arguments: argparse.Namespace) -> Connection:
    """TLS and token in the options.

    Raises:
        InvalidInputError: a file can't be read, or key and certificate are not given together.
    """
    token = None
    if arguments.token_file:
        lines = read_file(arguments.token_file, "--token-file").decode("utf-8", "replace").splitlines()
        token = lines[0].strip() if lines else ""
        if not token or not token.isascii() or not token.isprintable():
            raise InvalidInputError(f"--token-file {arguments.token_file}: its first line must be the token")
    for option in ("tls_roots", "tls_key", "tls_certificate"):
        if path := getattr(arguments, option):
            read_file(path, f"--{option.replace('_', '-')}")
    if (arguments.tls_key is None) != (arguments.tls_certificate is None):
        raise InvalidInputError("--tls-key and --tls-certificate go together")
    return Connection(
        tls=bool(arguments.tls or arguments.tls_roots or arguments.tls_key),
        roots=arguments.tls_roots,
        key=arguments.tls_key,
        certificate=arguments.tls_certificate,
        token=token,
    )


def is_here(url: str) -> bool:
    """True where the address is this machine's own."""
    return url.rpartition(":")[0] in ("localhost", "127.0.0.1", "[::1]")


def read_file(path: Path, option: str) -> bytes:
    """The content of the file that an option names.

    Raises:
        InvalidInputError: it can't be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{option} {path} can't be read: {error.strerror}") from error


def parse_shape(text: str) -> tuple[str, tuple[int, ...]]:
    """Name and sizes of `NAME=3,224,224`.

    Raises:
        InvalidInputError: it has another form.
    """
    name, _, sizes = text.partition("=")
    try:
        return name, tuple(int(size) for size in sizes.split(","))
    except ValueError:
        raise InvalidInputError(f"--shape {text!r}: NAME=3,224,224 is wanted") from None


def known_service(arguments: argparse.Namespace, max_batch: int) -> ServiceTime:
    """s(b) from the options.

    Raises:
        InvalidInputError: neither alpha and beta nor a table, or both, or a table that is too short.
    """
    line = arguments.alpha_ms is not None and arguments.beta_ms is not None
    if line == (arguments.table_ms is not None):
        raise InvalidInputError("give either --alpha-ms and --beta-ms, or --table-ms, or --url and --model")
    if line:
        return ServiceTime.linear(arguments.alpha_ms / 1e3, arguments.beta_ms / 1e3, max_batch)
    service = ServiceTime(tuple(value / 1e3 for value in numbers(arguments.table_ms, "--table-ms")))
    if service.max_batch < max_batch:
        raise InvalidInputError(
            f"--table-ms ends at s({service.max_batch}); give {max_batch} times, or a smaller --max-batch"
        )
    return service


def numbers(text: str, option: str) -> list[float]:
    """The numbers of a comma-separated list.

    Raises:
        InvalidInputError: something in it is no number.
    """
    try:
        return [float(word) for word in text.split(",")]
    except ValueError:
        raise InvalidInputError(f"{option} {text!r}: numbers with commas between them are wanted") from None
