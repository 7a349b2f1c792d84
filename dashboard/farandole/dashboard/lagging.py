"""How far the tables are behind the log, known to all who ask within a second."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from weakref import WeakKeyDictionary

from farandole.dashboard.desk import Desk
from farandole.eventstore import StoreError
from farandole.projections.runs.behind import projections_behind
from farandole.projections.runs.query import ProjectionRow
from farandole.projections.sql import DatabaseError

log = logging.getLogger("farandole.dashboard")

_FRESH: Final = 1.0
_NEAR: Final = 10_000
"""Records behind the end of the log with which tables are still of use."""
_PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the tables are behind the log."""

    records: int | None
    seconds: float | None
    """Of log time, since when what is not in the tables yet."""
    why: str | None = None
    """What is wrong, if something is: then they are not of use."""


class _Known:
    def __init__(self) -> None:
        self.until = 0.0
        self.lag: Lag | None = None
        self.asking: asyncio.Task[Lag] | None = None


_known: "WeakKeyDictionary[Any, _Known]" = WeakKeyDictionary()


async def lag_of(desk: Desk, *, within: float | None = None) -> Lag | None:
    """How far the tables are behind, known for a second; what is older is told while it is asked anew.

    Args:
        within: seconds to wait for it if it is not known at all; then None. By default until it is known, and new.
    """
    known = _known.setdefault(desk.runs, _Known())
    if known.lag is not None and known.until > monotonic():
        return known.lag
    if known.asking is None or known.asking.done():
        known.asking = asyncio.create_task(_ask(desk, known))
    if within is None:
        return await asyncio.shield(known.asking)
    if known.lag is None:
        await asyncio.wait({known.asking}, timeout=within)
    return known.lag


async def projections_of(desk: Desk) -> Sequence[tuple[ProjectionRow, int | None]]:
    """See `projections_behind`."""
    return await projections_behind(desk.runs, desk.store, patience=_PATIENCE)


def trouble_of(desk: Desk) -> str | None:
    """What keeps the tables from going on; None: nothing that is known in this process."""
    return desk.trouble() or (None if desk.projector is None else desk.projector.trouble)


async def _ask(desk: Desk, known: _Known) -> Lag:
    try:
        async with asyncio.timeout(_PATIENCE):
            lag = await _lag(desk)
    except (StoreError, DatabaseError) as e:
        lag = Lag(None, None, str(e))
    except TimeoutError:
        lag = Lag(None, None, f"the log or the database did not answer within {_PATIENCE:g} s")
    except Exception as e:
        log.exception("how far the tables are could not be found out")
        lag = Lag(None, None, f"it could not be found out ({type(e).__name__})")
    known.lag, known.until = lag, monotonic() + _FRESH
    return lag


async def _lag(desk: Desk) -> Lag:
    fresh = await desk.runs.freshness()
    ends = await desk.store.ends(range(desk.store.partitions))
    short = {p: end.next - fresh.positions.get(p, 0) for p, end in ends.items() if end.next > fresh.positions.get(p, 0)}
    records = sum(short.values())
    since = min((fresh.log_times.get(p, 0) for p in short), default=None)
    seconds = 0.0 if since is None else max((await desk.store.now() - since) / 1000, 0.0)
    why = trouble_of(desk)
    if why is None and records > _NEAR:
        why = f"the tables are {records:,} records behind the log"
    return Lag(records, round(seconds, 3), why)
