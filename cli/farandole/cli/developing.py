"""`dev`: a worker on an embedded log, started anew when the code changes, and what happens as it happens.

The worker runs in a process of its own, so that each start sees all modules new; this process only watches files.
"""

import asyncio
import logging
import re
import shlex
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.text import Text

from farandole.eventstore import without_secrets
from farandole.reactors.client import Client

from .following import Feed, Lines, tell
from .leaving import not_held_up
from .logs import set_up
from .output import Output
from .processes import Children, end_with_parent
from .running import DEV_STORE, Target, answering
from .told import LogTeller
from .watching import Sources

_LOOK: Final = 0.4
_GRACE: Final = 3.0
_SECRET: Final = re.compile(r"[^=]*(pass|secret|token|credential)", re.IGNORECASE)
"""Options that no store of ours takes, but that people may give."""


def dev_store(store: str | None) -> str:
    """The store to use: the one named, or a file in the working directory that git ignores."""
    if store:
        return store
    DEV_STORE.parent.mkdir(exist_ok=True)
    ignore = DEV_STORE.parent / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return f"sqlite:///{DEV_STORE}"


async def develop(apps: Sequence[str], store: str, out: Output) -> int:
    """Run workers of the apps until Ctrl-C, anew after each change of their files."""
    stop = asyncio.Event()
    children = Children()

    def told() -> None:
        if stop.is_set():
            children.stop()  # a second signal ends them at once
        stop.set()

    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, told)
    sources = Sources(_roots(apps))
    out.print(Text.assemble(("store     ", "dim"), without_secrets(store)))
    out.print(Text.assemble(("look      ", "dim"), look(store, apps[0])))
    out.print(Text.assemble(("stop      ", "dim"), "Ctrl-C\n"))
    while not stop.is_set():
        try:
            running = [
                await children.start(_words(app, out, quiet=app != apps[0]), store=store)
                for app in apps
                if not stop.is_set()
            ]
            reason = await _until_changed(sources, running, stop, out)
            children.stop()
            await children.wait()
        finally:
            children.close()
        if not stop.is_set():
            children = Children()
        if reason:
            out.print(Text(f"↻ {reason}", style="cyan"))
    return 0


def look(store: str, app: str) -> str:
    """The command, as a shell takes it, that lists the runs of this log; its user and password are left out."""
    query = store.partition("?")[2]
    # With an @ in it, this is no query but the rest of a password with an unescaped ? in it.
    options = [] if "@" in query else [o for o in query.split("&") if "=" in o and not _SECRET.match(o)]
    url = without_secrets(store) + (f"?{'&'.join(options)}" if options else "")
    return f"FARANDOLE_STORE={shlex.quote(url)} farandole runs {shlex.quote(app)}"


def _words(app: str, out: Output, *, quiet: bool) -> list[str]:
    return ["dev-worker", app, *(["--json"] if out.as_json else []), *(["--quiet"] if quiet else [])]


async def _until_changed(
    sources: Sources, children: Sequence[asyncio.subprocess.Process], stop: asyncio.Event, out: Output
) -> str:
    """Wait for a change of the files; a worker that ended is not started again before one."""
    told = False
    while not stop.is_set():
        try:
            async with asyncio.timeout(_LOOK):
                await stop.wait()
        except TimeoutError:
            pass
        if not told and any(child.returncode for child in children):
            told = True
            out.print(Text("stopped; change the code to start again, or Ctrl-C", style="yellow"))
        if files := sources.changed():
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            return f"{_shown(files[0])} changed{more}"
    return ""


def _shown(file: Path) -> Path:
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _roots(apps: Sequence[str]) -> list[Path]:
    """The working directory, and directories outside it that apps were named in."""
    roots = [Path.cwd()]
    for app in apps:
        file = Path(app.rpartition(":")[0])
        if file.suffix == ".py" and not file.resolve().is_relative_to(Path.cwd()):
            roots.append(file.resolve().parent)
    return roots


async def dev_worker(target: Target, out: Output, *, quiet: bool, parent_pipe: int | None) -> int:
    """A worker process of `dev`: works, and prints each record that comes.

    Args:
        quiet: leave the printing to another one.
    """
    set_up("info", "text")
    logging.getLogger("farandole.worker").setLevel(logging.WARNING)
    end_with_parent(parent_pipe)
    async with not_held_up(target.choreography):
        async with answering(target.store):
            client = await target.choreography.connect(target.store)
        telling = None if quiet else asyncio.create_task(_tell(client, out))
        try:
            await target.choreography.work(target.store, grace=_GRACE)
        finally:
            if telling is not None:
                telling.cancel()
                await asyncio.wait([telling])
            await client.close()
    return 0


async def _tell(client: Client, out: Output) -> None:
    teller, lines = LogTeller(client), Lines(out)
    async with Feed(client, last=0) as feed:
        async for news in feed:
            for told in await tell(teller, news):
                lines.print(told)
