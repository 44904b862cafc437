"""A client of the queue in a process of its own, that a test can stop and let go on.

`python -m tests.gateway.reader URL PREFIX COUNT` asks about COUNT pictures at once, each with a large
answer, and prints how many answers came.
"""

from __future__ import annotations

import asyncio
import json
import sys

from tandem_triton.queue import AsyncQueueClient, QueueNames, QueueOptions

from tests.client.orders import order

# Together far more than the sockets between broker and client hold, so that replies do pile up in the broker.
ANSWER = json.dumps({"cards": [], "padding": "x" * 300_000})


async def main(url: str, prefix: str, count: int) -> None:
    options = QueueOptions(names=QueueNames(prefix=prefix), timeout_s=600)
    async with AsyncQueueClient(url, options) as client:
        answers = await asyncio.gather(*(client.recognize(order(junk=ANSWER)) for _ in range(count)))
    sys.stdout.write(f"{sum(answer == [] for answer in answers)} answers\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3], int(sys.argv[3])))
