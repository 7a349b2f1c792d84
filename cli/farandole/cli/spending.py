"""What runs used of models: `costs`, and the sum that `show` tells."""

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich.text import Text

from farandole.reactors.client import Client
from farandole.schemas import UndecodableValue, Usage, parse_duration
from farandole.schemas.catalogue import PREFIX, read_entry
from farandole.schemas.envelope import Kind
from farandole.schemas.usage import Usages, usage_in_json

from .errors import CliError
from .output import Output, safe
from .tables import plain_table
from .timeline import Moment
from .times import instant

_NAMES = {"day": "DAY", "agent": "AGENT", "model": "MODEL", "run": "RUN"}


async def costs(
    choreography: str,
    db: str,
    out: Output,
    *,
    by: Sequence[Any],
    last: str | None,
    agent: str | None,
    model: str | None,
    of: str | None,
    limit: int,
) -> int:
    """Print what was used, those that cost most first."""
    try:
        from farandole.projections import Runs
    except ImportError as e:
        raise CliError(str(e)) from e
    since = None if last is None else int((time.time() - parse_duration(last).total_seconds()) * 1000)
    async with await Runs.open(db, choreography) as runs:
        found = await runs.usage(
            by=by, since=since, agent=agent, model=model, run_id=of, children=of is not None, limit=limit
        )
    if out.as_json:
        out.document(
            {
                "choreography": choreography,
                "usage": [_json(row, by) for row in found.found],
                "more": found.next is not None,
            }
        )
        return 0
    if not found.found:
        out.print("No model was called.")
        return 0
    table = plain_table()
    for each in by:
        table.add_column(_NAMES[each], no_wrap=True, overflow="ellipsis", max_width=36)
    for name in ("COST", "CALLS", "TOKENS IN", "CACHED", "TOKENS OUT"):
        table.add_column(name, no_wrap=True, justify="right")
    for row in found.found:
        cost = f"${row.cost:f}" + (f" + {row.unpriced:,} unpriced" if row.unpriced else "")
        table.add_row(
            *(_said(row, each) for each in by), cost, f"{row.calls:,}", f"{row.input_tokens:,}",
            f"{row.cache_read_tokens:,}", f"{row.output_tokens:,}",
        )  # fmt: skip
    out.print(table)
    if found.next is not None:
        out.print(Text(f"There are more than these {len(found.found):,}; --limit says how many are told.", style="dim"))
    return 0


def _said(row: Any, by: str) -> str:
    if by == "day":
        return f"{instant(row.day):%Y-%m-%d}"
    return safe(getattr(row, "run_id" if by == "run" else by))


def _json(row: Any, by: Sequence[str]) -> dict[str, Any]:
    told = {each: _said(row, each) for each in by}
    names = ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost", "unpriced")
    return told | {name: getattr(row, name) for name in names}


async def spent(client: Client, moments: Sequence[Moment]) -> tuple[Usage, ...]:
    """What the records of a run say that was used, those that were refused left out."""
    usages = Usages()
    for key, value in (await client.store.catalogue.load()).items():
        if key.startswith(PREFIX):
            try:
                usages.learn(read_entry(key, value).schema)
            except UndecodableValue:
                continue
    found: list[Usage] = []
    for told in (m.told for m in moments if m.told.admitted and m.told.content):
        content = told.content or {}
        sub_step = told.envelope is not None and told.envelope.kind == Kind.SUBSTEP
        result = content.get("result") if sub_step else None
        found += usage_in_json(result) if isinstance(result, str) else usages.of_event(content)
    return tuple(found)


def spent_json(found: Sequence[Usage]) -> dict[str, Any]:
    """The sum of it, for other programs."""
    names = ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    return {
        **{name: sum(getattr(used, name) for used in found) for name in names},
        "cost": sum((used.cost for used in found if used.cost is not None), Decimal(0)),
        "unpriced": sum(used.calls for used in found if used.cost is None),
    }


def spent_line(found: Sequence[Usage]) -> Text:
    """The sum of it, on one line."""
    sums = spent_json(found)
    calls, tokens = sums["calls"], sums["input_tokens"] + sums["output_tokens"]
    said = f"used ${sums['cost'].normalize():f} · {calls:,} call{'s'[: calls != 1]} of models, {tokens:,} tokens"
    return Text(said + (f" · the price of {sums['unpriced']:,} is not known" if sums["unpriced"] else ""), style="dim")
