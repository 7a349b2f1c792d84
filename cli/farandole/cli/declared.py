"""The projections that an app declares: kept, made anew and compared beside the tables of runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from farandole.eventstore import EventStore, Stored, connect
from farandole.projections.custom import Archive, Log
from farandole.reactors.archived import archived_before
from farandole.reactors.projecting import Projected
from farandole.reactors.tasks import is_being_cancelled
from farandole.schemas import FarandoleError

from .errors import CliError, did_you_mean
from .running import Target, answering, existing_log

if TYPE_CHECKING:
    from farandole.projections.custom.projector import ProjectionProjector
    from farandole.projections.runs import Database, Progress, Verified
    from farandole.projections.runs.rebuilding import Told

log = logging.getLogger("farandole.projector")

_AGAIN: Final = 1.0
"""Seconds before a projection that stopped is tried again for the first time; doubled each time."""
_SLOWEST: Final = 60.0


@asynccontextmanager
async def declared(
    target: Target, store: EventStore, database: "Database", *, only: Sequence[str] = (), archive: Path | None = None
) -> "AsyncIterator[list[ProjectionProjector]]":
    """A projector for each projection of the app.

    Args:
        store: the log of the app's choreography.
        only: of these; by default of all.
        archive: where records are that have left the log.

    Raises:
        CliError: there is none of that name.
        StoreMisconfigured: a log that one of them reads is not there.
    """
    from farandole.projections.custom.projector import ProjectionProjector

    wanted = [named(target, name) for name in only] if only else target.choreography.projections
    async with AsyncExitStack() as stack:
        stores = {target.choreography.name: store}
        found: list[ProjectionProjector] = []
        for each in wanted:
            logs = await _logs(each, target, stores, stack)
            found.append(ProjectionProjector(each.projection, logs, database, archive=_archive(archive)))
            stack.push_async_callback(found[-1].close)
        yield found


def named(target: Target, name: str) -> Projected:
    """The projection of that name.

    Raises:
        CliError: the app declares none of that name.
    """
    known = {each.name: each for each in target.choreography.projections}
    if name not in known:
        what = (
            "declares no projection at all; name the app, which does"
            if not known
            else f"declares no projection '{name}'"
        )
        raise CliError(f"'{target.choreography.name}' {what}{did_you_mean(name, list(known)) if known else ''}")
    return known[name]


async def keep_on(projector: "ProjectionProjector", *, told: str = "") -> str:
    """Keep a projection. What goes wrong with it is told, and stops no other.

    Args:
        told: what was said already, and is not said again.

    Returns:
        Why it goes no further.
    """
    name = projector.tables.name
    try:
        await projector.run()
    except FarandoleError as e:
        why = f"projection {name} goes no further: {e}"
        if why != told:
            log.error("%s", why)
    except Exception as e:
        why = f"projection {name} goes no further ({type(e).__name__})"
        if why != told:
            log.exception("projection %s goes no further", name)
    else:
        why = f"projection {name} has ended"
    return why


@asynccontextmanager
async def at_work(projectors: "Sequence[ProjectionProjector]") -> AsyncIterator[Callable[[], str | None]]:
    """Keep projections while the block runs, which is given what says why some of them are not at work."""
    keeping = [asyncio.create_task(_keep(each)) for each in projectors]
    try:
        yield lambda: "; ".join(each.trouble for each in projectors if each.trouble is not None) or None
    finally:
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)


async def _keep(projector: "ProjectionProjector") -> None:
    """Keep a projection, whatever it meets: what stops it may be put right, and then it goes on."""
    delay, told = _AGAIN, ""
    while True:
        try:
            why = await keep_on(projector, told=told)
        except asyncio.CancelledError:
            if is_being_cancelled():
                raise
            why = f"projection {projector.tables.name} was cancelled from within"
        if projector.trouble is None:  # it was at work since
            delay = _AGAIN
        projector.tell_trouble(why)
        told = why
        await asyncio.sleep(delay)
        delay = min(delay * 2, _SLOWEST)


async def rebuild_one(
    target: Target, store: EventStore, database: "Database", name: str, archive: Path | None, told: "Told"
) -> "Progress":
    """Make the tables of one projection anew."""
    async with declared(target, store, database, only=[name], archive=archive) as (projector,):
        return await projector.rebuild(told)


async def verify_one(
    target: Target, store: EventStore, database: "Database", name: str, archive: Path | None, told: "Told"
) -> "Verified":
    """Compare the tables of one projection with what its code makes of the log."""
    from farandole.projections.custom.verifying import verify_projection

    each = named(target, name)
    async with AsyncExitStack() as stack:
        logs = await _logs(each, target, {target.choreography.name: store}, stack)
        return await verify_projection(each.projection, logs, database, archive=_archive(archive), told=told)


async def _logs(each: Projected, target: Target, stores: dict[str, EventStore], stack: AsyncExitStack) -> list[Log]:
    found: list[Log] = []
    for name, types in each.types().items():
        if name not in stores:
            with existing_log():
                async with answering(target.store):
                    store = await connect(target.store, name, create=False)
            stores[name] = await stack.enter_async_context(store)
        found.append(Log(name, stores[name], types))
    return found


def _archive(directory: Path | None) -> Archive | None:
    if directory is None:
        return None

    def records(choreography: str, partition: int) -> Iterable[Stored]:
        return archived_before(directory, choreography, partition)

    return records
