"""Items through a message queue instead of a connection: needs the package `aio-pika` (extra `queue`).

>>> from tandem_triton.queue import QueueClient
>>> with QueueClient("amqp://guest:guest@127.0.0.1/") as client:  # doctest: +SKIP
...     cards = client.recognize("photo.jpg")
"""

from tandem_triton.queue.aio import AsyncQueueClient
from tandem_triton.queue.message import QueueOptions
from tandem_triton.queue.threads import QueueClient
from tandem_triton.queue.topology import QueueNames

__all__ = ["AsyncQueueClient", "QueueClient", "QueueNames", "QueueOptions"]
