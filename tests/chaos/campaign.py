"""Plays cells one after the other, shows how it goes, and writes the report."""

import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from .broker import TheBroker
from .cell import Cell, play
from .report import summary, table_of
from .trial import Trial


def campaign(cells: Sequence[Cell], seed: int, out: Path, *, small: bool, keep: bool = False) -> int:
    """Play cells and add what came of them to the report in a folder, by cell and seed; 1 if a promise was broken, or not
    shown to be kept.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / "chaos.json"
    results: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    console, bad, unsure = Console(), 0, 0
    with TheBroker() as place:
        for number, each in enumerate(cells, 1):
            amounts = (each.tested or each.whole) if small else each.whole
            folder = Path(tempfile.mkdtemp(prefix=f"chaos-{each.name.replace('/', '-')}-"))
            trial = Trial(each.name, seed, folder, place)
            asyncio.run(_shown(console, f"{number}/{len(cells)}", each, trial, amounts))
            trial.notes["load of the machine"] = round(os.getloadavg()[0], 1)
            result = {"about": each.about, "when": time.strftime("%Y-%m-%d"), **trial.as_dict()}
            results[f"{each.name} {seed}"] = result
            path.write_text(json.dumps(results, indent=1) + "\n")
            (out / "chaos.md").write_text(table_of(results))
            console.print(summary(result), highlight=False)
            bad += bool(trial.anomalies)
            unsure += bool(trial.not_shown and not trial.anomalies)
            if trial.anomalies or trial.not_shown:
                console.print(f"  again: {again(each.name, seed)}", highlight=False)
            if trial.anomalies or keep:
                console.print(f"  what is left of it: {folder}", highlight=False)
            else:
                shutil.rmtree(folder, ignore_errors=True)
    console.print(
        f"{len(cells)} cells, {bad} with broken promises, {unsure} others with promises that were not shown to be kept;"
        f" the report is in {out}",
        highlight=False,
    )
    return 1 if bad or unsure else 0


async def _shown(console: Console, which: str, cell: Cell, trial: Trial, amounts: Any) -> None:
    """Play a cell, and show what is done to it."""
    playing = asyncio.ensure_future(play(cell, trial, amounts))
    if not console.is_terminal:
        await playing
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while not playing.done():
            live.update(_progress(which, cell, trial))
            await asyncio.wait([playing], timeout=0.25)
    await playing


def _progress(which: str, cell: Cell, trial: Trial) -> Table:
    grid = Table.grid(padding=(0, 2))
    last = trial.schedule[-1] if trial.schedule else {"what": "beginning"}
    told = ", ".join(f"{key} {value}" for key, value in last.items() if key not in ("at", "what"))
    took = [seconds for all in trial.recoveries.values() for seconds in all]
    grid.add_row(which, f"[bold]{cell.name}[/bold]", f"{time.monotonic() - trial.began:.0f} s", cell.about)
    grid.add_row(
        "",
        f"{trial.figures['faults']} faults",
        f"{len(took)} recoveries" + (f", the longest {max(took):.2f} s" if took else ""),
        f"{last['what']} {told}",
    )
    return grid


def again(name: str, seed: int) -> str:
    """The command that plays a cell again."""
    return f"ARGS='--seed {seed} {name}' make chaos"
