"""The dashboard beside the demonstration."""

import asyncio
import os
import sys
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from .office import bakery

PORT: Final = 8600
_PATIENCE: Final = 30.0


@asynccontextmanager
async def a_dashboard(store: str, db: str, port: int | None) -> AsyncIterator[str | None]:
    """Serve the dashboard; gives where, or None if what it needs is not installed.

    Args:
        port: None: 8600, or any other if that is taken.

    Raises:
        DashboardMisconfigured: the port is taken.
    """
    try:
        from farandole.dashboard import DashboardMisconfigured, Settings
        from farandole.dashboard.serving import serve
    except ImportError:
        yield None
        return
    for at in (PORT, 0) if port is None else (port,):
        up: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(bakery, store, db, Settings(port=at), ready=up.set_result))
        either: list[asyncio.Future[Any]] = [up, serving]
        await asyncio.wait(either, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if up.done():
            break
        serving.cancel()
        (failed,) = await asyncio.gather(serving, return_exceptions=True)
        if not (isinstance(failed, DashboardMisconfigured) and at == PORT and port is None):
            raise failed if isinstance(failed, Exception) else TimeoutError("the dashboard does not come up")
    try:
        yield up.result()
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def show(url: str) -> None:
    """Open a browser there, if this is a desktop."""
    if sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)
