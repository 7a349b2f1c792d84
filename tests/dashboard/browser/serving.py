"""A server of pages with its projector, as a process: python -m tests.dashboard.browser.serving STORE DB APP."""

import asyncio
import contextlib
import socket
import sys

import uvicorn

from farandole.cli.apppath import load_app
from farandole.dashboard import Desk, create_app
from farandole.eventstore import connect
from farandole.projections import Runs
from farandole.projections.runs import Database, Pace, Projector, schema_of


async def serve(store_url: str, db: str, app: str, port: int = 0) -> None:
    """Until cancelled; says where, once it answers."""
    choreography = load_app(app)
    database = Database(db, schema_of(choreography.name))
    async with (
        choreography.connect(store_url) as client,
        await connect(store_url, choreography.name, create=False) as store,
    ):
        projector = Projector(store, database, choreography.name, pace=Pace(wait=0.02))
        projecting = asyncio.create_task(projector.run())
        while len(projector.places) < store.partitions:
            await asyncio.sleep(0.01)
            if projecting.done():
                projecting.result()
        runs = Runs(database, choreography.name, patience=20)
        desk = Desk(runs=runs, client=client, events=choreography.events, projector=projector)
        with socket.create_server(("127.0.0.1", port)) as listening:
            config = uvicorn.Config(create_app(desk), log_level="warning", timeout_graceful_shutdown=2)
            print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
            await uvicorn.Server(config).serve(sockets=[listening])
        projecting.cancel()
        await asyncio.gather(projecting, return_exceptions=True)
        await projector.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(*sys.argv[1:4], *map(int, sys.argv[4:])))
