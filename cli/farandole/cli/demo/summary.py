"""What the demonstration showed, and what to try next."""

from typing import Any

from rich.text import Text

from farandole.cli.listing import run_json
from farandole.cli.output import Output
from farandole.cli.tables import plain_table
from farandole.cli.times import exact
from farandole.cli.words import short, state
from farandole.eventstore import without_secrets

from .shop import CHOREOGRAPHY, Shop


def summary_json(shop: Shop, store: str, seconds: float) -> dict[str, Any]:
    """The runs for other programs."""
    return {
        "store": without_secrets(store),
        "choreography": CHOREOGRAPHY,
        "seconds": round(seconds, 3),
        "runs": [
            run_json(run) | {"failures": shop.failures[run.id], "story": shop.stories[run.id]}
            for run in reversed(shop.runs())
        ],
    }


def print_summary(out: Output, shop: Shop, store: str, seconds: float) -> None:
    """The runs in a table, and the commands that look closer."""
    runs = list(reversed(shop.runs()))[-12:]
    table = plain_table()
    wide = out.console.width >= 90
    table.add_column("RUN", no_wrap=True)
    table.add_column("STATUS", no_wrap=True)
    table.add_column("ENDED WITH", no_wrap=True)
    table.add_column("TOOK", no_wrap=True, justify="right")
    table.add_column("FAILURES", no_wrap=True, justify="right")
    if wide:
        table.add_column("WHAT HAPPENED", style="dim", no_wrap=True, overflow="ellipsis")
    for run in runs:
        took = exact((run.status.touched - run.started) / 1000)
        failures = shop.failures[run.id]
        story = [shop.stories[run.id]] if wide else []
        table.add_row(
            run.id, state(run.status.status), short(run.status.end), took,
            Text(str(failures) if failures else "·", style="yellow" if failures else "dim"), *story,
        )  # fmt: skip
    out.print()
    out.print(table)
    done = sum(run.status.status == "completed" for run in shop.runs())
    failures = sum(shop.failures.values())
    out.print(
        Text(
            f"\n{done} of {len(shop.runs())} runs completed in {exact(seconds)}; "
            f"{failures} failed attempts, each in the log, none lost.",
            style="dim",
        )
    )
    _next(out, shop, store)


def _next(out: Output, shop: Shop, store: str) -> None:
    interesting = max(shop.runs(), key=lambda run: shop.failures[run.id], default=None)
    commands = [
        (f"farandole show {interesting.id if interesting else 'RUN'}", "one run: what happened, how long it waited"),
        ("farandole runs", "all runs"),
        ("farandole doctor", "is the log healthy?"),
        ("farandole demo", "runs in motion, until Ctrl-C"),
        ("farandole dev app:orders", "the same for a choreography of your own"),
    ]
    out.print(Text("\nWhat to try next", style="bold"))
    out.print(
        Text(f"  export FARANDOLE_CHOREOGRAPHY={CHOREOGRAPHY} FARANDOLE_STORE={without_secrets(store)}"), soft_wrap=True
    )
    for command, why in commands:
        out.print(Text.assemble(f"  {command:<28}", (f" {why}", "dim")))
