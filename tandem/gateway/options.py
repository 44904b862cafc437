"""What may be chosen about a gateway."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tandem_triton import ClientOptions, RetryPolicy, Service, TlsOptions
from tandem_triton.queue import QueueNames
from tandem_triton.queue.connection import check_broker_url
from tandem_triton.services.id_card import SERVICE as ID_CARD


@dataclass(frozen=True, kw_only=True)
class GatewayOptions:
    """Options of one gateway.

    Attributes:
        broker_url: `amqp://user:password@host/`, or `amqps://…`.
        triton_url: `host:port` of the gRPC port beside it.
        services: whose queues it consumes, at least one.
        names: of the broker's queues, as the clients have them.
        prefetch: messages of a service in hand at most, ≥ 1; two instances' batches of two, and as many
            ready behind them.
        redelivery_limit: a message whose item failed this often, where others pass, is a dead letter; ≥ 1.
        timeout_s: seconds the Triton has for one item, > 0.
        confirm_timeout_s: seconds the broker has to confirm a reply, > 0.
        stop_timeout_s: seconds to finish what is in hand when told to stop, > 0.
        tls: of the connection to the Triton; None for a plain one.
        token: that the Triton asks of its callers.
    """

    broker_url: str = "amqp://guest:guest@127.0.0.1/"
    triton_url: str = "127.0.0.1:8001"
    services: tuple[Service[Any], ...] = (ID_CARD,)
    names: QueueNames = field(default_factory=QueueNames)
    prefetch: int = 8
    redelivery_limit: int = 8
    timeout_s: float = 30.0
    confirm_timeout_s: float = 30.0
    stop_timeout_s: float = 20.0
    tls: TlsOptions | None = None
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_broker_url(self.broker_url)
        if not self.services:
            raise ValueError("at least one service must be named")
        if self.prefetch < 1 or self.redelivery_limit < 1:
            raise ValueError("prefetch and redelivery_limit must be at least 1")
        if min(self.timeout_s, self.confirm_timeout_s, self.stop_timeout_s) <= 0:
            raise ValueError("timeouts must be positive")

    def client_options(self, retry: RetryPolicy) -> ClientOptions:
        """The options of the client that asks the Triton."""
        return ClientOptions(
            timeout_s=self.timeout_s,
            # The probes' places beside the messages'.
            max_in_flight=(self.prefetch + 1) * len(self.services),
            retry=retry,
            tls=self.tls,
            token=self.token,
        )
