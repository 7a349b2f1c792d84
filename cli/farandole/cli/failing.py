"""`failures`, and `retry` of all that failed by one cause."""

from rich.text import Text

from farandole.reactors.failures import FailureGroup

from .errors import CliError
from .output import Output, safe
from .running import Target, attached
from .tables import plain_table
from .times import ago, instant
from .words import short


async def failures(target: Target, out: Output) -> int:
    """Print what is parked, by reactor and cause."""
    async with attached(target) as client:
        groups = await client.failures()
        now = await client.store.now()
    if out.as_json:
        out.document({"choreography": target.choreography.name, "failures": [group_json(group) for group in groups]})
        return 0
    if not groups:
        out.print("No step is parked.")
        return 0
    table = plain_table()
    for name in ("CAUSE", "REACTOR", "STEPS", "RUNS", "LAST"):
        table.add_column(name, no_wrap=True, justify="right" if name in ("STEPS", "RUNS", "LAST") else "left")
    table.add_column("ERROR", overflow="ellipsis", no_wrap=True, ratio=1)
    for group in groups:
        said = safe(f"{short(group.error)}: {group.message}").partition("\n")[0]
        table.add_row(
            group.fingerprint, f"{'undoing ' * group.undoes}{safe(group.reactor)}", f"{group.steps:,}", f"{len(group.runs):,}", ago(group.last, now), said
        )  # fmt: skip
    out.print(table)
    out.print(
        Text("\nOnce it is mended: farandole retry APP --fingerprint CAUSE; one run: farandole show", style="dim")
    )
    return 0


def group_json(group: FailureGroup) -> dict[str, object]:
    """A cause for other programs."""
    return {
        "fingerprint": group.fingerprint,
        "reactor": group.reactor,
        "undoing": group.undoes,
        "error": group.error,
        "message": group.message,
        "steps": group.steps,
        "runs": group.runs,
        "first": instant(group.first),
        "last": instant(group.last),
    }


async def retry_all(
    target: Target, out: Output, *, fingerprint: str | None, reactor: str | None, limit: int | None, why: str, by: str
) -> int:
    """Make the parked steps of a cause, of a reactor, or all of them, owed again."""
    async with attached(target) as client:
        try:
            steps = await client.retry(why, by=by, fingerprint=fingerprint, reactor=reactor, limit=limit)
        except ValueError as e:
            raise CliError(str(e)) from e
    if out.as_json:
        out.document({"done": "retry", "steps": steps})
    else:
        out.print(f"{steps:,} step{'s'[: steps != 1]} owed again")
    return 0
