"""From a command to the event loop, and to a client of the log that it asks about."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from farandole.eventstore import StoreMisconfigured, StoreUnavailable, without_secrets
from farandole.reactors import Choreography
from farandole.reactors.attach import attach

from .apppath import load_app
from .errors import CliError, NotFound

if TYPE_CHECKING:
    from farandole.projections.fold import RunStatus
    from farandole.reactors.client import Client
    from farandole.reactors.handle import RunHandle

PATIENCE: Final = 10.0
"""Seconds within which a store must have answered."""
_CREATE: Final = re.compile(r"[;:] [^;:]*create=True.*")
"""The cure that a program has, in the message of a log that is not there; at the command line there is another."""
DEV_STORE: Final = Path(".farandole/dev.db")


@dataclass(frozen=True, slots=True)
class Target:
    """Which log a command is about.

    Attributes:
        choreography: with its code, or of that name only.
        store: the URL of the log.
    """

    choreography: Choreography
    store: str


def run(main: "Coroutine[Any, Any, int]") -> int:
    """Run a command to its end, on uvloop where there is one."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)


def until_interrupted(main: "Coroutine[Any, Any, int]") -> int:
    """Run a command that goes on until Ctrl-C or SIGTERM, which are no errors to it."""

    async def guarded() -> int:
        task = asyncio.current_task()
        if task is not None:
            loop = asyncio.get_running_loop()
            for sign in (signal.SIGTERM, signal.SIGINT):
                # Windows has none, nor has a thread that is not the main one.
                with suppress(NotImplementedError, RuntimeError, ValueError):
                    loop.add_signal_handler(sign, task.cancel)
        try:
            return await main
        except asyncio.CancelledError:
            return 0

    return run(guarded())


def store_url(store: str | None) -> str:
    """The store that was named.

    Raises:
        CliError: none was.
    """
    if store:
        return store
    hint = f"; the one of `farandole dev` is sqlite:///{DEV_STORE}" if DEV_STORE.exists() else ""
    raise CliError(
        f"no store was named: say --store kafka://host:9092 or --store sqlite:///file.db, or set FARANDOLE_STORE{hint}"
    )


def target(app: str | None, name: str | None, store: str | None) -> Target:
    """The log that an app path, or a choreography's name, and a store URL name.

    Raises:
        CliError: neither app nor name is given, or the app cannot be imported.
    """
    return Target(named(app, name), store_url(store))


def named(app: str | None, name: str | None) -> Choreography:
    """The choreography that an app path, or its name, names.

    Raises:
        CliError: neither is given, or the app cannot be imported.
    """
    if app is not None:
        found = load_app(app)
        if name is not None and name != found.name:
            raise CliError(f"'{app}' is choreography '{found.name}', not '{name}'; leave one of them out")
        return found
    if name is None:
        raise CliError("which choreography? Give its app (module:attribute), or --choreography NAME")
    return Choreography(name)


def split(words: list[str], name: str | None) -> tuple[str | None, str]:
    """The app, if one is named, and the run, from the positional words of a command.

    Raises:
        CliError: there are too few or too many.
    """
    if len(words) == 2:
        return words[0], words[1]
    if len(words) == 1 and name is not None:
        return None, words[0]
    if len(words) == 1:
        raise CliError(
            f"which choreography is '{words[0]}' of? Give its app before the run, or --choreography NAME"
            if ":" not in words[0]
            else f"which run of '{words[0]}'? Give its id after the app"
        )
    raise CliError("give an app (or --choreography NAME) and a run")


@asynccontextmanager
async def attached(target: Target) -> "AsyncIterator[Client]":
    """A client of a log that must be there.

    Raises:
        StoreMisconfigured: it is not.
        StoreUnavailable: it cannot be reached in time.
    """
    with existing_log():
        async with answering(target.store):
            client = await attach(target.choreography, target.store)
    async with client:
        yield client


@contextmanager
def existing_log() -> Iterator[None]:
    """What opens a log that must be there: the cure is another one than in a program."""
    try:
        yield
    except StoreMisconfigured as e:
        if not (missing := _CREATE.search(str(e))):
            raise
        there = str(e)[: missing.start()]
        raise StoreMisconfigured(
            f"{there}; check store and name, or make the log by starting a worker: farandole work"
        ) from e


@asynccontextmanager
async def answering(store: str) -> AsyncIterator[None]:
    """Give up on a store that does not answer."""
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except TimeoutError as e:
        raise StoreUnavailable(
            f"{without_secrets(store)} did not answer within {PATIENCE:g} s: check that it runs and can be reached from here"
        ) from e


async def existing(client: "Client", run_id: str) -> "tuple[RunHandle, RunStatus]":
    """A run that was started, and its status.

    Raises:
        NotFound: there is no such run in this log.
    """
    handle = client.run(run_id)
    status = await handle.status()
    if status.status == "absent":
        raise NotFound(
            f"choreography '{client.scribe.choreography}' has no run '{run_id}' at {client.store.url}; "
            "farandole runs lists those there are"
        )
    return handle, status
