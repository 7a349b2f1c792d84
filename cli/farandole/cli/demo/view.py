"""The live view of the demonstration: runs with their states, and the events that came last."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from farandole.cli.following import story
from farandole.cli.output import safe
from farandole.cli.tables import lasted, plain_table
from farandole.cli.times import clock, span
from farandole.cli.told import Told
from farandole.cli.words import CLOSED, doing, mark, state

from .shop import Shop

_EVENTS: Final = 8
_FIXED: Final = 7
"""Lines besides runs and events."""


class View:
    """Draws a shop as it is now, in whatever space there is.

    Args:
        store: where the log is, for the head line.
        hint: what to do next, for the foot line.
    """

    def __init__(self, shop: Shop, store: str, hint: str) -> None:
        self._shop = shop
        self._store = store
        self._hint = hint
        self._events: deque[Told] = deque(maxlen=40)

    def add(self, told: Told) -> None:
        """Show an event."""
        self._events.append(told)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = options.height or console.height
        events = min(_EVENTS, max(height // 3, 2))
        rows = max(height - events - _FIXED, 3)
        runs = self._shop.runs()
        open_runs = sum(r.status.status not in CLOSED for r in runs)
        head = Text.assemble(
            ("farandole demo", "bold"), "   three services, one process   ", (f"{open_runs} open", "cyan"),
            (f", {len(runs) - open_runs} done   {self._store}", "dim"), overflow="ellipsis", no_wrap=True,
        )  # fmt: skip
        yield Group(head, Text(), self._runs(rows, options.max_width), Text())
        yield Rule(style="dim")
        yield self._log(events)
        yield Text(f"\n{self._hint}", style="dim", overflow="ellipsis", no_wrap=True)

    def _runs(self, rows: int, width: int) -> Table:
        table = plain_table()
        table.expand = True
        table.add_column("RUN", no_wrap=True, width=10)
        table.add_column("STATUS", no_wrap=True, width=9)
        table.add_column("OWES, WAITS FOR, ENDED WITH", no_wrap=True, overflow="ellipsis", ratio=2)
        if width >= 100:
            table.add_column("LOOK OUT FOR", no_wrap=True, overflow="ellipsis", ratio=3, style="dim")
        table.add_column("FOR", no_wrap=True, justify="right", width=6)
        now = self._shop.now()
        for run in self._shop.runs()[:rows]:
            story = [self._shop.stories[run.id]] if width >= 100 else []
            done = run.status.status == "completed"
            age = lasted(run) if done else span(max(now - run.started, 0) / 1000)
            table.add_row(run.id, state(run.status.status), doing(run.status, run.awaits, now), *story, age)
        return table

    def _log(self, rows: int) -> Table:
        grid = Table.grid(padding=(0, 1, 0, 0), expand=True)
        grid.add_column(no_wrap=True, style="dim", width=8)
        grid.add_column(no_wrap=True, width=10)
        grid.add_column(no_wrap=True, width=1)
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        shown: Sequence[Told | None] = list(self._events)[-rows:]
        for told in [*shown, *[None] * (rows - len(shown))]:
            if told is None:
                grid.add_row("", "", "", "")
                continue
            grid.add_row(clock(told.record.time), safe(told.run), mark(told), story(told))
        return grid
