"""`tandem gateway`: from the message queue to the Triton beside it, until stopped."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys

from tandem_triton import TandemError, service_named
from tandem_triton.cli.connection import add_connection_arguments, connection_options
from tandem_triton.cli.environment import take_environment
from tandem_triton.cli.exits import EXIT_FAILED, EXIT_USAGE
from tandem_triton.queue import QueueNames

from tandem.gateway.gateway import Gateway
from tandem.gateway.monitor import monitor
from tandem.gateway.options import GatewayOptions

SUMMARY = "Take items from the message queue, ask the Triton beside it, and reply."

_DEFAULTS = GatewayOptions()
# Not the server's own TANDEM_TLS_CERTIFICATE …: the gateway is a caller, with a certificate of its own.
_VARIABLES = "TANDEM_GATEWAY_"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See `tandem_triton.cli.main.Command`."""
    add = parser.add_argument
    # In the environment, the password is in no list of processes.
    add("--broker", default=os.environ.get("TANDEM_BROKER", _DEFAULTS.broker_url), metavar="URL",
        help="amqp://user:password@host/ (default: $TANDEM_BROKER, else this machine)")  # fmt: skip
    add("--services", default="id_card", metavar="NAME,…", help="whose queues to consume (default id_card)")
    add("--model", metavar="NAME", help="ask the Triton for this model instead of the one service's own")
    add("--prefix", default=_DEFAULTS.names.prefix, help="of the names of exchanges and queues")
    add("--longest", type=int, default=_DEFAULTS.names.longest, metavar="N",
        help="items of a service that may wait (default %(default)s)")  # fmt: skip
    add("--dead-expiry", type=float, default=_DEFAULTS.names.dead_expiry_s, metavar="S",
        help="seconds that a dead letter is kept (default three days)")  # fmt: skip
    add("--prefetch", type=int, default=_DEFAULTS.prefetch, metavar="N",
        help="items of a service in hand (default %(default)s)")  # fmt: skip
    add("--redelivery-limit", type=int, default=_DEFAULTS.redelivery_limit, metavar="N",
        help="after so many failures, where others pass, an item is a dead letter")  # fmt: skip
    add("--timeout", type=float, default=_DEFAULTS.timeout_s, metavar="S", help="seconds for an item")
    add("--confirm-timeout", type=float, default=_DEFAULTS.confirm_timeout_s, metavar="S",
        help="seconds that the broker has to confirm a reply (default %(default)g)")  # fmt: skip
    add("--monitor-address", default="127.0.0.1")
    add("--monitor-port", type=int, default=8003, help="serves /metrics and /healthz")
    add_connection_arguments(parser)
    take_environment(parser, _VARIABLES)


def run(arguments: argparse.Namespace) -> int:
    """See `tandem_triton.cli.main.Command`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        options = _options(arguments)
    except (TandemError, ValueError, TypeError) as error:
        print(f"tandem gateway: {error}", file=sys.stderr)
        return EXIT_USAGE
    try:
        asyncio.run(_serve(options, arguments.monitor_address, arguments.monitor_port))
    except (TandemError, ValueError, OSError) as error:
        print(f"tandem gateway: {error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


def _options(arguments: argparse.Namespace) -> GatewayOptions:
    services = tuple(service_named(name) for name in dict.fromkeys(arguments.services.split(",")))
    if arguments.model is not None:
        if len(services) != 1:
            raise ValueError("--model needs exactly one service")
        services = (services[0].served_as(arguments.model),)
    connection = connection_options(arguments)
    if connection.pop("metadata"):
        raise ValueError("a gateway stands beside its Triton: --header has no use here")
    return GatewayOptions(
        broker_url=arguments.broker,
        triton_url=arguments.url or _DEFAULTS.triton_url,
        services=services,
        names=QueueNames(
            prefix=arguments.prefix, longest=arguments.longest, dead_expiry_s=arguments.dead_expiry
        ),
        prefetch=arguments.prefetch,
        redelivery_limit=arguments.redelivery_limit,
        timeout_s=arguments.timeout,
        confirm_timeout_s=arguments.confirm_timeout,
        **connection,
    )


async def _serve(options: GatewayOptions, address: str, port: int) -> None:
    gateway = Gateway(options)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, gateway.stop)
    with monitor(gateway.metrics, address, port) as served:
        logging.getLogger(__name__).info("/metrics and /healthz on %s:%d", address, served)
        await gateway.run()
