"""`tandem gateway`: from the message queue to the Triton beside it, until stopped."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys

from tandem_triton.core.errors import TandemError
from tandem_triton.queue import QueueNames

from tandem.gateway.gateway import Gateway
from tandem.gateway.monitor import monitor
from tandem.gateway.options import GatewayOptions

SUMMARY = "Take pictures from the message queue, have the Triton beside it read them, and reply."

_DEFAULTS = GatewayOptions()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See `tandem_triton.cli.main.Command`."""
    add = parser.add_argument
    # In the environment, the password is in no list of processes.
    add("--broker", default=os.environ.get("TANDEM_BROKER", _DEFAULTS.broker_url), metavar="URL",
        help="amqp://user:password@host/ (default: $TANDEM_BROKER, else this machine)")  # fmt: skip
    add("--url", default=_DEFAULTS.triton_url, help="host:port of the Triton's gRPC")
    add("--model", default=_DEFAULTS.model)
    add("--queue", default=_DEFAULTS.names.pictures, help="queue of pictures")
    add("--dead-queue", default=_DEFAULTS.names.dead, help="queue of dead letters")
    add("--longest", type=int, default=_DEFAULTS.names.longest, metavar="N", help="pictures that may wait")
    add("--prefetch", type=int, default=_DEFAULTS.prefetch, metavar="N", help="pictures in hand")
    add("--redelivery-limit", type=int, default=_DEFAULTS.redelivery_limit, metavar="N")
    add("--timeout", type=float, default=_DEFAULTS.timeout_s, metavar="S", help="seconds for a picture")
    add("--monitor-address", default="127.0.0.1")
    add("--monitor-port", type=int, default=8003, help="serves /metrics and /healthz")


def run(arguments: argparse.Namespace) -> int:
    """See `tandem_triton.cli.main.Command`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        options = GatewayOptions(
            broker_url=arguments.broker,
            triton_url=arguments.url,
            model=arguments.model,
            names=QueueNames(pictures=arguments.queue, dead=arguments.dead_queue, longest=arguments.longest),
            prefetch=arguments.prefetch,
            redelivery_limit=arguments.redelivery_limit,
            timeout_s=arguments.timeout,
        )
        asyncio.run(_serve(options, arguments.monitor_address, arguments.monitor_port))
    except (TandemError, ValueError, OSError) as error:
        print(f"tandem gateway: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(options: GatewayOptions, address: str, port: int) -> None:
    gateway = Gateway(options)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, gateway.stop)
    with monitor(gateway.metrics, address, port) as served:
        logging.getLogger(__name__).info("/metrics and /healthz on %s:%d", address, served)
        await gateway.run()
