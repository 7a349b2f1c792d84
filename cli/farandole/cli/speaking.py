"""What the steps of one run say, written beside the records that `tail` tells."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from farandole.reactors import Live
from farandole.reactors.client import Client

from .speech import Speech


@asynccontextmanager
async def speaking(client: Client, run_id: str | None, speech: Speech | None) -> AsyncIterator[None]:
    """Write it while the block runs; nothing without a run and a place to write to."""
    if run_id is None or speech is None:
        yield
        return
    writing = asyncio.create_task(_write(client, run_id, speech))
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        speech.pause()


async def _write(client: Client, run_id: str, speech: Speech) -> None:
    async for each in client.run(run_id).live():
        if isinstance(each, Live):
            speech.hear(each)
