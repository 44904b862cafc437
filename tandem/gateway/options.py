"""What may be chosen about a gateway."""

from __future__ import annotations

from dataclasses import dataclass, field

from tandem_triton.queue import QueueNames


@dataclass(frozen=True, kw_only=True)
class GatewayOptions:
    """Options of one gateway.

    Attributes:
        broker_url: `amqp://user:password@host/`.
        triton_url: `host:port` of the gRPC port beside it.
        model: the model to ask.
        names: of the queues, as the clients have them.
        prefetch: messages in hand at most, ≥ 1; two instances' batches of two, and as many ready behind them.
        redelivery_limit: a message that was given out this often without an answer is a dead letter, ≥ 1.
        timeout_s: seconds the Triton has for one picture, > 0.
        stop_timeout_s: seconds to finish what is in hand when told to stop, > 0.
    """

    broker_url: str = "amqp://guest:guest@127.0.0.1/"
    triton_url: str = "127.0.0.1:8001"
    model: str = "id_card"
    names: QueueNames = field(default_factory=QueueNames)
    prefetch: int = 8
    redelivery_limit: int = 8
    timeout_s: float = 30.0
    stop_timeout_s: float = 20.0

    def __post_init__(self) -> None:
        if self.prefetch < 1 or self.redelivery_limit < 1:
            raise ValueError("prefetch and redelivery_limit must be at least 1")
        if self.timeout_s <= 0 or self.stop_timeout_s <= 0:
            raise ValueError("timeout_s and stop_timeout_s must be positive")
