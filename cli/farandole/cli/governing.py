"""`cancel`, `retry`, `pause`, `resume` and `retire`: what people ask of runs and reactors."""

import asyncio
from collections.abc import Collection
from typing import Final, Literal

from rich.text import Text

from farandole.reactors.errors import CommandRefused
from farandole.reactors.retire import retire as retire_reactor

from .editing import edited_input
from .errors import CliError, Refused, did_you_mean
from .output import Output
from .running import Target, attached, existing
from .words import CLOSED, STYLES, state

Verb = Literal["cancel", "pause", "resume"]
_MOST_RUNS: Final = 1_000_000
_AT_ONCE: Final = 50


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


async def cancel_all(target: Target, out: Output, *, status: Collection[str], why: str, by: str) -> int:
    """Cancel every run that is not closed, or of these those that are in one of some states."""
    for word in status:
        if word not in STYLES:
            raise CliError(f"no run is ever '{word}'{did_you_mean(word, STYLES)}")
    cancelled, refused = 0, 0
    async with attached(target) as client:
        found = await client.runs(status=[s for s in status or STYLES if s not in CLOSED], limit=_MOST_RUNS)
        ids = [run.id for run in found.runs]
        for some in (ids[n : n + _AT_ONCE] for n in range(0, len(ids), _AT_ONCE)):
            asked = (client.run(run_id).cancel(why, by=by) for run_id in some)
            for error in await asyncio.gather(*asked, return_exceptions=True):
                if error is not None and not isinstance(error, CommandRefused):
                    raise error
                cancelled += error is None
                refused += error is not None  # it has its result
    if out.as_json:
        out.document({"done": "cancel", "runs": cancelled, "refused": refused})
    else:
        rest = f"; {refused} have their result" if refused else ""
        out.print(f"{cancelled} run{'s'[: cancelled != 1]} cancelled{rest}")
    return 0


async def switch(target: Target, reactor: str | None, out: Output, *, stopped: bool, why: str, by: str) -> int:
    """Stop a reactor, or all, or let them go on."""
    if reactor == "":
        raise CliError("which reactor? Give its name, or --all")
    async with attached(target) as client:
        done = await (client.stop if stopped else client.go_on)(reactor, why, by=by)
        still = [] if stopped else await client.stopped()
    if out.as_json:
        out.document(
            {
                "reactor": reactor,
                "done": "pause" if stopped else "resume",
                "partitions": done.partitions,
                "owed": done.owed,
                "stopped": still if not stopped else [reactor or ""],
            }
        )
        return 0
    who = reactor or "everything"
    if not done.partitions:
        out.print(f"{who} {'is stopped' if stopped else 'goes on'} already; nothing to do")
    else:
        steps = f"{done.owed} step{'s'[: done.owed != 1]}"
        out.print(f"{who} is stopped; {steps} wait" if stopped else f"{who} goes on with {steps}")
    if still:
        out.print(Text(f"Still stopped: {', '.join(name or 'everything' for name in still)}", style="yellow"))
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
