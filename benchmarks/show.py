"""Figures for people and for programs: a table, or JSON; what goes on meanwhile goes to stderr."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

_errors = Console(stderr=True)
_began = time.monotonic()


def say(text: str) -> None:
    """Tell whoever waits what is done now."""
    _errors.print(f"[dim]{time.monotonic() - _began:6.0f} s[/] {text}", highlight=False)


def number(value: object) -> str:
    """A figure with the digits that are worth reading."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def tell(
    result: Mapping[str, Any],
    to: str | None,
    *,
    title: str,
    columns: Mapping[str, Mapping[str, object]] | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Print figures as a table, or as JSON to stdout (``-``) or a file.

    Args:
        columns: what the table shows beside one another, by name; without it, the figures that are no mappings.
    """
    if to is not None:
        text = json.dumps(rounded(result), indent=1)
        if to == "-":
            sys.stdout.write(f"{text}\n")
        else:
            Path(to).write_text(f"{text}\n")
        return
    shown = columns or {"value": {k: v for k, v in result.items() if not isinstance(v, Mapping)}}
    table = Table(title=title, title_justify="left")
    table.add_column("figure", no_wrap=True)
    for name in shown:
        table.add_column(name.replace("_", " "), justify="right")
    for key in dict.fromkeys(key for column in shown.values() for key in column):
        table.add_row(key, *(cell(column.get(key, "")) for column in shown.values()))
    console = Console()
    console.print(table)
    for note in notes:
        console.print(f"- {note}", highlight=False)


def rounded(value: Any) -> Any:
    """The same figures with four significant digits: what is beyond them is noise."""
    if isinstance(value, Mapping):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def cell(value: object) -> str:
    """A figure, or the least and the most of one."""
    if isinstance(value, list | tuple):
        return "..".join(number(v) for v in value)
    return number(value)


def ranged(median: float, least: float, most: float) -> str:
    """A median with its range, to be read by people."""
    return number(median) if least == most else f"{number(median)} [{number(least)}..{number(most)}]"
