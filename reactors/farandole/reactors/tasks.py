"""Tasks that go on for ever: what ends them is somebody, and not what they wait for."""

import asyncio


def is_being_cancelled() -> bool:
    """Whether somebody cancels the task that runs; else a `asyncio.CancelledError` comes out of what it has called."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
