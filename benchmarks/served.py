"""`farandole serve` for a choreography, and a client of it."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2


@asynccontextmanager
async def serving(store: str, db: str, choreography: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A server of its tables, and projector, in a process of its own."""
    env = {**os.environ, "FARANDOLE_STORE": store, "FARANDOLE_DB": db}
    command = (sys.executable, "-m", "farandole.cli", "serve", "-c", choreography, "--port", "0", "--json")
    server = await asyncio.create_subprocess_exec(*command, env=env, stderr=asyncio.subprocess.PIPE)
    assert server.stderr is not None
    try:
        while line := (await server.stderr.readline()).decode():
            if found := re.search(r"on (http://[^\s\"]+)", line):
                break
        else:
            raise SystemExit("the server did not begin")
        async with httpx2.AsyncClient(base_url=found[1], timeout=None) as http:
            yield http
    finally:
        server.terminate()
        await server.communicate()
