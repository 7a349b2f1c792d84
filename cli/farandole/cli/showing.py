"""`show` and `status`: one run in full."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.padding import Padding
from rich.text import Text

from farandole.projections.fold import Awaited, RunStatus, awaited
from farandole.reactors.client import Client
from farandole.reactors.commands import command_line
from farandole.reactors.progress import StepProgress
from farandole.reactors.view import View
from farandole.schemas.envelope import Kind

from .atwork import at_work, progress_json
from .fates import fates
from .output import Output, safe, to_json
from .running import Target, attached, existing
from .spending import spent, spent_json, spent_line
from .steps import worth_showing
from .timeline import Moment, timeline, totals
from .times import ago, date, exact, instant
from .words import CLOSED, author, doing, gist, mark, short, state, title

_OURS = ("/farandole/reactors/", "/farandole/cli/")


async def show(target: Target, run_id: str, out: Output, *, raw: bool) -> int:
    """Print a run's timeline."""
    async with attached(target) as client:
        handle, status = await existing(client, run_id)
        view = await client.follower.whole(handle.id.encode())
        moments = await timeline(client, view)
        used = await spent(client, moments)
        now = await client.store.now()
        if out.as_json:
            said = status_json(client.scribe.choreography, _awaits(client, view), status, await handle.progress())
            out.document(
                said | {"totals": totals(moments), "usage": spent_json(used), "records": [m.json() for m in moments]}
            )
            return 0
        print_head(out, status, moments, now)
        if raw:
            print_raw(out, moments)
        else:
            print_timeline(out, worth_showing(moments), fates(moments, status, client.follower.fold(view.partition)))
        if used:
            out.print(spent_line(used))
        _tail(out, target, client, view, status, moments, now)
        _at_work(out, status, await handle.progress(), now)
    return 0


async def status(target: Target, run_id: str, out: Output) -> int:
    """Print what state a run is in, and what it owes or waits for."""
    async with attached(target) as client:
        handle, found = await existing(client, run_id)
        view, told = await client.follower.view(run_id.encode()), await handle.progress()
        if out.as_json:
            out.document(status_json(client.scribe.choreography, _awaits(client, view), found, told))
            return 0
        now = await client.store.now()
        line = Text.assemble((safe(found.run_id), "bold"), "  ", state(found.status), "  ")
        out.print(line.append(doing(found, _awaits(client, view), now)))
        _at_work(out, found, told, now)
        out.print(Text(f"last event {ago(found.touched, now)}, at {date(found.touched)}", style="dim"))
    return 0


def status_json(
    choreography: str, awaits: Sequence[Awaited], status: RunStatus, told: Sequence[StepProgress] = ()
) -> dict[str, Any]:
    """A status for other programs; log times in ISO 8601.

    Args:
        told: how far steps said that they are.
    """
    return {
        "run": status.run_id,
        "choreography": choreography,
        "status": status.status,
        "end": status.end or None,
        "paused": status.paused,
        "touched": instant(status.touched),
        "partition": status.partition,
        "position": status.position,
        "unserved": status.unserved,
        "without_worker": status.without_worker,
        "owed": [
            {
                "reactor": step.reactor,
                "service": step.service,
                "trigger": step.trigger,
                "types": step.trigger_types,
                "since": instant(step.since),
                "attempts": step.attempts,
                "due": instant(step.due),
                "parked": step.parked or None,
                "claimed_until": instant(step.claimed_until) if step.claimed_until else None,
                "lost": step.lost,
                "stopped": step.stopped,
                "progress": progress_json(told, step.reactor, step.trigger),
            }
            for step in status.owed
        ],
        "timers": [{"id": t.id, "type": t.type, "due": instant(t.due)} for t in status.timers],
        "decisions": [
            {
                "id": d.id,
                "answers": d.answers,
                "quorum": d.quorum,
                "votes": [{"by": by, "answer": answer} for by, answer in d.votes],
                "expires": instant(d.expires) if d.expires else None,
            }
            for d in status.decisions
        ],
        "deadline": instant(status.deadline) if status.deadline else None,
        "parent": None
        if status.parent is None
        else {
            "run": status.parent.run_id,
            "choreography": status.parent.choreography or choreography,
            "schedule": status.parent.of_schedule,
        },
        "children": [
            {
                "run": child.run_id,
                "choreography": child.choreography or choreography,
                "type": child.type,
            }
            for child in status.children
        ],
        "awaits": [{"reactor": a.reactor, "types": a.types, "signal": a.signal} for a in awaits],
    }


def _awaits(client: Client, view: View) -> tuple[Awaited, ...]:
    return () if view.run is None else awaited(client.follower.fold(view.partition), view.run)


def _at_work(out: Output, status: RunStatus, told: Sequence[StepProgress], now: int) -> None:
    for line in at_work(status, told, now):
        out.print(Text(f"  {line}", style="dim"), soft_wrap=True)


