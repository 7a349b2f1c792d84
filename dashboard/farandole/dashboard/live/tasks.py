"""Tasks that go on for ever, and what ends them."""

import asyncio


def is_meant(_: asyncio.CancelledError) -> bool:
    """Whether somebody cancels the task that runs, and the error does not come out of what it waits for."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
