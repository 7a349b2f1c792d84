"""The command `demo`: runs in motion, then a summary and what to try next."""

import asyncio
import logging
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from rich.live import Live
from rich.text import Text

from farandole.cli.errors import Failed
from farandole.cli.following import Lines, News, offsets_of, tell
from farandole.cli.output import Output
from farandole.cli.told import LogTeller, Told
from farandole.eventstore import Stored, without_secrets
from farandole.projections.fold import Applied, RunState, Verdict

from .desk import a_dashboard, show
from .shop import CHOREOGRAPHY, Shop, open_shop
from .summary import print_summary, summary_json
from .view import View

PATIENCE: Final = 60.0
"""Seconds that the six runs may take."""
_MEND_SOON: Final = 1.0
_MEND_LATE: Final = 12.0
_FRAME: Final = 0.125


async def demo(store: str | None, out: Output, *, once: bool, port: int | None = None, browser: bool = True) -> int:
    """Run the demonstration.

    Args:
        port: of the dashboard; None: 8600, or any other if that is taken.
        browser: whether to open it in a browser.
    """
    logging.getLogger("farandole").addHandler(logging.NullHandler())
    logging.getLogger("farandole").propagate = False
    folder = Path(tempfile.mkdtemp(prefix="farandole-demo-"))
    url = store or f"sqlite:///{folder / 'demo.db'}"
    where = without_secrets(url)
    out.print(
        Text.assemble(("The log is at ", "dim"), where, (f", choreography {CHOREOGRAPHY}", "dim")), soft_wrap=True
    )
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(
            open_shop(url, mend_after=_MEND_SOON if once else _MEND_LATE, office=not once)
        )
        seen: str | None = None
        if not once and not out.as_json:
            seen = await stack.enter_async_context(a_dashboard(url, f"sqlite:///{folder / 'tables.db'}", port))
            _tell_of_dashboard(seen, out, browser)
        work = _once(shop) if once else _until_stopped(shop)
        if out.as_json:
            await _telling(shop, work, None if once else lambda told: out.line(told.json()))
        elif out.console.is_terminal:
            await _living(shop, work, where, out, None if once else seen or "")
        else:
            await _telling(shop, work, Lines(out).print)
        if not once and out.as_json:
            return 0
        seconds = time.monotonic() - began
        if out.as_json:
            out.document(summary_json(shop, url, seconds))
        else:
            print_summary(out, shop, url, seconds)
    return 0


def _tell_of_dashboard(url: str | None, out: Output, browser: bool) -> None:
    if url is None:
        out.print("To see it in a browser, too: pip install 'farandole[dashboard]'", soft_wrap=True)
        return
    out.print(Text.assemble(("The dashboard is at ", "dim"), (url, "bold")), soft_wrap=True)
    if browser and out.console.is_terminal:
        show(url)


async def _once(shop: Shop) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            await shop.serve_six()
    except TimeoutError as e:
        still = ", ".join(r.id for r in shop.runs() if r.status.status != "completed")
        raise Failed(f"after {PATIENCE:g} s these runs are still open: {still}; is this machine very busy?") from e


async def _until_stopped(shop: Shop) -> None:
    """Take orders until Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    serving, stopping = asyncio.create_task(shop.serve()), asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    if not stop.is_set():
        serving.result()


async def _telling(shop: Shop, work: Awaitable[None], show: Callable[[Told], None] | None) -> None:
    """Do the work, and tell each record of its runs as it comes."""
    queue: asyncio.Queue[News] = asyncio.Queue()

    def note(record: Stored, out: Applied) -> None:
        if (
            record.key is not None
            and out.verdict is not Verdict.HELD
            and record.key.decode(errors="replace") in shop.stories
        ):
            offsets = offsets_of(out) or (record.offset,)
            closed = out.run is not None and out.run.state is RunState.CLOSED
            queue.put_nowait(News(record, Verdict(out.verdict), offsets, closed))

    async def follow() -> None:
        teller = LogTeller(shop.client)
        while True:
            news = await queue.get()
            for told in await tell(teller, news):
                if show is not None:
                    show(told)
            queue.task_done()

    shop.listeners.append(note)
    following = asyncio.create_task(follow())
    try:
        await work
        await queue.join()
    finally:
        following.cancel()
        await asyncio.wait([following])


async def _living(shop: Shop, work: Awaitable[None], where: str, out: Output, dashboard: str | None) -> None:
    """Do the work under a live view that fills the terminal.

    Args:
        dashboard: where it is; empty: there is none; None: the runs come to their ends.
    """
    if dashboard is None:
        hint = "six runs, to their ends"
    elif dashboard:
        hint = f"Ctrl-C ends it · the dashboard: {dashboard}"
    else:
        hint = f"Ctrl-C ends it · in another terminal: farandole runs -c {CHOREOGRAPHY} -s {where}"
    view = View(shop, where, hint)

    async def draw(live: Live) -> None:
        while True:
            live.refresh()
            await asyncio.sleep(_FRAME)

    with Live(view, console=out.console, screen=True, auto_refresh=False) as live:
        drawing = asyncio.create_task(draw(live))
        try:
            await _telling(shop, work, view.add)
        finally:
            drawing.cancel()
            await asyncio.wait([drawing])
