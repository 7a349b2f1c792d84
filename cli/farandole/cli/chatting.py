"""`chat`: a conversation with an agent in a terminal. All of it is a run, and nothing of it is anywhere else."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from rich.text import Text

from farandole.reactors import Recorded
from farandole.reactors.client import Client
from farandole.reactors.handle import RunHandle

from .consenting import Consenting
from .developing import dev_store
from .errors import CliError
from .leaving import not_held_up
from .lines import Lines
from .logs import set_up
from .output import Output, safe
from .running import Target, answering, attached, existing
from .talkable import Talkable
from .transcript import Transcript
from .words import CLOSED

_GRACE: Final = 2.0
_LOOK: Final = 0.2
"""Seconds after which one looks again how the run stands, where nothing has happened that would tell."""


async def chat(
    talkable: Talkable, app: str, store: str | None, run_id: str | None, out: Output, *, by: str, works: bool | None
) -> int:
    """Talk until there is nothing more to be said.

    Args:
        run_id: the run to go on with; None: a new one.
        by: who answers questions.
        works: whether the choreography is worked here; None: if no store was named.
    """
    set_up("warning", "text")
    url = dev_store(store)
    async with _client(talkable, url, works if works is not None else store is None) as client:
        talk = _Talk(talkable, client, out, by)
        with Lines() as lines:
            try:
                if run_id is not None:
                    await talk.resume(run_id, lines)
                else:
                    talk.greet()
                await talk.go_on(lines)
            finally:
                talk.leave(app, store)
    return 0


@asynccontextmanager
async def _client(talkable: Talkable, url: str, works: bool) -> AsyncIterator[Client]:
    if not works:
        async with attached(Target(talkable.choreography, url)) as client:
            yield client
        return
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(not_held_up(talkable.choreography))
        async with answering(url):
            client = await stack.enter_async_context(talkable.choreography.work(url, grace=_GRACE))
        yield client


class _Talk:
    def __init__(self, talkable: Talkable, client: Client, out: Output, by: str) -> None:
        self._talkable = talkable
        self._client = client
        self._out = out
        self._run: RunHandle | None = None
        self._transcript = Transcript(talkable, out)
        self._consenting = Consenting(client, out, self._transcript.speech, by)
        self._told: set[str] = set()

    def greet(self) -> None:
        self._out.print(Text(f"{self._talkable.agent.name} listens. Ctrl-D or Ctrl-C leaves.", style="dim"))

    async def resume(self, run_id: str, lines: Lines) -> None:
        """Show what was said, and wait until whatever is still at work is done."""
        self._run, status = await existing(self._client, run_id)
        self._transcript.replaying = True
        await self._listen(lines)
        self._transcript.replaying = False
        if status.end or (await self._run.status()).status in CLOSED:
            raise CliError(
                f"run '{run_id}' is closed, so nothing can be said to it any more: begin another without --run"
            )

    async def go_on(self, lines: Lines) -> None:
        while (text := await self._prompt(lines)) is not None:
            if not text.strip():
                continue
            if self._run is None:
                self._run = await self._client.start(self._talkable.first(text))
            else:
                await self._run.send(self._talkable.next(text))
            if await self._listen(lines) or self._talkable.going_on is None:
                return

    async def _prompt(self, lines: Lines) -> str | None:
        if sys.stdin.isatty():
            self._out.console.print(Text("› ", style="bold cyan"), end="")
            sys.stdout.flush()
        return await lines.next()

    async def _listen(self, lines: Lines) -> bool:
        """Show what happens until it is the user's turn; whether the run is closed."""
        assert self._run is not None
        after = shown = self._transcript.offset
        events = self._run.live(after=after)
        coming = asyncio.ensure_future(anext(events, None))
        try:
            while True:
                await asyncio.wait([coming], timeout=_LOOK)
                if coming.done():
                    if (each := coming.result()) is None:
                        return True
                    self._transcript.take(each)
                    shown = each.offset if isinstance(each, Recorded) else shown
                    coming = asyncio.ensure_future(anext(events, None))
                    continue
                if await self._turn(lines) and await self._newest(after) == shown:
                    return False
        finally:
            self._transcript.speech.pause()
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            await events.aclose()

    async def _turn(self, lines: Lines) -> bool:
        """Ask what must be asked; whether nothing is at work any more."""
        assert self._run is not None
        status = await self._run.status()
        if await self._consenting.ask(status, lines):
            return False
        unheard = bool(status.unserved) and not self._transcript.heard
        for service in status.without_worker or ([self._talkable.choreography.service] if unheard else []):
            self._tell(
                service,
                f"No process of service {service} is at work: start one with farandole work, or say --work here.",
            )
        parked = [step for step in status.owed if step.parked]
        for step in parked:
            self._tell(
                step.parked,
                f"{step.reactor} failed for good. farandole show tells why; farandole retry tries again.",
            )
        for step in status.owed:
            if step.attempts and not step.parked:
                self._tell(f"{step.trigger} {step.attempts}", f"{step.reactor}: attempt {step.attempts} failed; again.")
        return len(status.owed) == len(parked) and not status.children and not unheard

    async def _newest(self, after: int) -> int | None:
        """The offset of the last event that is to be shown, as the run stands now; None if the run is closed.

        What was owed a moment ago may have come while one looked, and what came may still be on its way here.
        """
        assert self._run is not None
        types = self._client.scribe.types
        facts = [fact for entry in await self._run.history() for fact in entry.admitted]
        known = [f.offset for f in facts if f.offset > after and types.type_of(f.type.decode(errors="replace"))]
        closed = (await self._run.status()).status in CLOSED
        return None if closed else known[-1] if known else after

    def _tell(self, what: str, text: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._transcript.speech.pause()
            self._out.print(Text(safe(text), style="yellow"), soft_wrap=True)

    def leave(self, app: str, store: str | None) -> None:
        """Say what it has cost, and how to go on."""
        self._transcript.speech.pause()
        if self._run is None:
            return
        self._out.print(Text(self._transcript.spent(), style="dim"))
        if not self._transcript.closed and self._talkable.going_on is not None:
            words = f"farandole chat {app} --run {self._run.id}" + (f" --store {store}" if store else "")
            self._out.print(Text(f"go on with  {safe(words)}", style="dim"), soft_wrap=True)
