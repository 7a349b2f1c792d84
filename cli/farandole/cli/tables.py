"""Tables of runs and of findings, for a terminal of any width."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rich.table import Table
from rich.text import Text

from farandole.reactors.overview import RunSummary

from .output import safe
from .times import ago, span
from .words import doing, short, state

WIDE = 100
"""From so many columns on, all columns are shown."""
MARKS: Final = {"ok": ("✓", "green"), "info": ("·", "blue"), "warning": ("!", "yellow"), "error": ("✗", "red")}
"""The sign and the colour of each severity."""


class Found(NamedTuple):
    """One thing that was found: how bad, where, what, and what to do about it."""

    severity: str
    where: str
    text: str
    cure: str


def plain_table() -> Table:
    """A table without lines: a dim head, and columns set apart by space."""
    return Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False, expand=False)


def findings_grid(findings: Iterable[Found], most: int) -> Table:
    """Findings, each with its mark and, below it, its cure.

    Args:
        most: the widest that the second column gets.
    """
    grid = Table.grid(padding=(0, 2, 0, 0), expand=False)
    grid.add_column(width=1)
    grid.add_column(no_wrap=True, overflow="ellipsis", max_width=most)
    grid.add_column(overflow="fold", ratio=1)
    for found in findings:
        sign, style = MARKS[found.severity]
        said = Text(found.text)
        if found.cure:
            said.append(f"\n→ {found.cure}", style="dim" if found.severity == "ok" else style)
        grid.add_row(Text(sign, style=f"bold {style}"), found.where, said)
    return grid


def runs_table(runs: Sequence[RunSummary], now: int, width: int) -> Table:
    """Runs, one a line.

    Args:
        now: log time, in milliseconds since 1970 UTC.
        width: of the terminal, in columns.
    """
    wide = width >= WIDE
    table = plain_table()
    table.add_column("RUN", no_wrap=True, overflow="ellipsis", min_width=10, max_width=36)
    if wide:
        table.add_column("TYPE", no_wrap=True, overflow="ellipsis", max_width=24)
    table.add_column("STATUS", no_wrap=True)
    table.add_column("OWES, WAITS FOR, ENDED WITH", overflow="ellipsis", no_wrap=True, ratio=1)
    if wide:
        table.add_column("LAST EVENT", no_wrap=True, overflow="ellipsis", max_width=24)
        table.add_column("STARTED", no_wrap=True, justify="right")
    table.add_column("MOVED", no_wrap=True, justify="right")
    for run in runs:
        moved, what = ago(run.status.touched, now), doing(run.status, run.awaits, now)
        if wide:
            last, began = safe(short(run.last)), ago(run.started, now)
            table.add_row(safe(run.id), safe(short(run.type)), state(run.status.status), what, last, began, moved)
        else:
            table.add_row(safe(run.id), state(run.status.status), what, moved)
    return table


def lasted(run: RunSummary) -> str:
    """From a run's start to its last event."""
    return span((run.status.touched - run.started) / 1000)
