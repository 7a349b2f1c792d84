"""Where a record of an act came from, and where in the log it stands."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from farandole.dashboard.callers import Caller
from farandole.dashboard.desk import Desk
from farandole.reactors.behalf import on_behalf
from farandole.reactors.client import Client
from farandole.reactors.shown import shown

log = logging.getLogger("farandole.dashboard")


@dataclass(frozen=True, slots=True)
class Done:
    """What an act came to.

    Attributes:
        position: by partition, where the tables know of it.
        run_id: whose run it was.
        created: of a start, whether it opened the run, and no earlier one did.
        count: of what is done to many, to how many.
    """

    position: Mapping[int, int]
    run_id: str | None = None
    created: bool | None = None
    count: int | None = None


def on_behalf_of(desk: Desk, caller: Caller, why: str = "") -> Client:
    """A client whose records say who asked for them, how the door knew, from where, by which request and why."""
    who = {"by": caller.name, "via": caller.method, "ip": caller.ip, "request": caller.request}
    return desk.client.of(on_behalf(f"/{desk.choreography}/dashboard", **who, why=why))


async def done(
    desk: Desk,
    caller: Caller,
    act: str,
    *,
    run_id: str | None = None,
    of: str = "",
    partitions: Iterable[int] | None = None,
    created: bool | None = None,
    count: int | None = None,
) -> Done:
    """Say where the tables know of an act, and tell the server's log of it.

    Args:
        of: what it was done to, if not to a run.
        partitions: in which records were written, if not in that of the run.
    """
    if partitions is None:
        partitions = range(desk.store.partitions) if run_id is None else (desk.store.partition_of(run_id.encode()),)
    ends = await desk.store.ends(partitions)
    known = {"by": caller.name, "via": caller.method, "ip": caller.ip, "request": caller.request}
    extra = {**known, **({"run_id": run_id} if run_id else {})}
    log.info("%s: %s%s", shown(caller.name), shown(act), f" {shown(of)}" if of else "", extra=extra)
    return Done({p: end.next for p, end in sorted(ends.items())}, run_id, created, count)
