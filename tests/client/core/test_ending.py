"""A task that misses its cancellation is cancelled again; what it raises is nobody's."""

from __future__ import annotations

import asyncio

from tandem_triton.core.ending import cancel_until_done


async def deaf(times: int) -> None:
    """Goes on after being cancelled so often."""
    for _ in range(times):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue
    await asyncio.sleep(3600)


async def failing() -> None:
    raise ValueError("nobody's")


def test_all_have_ended() -> None:
    async def main() -> list[bool]:
        tasks = [asyncio.create_task(deaf(times)) for times in (0, 1, 2)] + [asyncio.create_task(failing())]
        await asyncio.sleep(0)
        await asyncio.wait_for(cancel_until_done(tasks), 30)
        return [task.done() for task in tasks]

    assert asyncio.run(main()) == [True] * 4


def test_without_tasks_there_is_nothing_to_do() -> None:
    asyncio.run(cancel_until_done([]))
