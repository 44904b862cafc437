"""What `scripts/load_test service` runs: perf_analyzer against any service of a running server."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from tandem_triton import Client, ClientOptions, Service, TandemError, service_named
from tandem_triton.cli.connection import add_connection_arguments, connection_options
from tandem_triton.core.options import DEFAULT_URLS

from tandem.batching.commands.subjects import connection
from tandem.batching.errors import BatchingError, InvalidInputError
from tandem.batching.measure.perf_analyzer import item_data, run_poisson


def main() -> int:
    """Exit status: 0 if every rate was measured, 1 if not, 2 if the arguments are wrong."""
    options = parse()
    try:
        service = service_named(options.service)
        items = [service.encode(path.read_bytes()) for path in options.items] or [service.probe]
        options.connection = connection(options)
    except (TandemError, InvalidInputError, OSError) as error:
        print(f"scripts/load_test: {error}", file=sys.stderr)
        return 2
    try:
        # perf_analyzer would say of a refused token or a missing model that it got no result.
        with Client(options.url, options=ClientOptions(**connection_options(options))) as client:
            client.call_json(service, items[0])
        print(
            f"{'rate/s':>8} {'answered':>9} {'mean':>8} {'p50':>8} {'p95':>8} {'p99':>8}  ms", file=sys.stderr
        )
        for rate in options.rates:
            print(json.dumps(measure(service, items, rate, options)), flush=True)
    except (TandemError, BatchingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def measure(
    service: Service[object], items: list[bytes], rate: float, options: argparse.Namespace
) -> dict[str, object]:
    """The latencies at one rate; also a line of the table on stderr."""
    requests = max(options.requests, round(rate * options.seconds))
    trace = run_poisson(
        options.url,
        service.name,
        rate,
        requests,
        data=item_data(items, service.input),
        connection=options.connection,
    )
    ms = 1e3 * trace.latency_s
    figures = {"mean": float(ms.mean())}
    figures |= {f"p{q}": float(np.percentile(ms, q)) for q in (50, 95, 99)}
    row = " ".join(f"{figure:8.1f}" for figure in figures.values())
    print(f"{rate:8.4g} {len(ms):9d} {row}", file=sys.stderr)
    rounded = {f"{name}_ms": round(figure, 2) for name, figure in figures.items()}
    return {"service": service.name, "rate_per_s": rate, "answered": len(ms), **rounded}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/load_test service",
        description="Poisson arrivals at a service of a running server: a line of JSON a rate.",
    )
    add = parser.add_argument
    add("service", help="name")
    add("--items", nargs="+", type=Path, default=[], metavar="FILE",
        help="sent in turns; default: the service's own small probe")  # fmt: skip
    add("--rates", type=lambda text: [float(word) for word in text.split(",")], default=[2.0],
        metavar="R,R,…", help="requests a second (default 2)")  # fmt: skip
    add("--seconds", type=float, default=10.0, metavar="S", help="for each rate (default 10)")
    add("--requests", type=int, default=20, metavar="N", help="at least (default 20)")
    add_connection_arguments(parser)
    options = parser.parse_args(sys.argv[2:])
    if options.header:
        parser.error("--header has no use here: perf_analyzer asks the server itself")
    options.url = options.url or DEFAULT_URLS["grpc"]
    return options


if __name__ == "__main__":
    sys.exit(main())
