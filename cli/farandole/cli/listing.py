"""`runs`: the runs of a log at a glance."""

from collections.abc import Collection
from typing import Any

from rich.text import Text

from farandole.reactors.overview import RunSummary

from .errors import CliError, did_you_mean
from .output import Output
from .running import Target, attached
from .tables import runs_table
from .times import instant
from .words import STYLES


async def runs(
    target: Target, out: Output, *, status: Collection[str], type: str | None, limit: int, everything: bool = False
) -> int:
    """Print the runs that moved last."""
    for word in status:
        if word not in STYLES:
            raise CliError(f"no run is ever '{word}'{did_you_mean(word, STYLES)}")
    name = target.choreography.name
    async with attached(target) as client:
        found = await client.runs(status=status, type=type, limit=limit, everything=everything)
        now = await client.store.now()
    if out.as_json:
        out.document(
            {
                "choreography": name,
                "counts": dict(found.counts),
                "recent": found.recent,
                "runs": [run_json(run) for run in found.runs],
            }
        )
        return 0
    if not found.counts and not found.recent:
        out.print(f"No runs yet. Start one: farandole start APP EVENT '{{…}}' --store {client.store.url}")
        return 0
    if found.runs:
        out.print(runs_table(found.runs, now, out.console.width))
    else:
        out.print("No run is like that.")
    counts = ", ".join(f"{found.counts[s]:,} {s}" for s in STYLES if found.counts.get(s))
    more = f"{len(found.runs)} shown of " if len(found.runs) < sum(found.counts.values()) else ""
    out.print(Text(f"\n{more}{counts}", style="dim"))
    if found.recent:
        out.print(Text("Runs closed before the newest checkpoints are left out: --all reads them too.", style="dim"))
    return 0


def run_json(run: RunSummary) -> dict[str, Any]:
    """A run for other programs."""
    return {
        "run": run.id,
        "type": run.type,
        "status": run.status.status,
        "end": run.status.end or None,
        "without_worker": run.status.without_worker,
        "started": instant(run.started),
        "touched": instant(run.status.touched),
        "last": run.last,
        "owes": [
            {
                "reactor": s.reactor,
                "service": s.service,
                "attempts": s.attempts,
                "due": instant(s.due),
                "parked": bool(s.parked),
            }
            for s in run.status.owed
        ],
        "awaits": [{"reactor": a.reactor, "types": a.types, "signal": a.signal} for a in run.awaits],
    }
