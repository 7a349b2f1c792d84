"""`cancel`, `retry`, `pause`, `resume` and `retire`: commands from people."""

from typing import Literal

from rich.text import Text

from farandole.reactors.errors import CommandRefused
from farandole.reactors.retire import retire as retire_reactor

from .editing import edited_input
from .errors import CliError, Refused
from .output import Output
from .running import Target, attached, existing
from .words import CLOSED, state

Verb = Literal["cancel", "pause", "resume"]


async def command(target: Target, run_id: str, verb: Verb, out: Output, *, why: str, by: str) -> int:
    """Ask a run to stop, to hold or to go on, and tell what became of it."""
    async with attached(target) as client:
        handle, status = await existing(client, run_id)
        if status.status in CLOSED:
            raise Refused(f"run '{run_id}' is {status.status} already; there is nothing to {verb}")
        await {"cancel": handle.cancel, "pause": handle.pause, "resume": handle.resume}[verb](why, by=by)
        status = await handle.status()
    if out.as_json:
        out.document({"run": run_id, "done": verb, "status": status.status})
    else:
        out.print(Text.assemble(run_id, "  ", state(status.status)))
    return 0


async def retry(
    target: Target,
    run_id: str,
    out: Output,
    *,
    reactor: str | None,
    why: str,
    by: str,
    edit: str | None = None,
    event: str | None = None,
) -> int:
    """Make a run's parked steps owed again, one of them perhaps with another input."""
    if event is not None and edit is None:
        raise CliError("--event says which event --edit is about; give --edit too")
    async with attached(target) as client:
        handle, status = await existing(client, run_id)
        try:
            input = None if edit is None else await edited_input(client, status, edit, reactor=reactor, event=event)
            count = await handle.retry(why, by=by, reactor=reactor, edit=input)
        except CommandRefused as e:
            raise Refused(str(e)) from e
        status = await handle.status()
    if out.as_json:
        out.document({"run": run_id, "done": "retry", "steps": count, "status": status.status})
    else:
        out.print(
            Text.assemble(run_id, "  ", state(status.status), (f"  {count} step{'s'[: count != 1]} owed again", "dim"))
        )
    return 0


async def retire(target: Target, reactor: str, out: Output, *, drop: bool) -> int:
    """Retire a reactor in every partition."""
    if not reactor:
        raise CliError("which reactor? Give its name")
    async with attached(target) as client:
        done = await retire_reactor(client, reactor, drop=drop)
    declared = any(r.name == reactor for r in target.choreography.reactors)
    if out.as_json:
        out.document(
            {
                "reactor": reactor,
                "service": done.service,
                "partitions": done.partitions,
                "owed": done.owed,
                "dropped": drop,
                "still_declared": declared,
            }
        )
        return 0
    if not done.partitions:
        out.print(f"{reactor} was retired before; nothing to do")
    else:
        fate = "dropped" if drop else "still owed to whoever has its code"
        out.print(
            f"{reactor} of service {done.service} is retired in {done.partitions} partitions; "
            f"{done.owed} step{'s'[: done.owed != 1]} {fate}"
        )
    if declared:
        out.print(Text(f"The code still declares it: remove {reactor} before the next deployment.", style="yellow"))
    return 0