def print_head(out: Output, status: RunStatus, moments: list[Moment], now: int) -> None:
    end = f" with {short(status.end)}" if status.status == "completed" and status.end else ""
    out.print(Text.assemble((safe(status.run_id), "bold"), "  ", state(status.status), end))
    if not moments:
        return
    if status.parent is not None:
        of = f" of {safe(status.parent.choreography)}" if status.parent.choreography else ""
        by = "schedule" if status.parent.of_schedule else "run"
        out.print(Text(f"started by {by} {safe(status.parent.run_id)}{of}", style="dim"))
    begin, sums = moments[0].told.record.time, totals(moments)
    parts = [f"{exact(sums['worked'])} in steps"] if sums["worked"] else []
    parts += [f"{exact(sums['waited'])} between attempts"] if sums["waited"] else []
    closed = status.status in CLOSED
    lasted = exact(((status.touched if closed else now) - begin) / 1000)
    spent = f"{'took' if closed else 'open for'} {lasted}" + (f": {', '.join(parts)}" if parts else "")
    out.print(Text(f"{short(moments[0].told.type)} · {spent}", style="dim"))
    out.print(Text(f"started {ago(begin, now)}, {date(begin)} · partition {status.partition}\n", style="dim"))


def print_timeline(out: Output, moments: list[Moment], fates: Mapping[bytes, str]) -> None:
    """The moments in columns as wide as they need to be; what each says is on a line of its own."""
    rows = [(m, title(m.told), author(m.told)) for m in moments]
    rows = [(m, words, "" if by in words.plain else by) for m, words, by in rows]
    most = max(out.console.width - 35, 20)
    first = min(max((len(words) + 2 for _, words, by in rows if by), default=0), most)
    both = min(max(len(words) if not by else first + len(by) for _, words, by in rows), most)
    wide = max((len(exact(m.after)) for m in moments), default=0)
    for m, words, by in rows:
        if by:
            words.truncate(first - 2, overflow="ellipsis", pad=True)
            words.append(f"  {by}", style="not bold" if m.told.admitted else "dim")
        words.truncate(both, overflow="ellipsis", pad=True)
        line = Text.assemble(
            (f"{'+' + exact(m.after):>{max(9, wide + 1)}}  ", "dim"), mark(m.told), " ", words, (_took(m), "dim")
        )
        line.rstrip()
        _fitted(out, line)
        fate = fates.get(m.told.envelope.id) if m.told.envelope else None
        if said := " · ".join(filter(None, (gist(m.told), fate))):
            _fitted(out, Text(f"{'':13}{said}", style="dim"))
    out.print()


def _fitted(out: Output, line: Text) -> None:
    if out.console.is_terminal:
        line.truncate(out.console.width, overflow="ellipsis")
    out.print(line, soft_wrap=True)


def _took(m: Moment) -> str:
    if m.worked is None:
        return ""
    return f"  {exact(m.worked):>7}" + (f", waited {exact(m.waited)}" if m.waited else "")


def print_raw(out: Output, moments: list[Moment]) -> None:
    for m in moments:
        record, e = m.told.record, m.told.envelope
        head = f"partition {record.partition}  offset {record.offset}  {date(record.time)}  {m.told.verdict.name}"
        out.print(Text(f"\n{head}", style="bold" if m.told.admitted else "dim"))
        if e is None:
            out.print(Text(f"  {m.told.problem}"))
            continue
        for name, value in _fields(e._asdict()).items():
            out.print(Text(f"  {name:<10} {value}", style="dim"))
        if m.told.content is not None or m.told.problem:
            out.print(Padding(Text(m.told.problem or to_json(m.told.content, indent=2)), (0, 0, 0, 2)))


def _fields(envelope: dict[str, Any]) -> dict[str, str]:
    """The headers, unpacked; what is empty is left out."""
    found = {"kind": Kind(envelope.pop("kind")).name.lower()}
    binary = ("append", "schema", "extra")
    for name, value in envelope.items():
        if value and value != bytes(8):
            text = (
                value.hex() if name in binary else value.decode(errors="replace") if isinstance(value, bytes) else value
            )
            found[name] = safe(str(text))
    return found


def _tail(
    out: Output, target: Target, client: Client, view: View, status: RunStatus, moments: list[Moment], now: int
) -> None:
    """What is still to come, and for a parked step where it failed."""
    parked = {step.parked: step for step in status.owed if step.parked}
    for m in moments:
        e = m.told.envelope
        if e is None or e.id.decode() not in parked or not m.told.content:
            continue
        step = parked[e.id.decode()]
        out.print(Text(f"{step.reactor} is parked after {step.spent}:", style="red"))
        out.print(Padding(Text(safe(own_frames(m.told.content["traceback"])), style="dim"), (0, 0, 1, 2)))
    if parked:
        command = command_line("retry", safe(status.run_id), client.scribe.choreography, client.store.url)
        out.print(Text(f"Mend it, then: {command}"), soft_wrap=True)
    elif status.status not in CLOSED:
        out.print(Text.assemble(state(status.status), "  ", doing(status, _awaits(client, view), now)))


def own_frames(traceback: str) -> str:
    """A traceback without the frames of the framework that called the handler."""
    kept: list[str] = []
    skipping = False
    for line in traceback.rstrip().splitlines():
        if line.startswith("  File "):
            skipping = any(part in line.replace("\\", "/") for part in _OURS)
        elif not line.startswith("    "):
            skipping = False
        if not skipping:
            kept.append(line)
    return "\n".join(kept)
