"""The tables of a page, from the figures of the benchmarks: each between two marks that name its result.

The figures are kept beside the page, in ``figures/``, so that it can be made anew from what is in the repository.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.show import cell, number

_MARK = re.compile(r"(<!-- figures: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SYSTEMS = {
    "at_least_once": "at-least-once loop",
    "transactions": "transaction loop",
    "at_least_once_bare": "at-least-once loop, no headers",
}
_PARTS = (
    "event",
    "mark",
    "state",
    "run",
    "signal",
    "join",
    "no_work",
    "work",
    "empty",
    "a tenth",
    "all",
    "a tenth, more open",
)


def kept_beside(page: Path) -> Path:
    """The folder in which the figures of a page are kept."""
    return page.parent / "figures"


def keep(page: Path, folder: Path, names: Iterable[str]) -> None:
    """Put the figures of these benchmarks that are in a folder beside the page."""
    kept_beside(page).mkdir(exist_ok=True)
    for name in names:
        if (found := folder / f"{name}.json").exists():
            (kept_beside(page) / found.name).write_text(found.read_text())


def fill(page: Path, commands: Mapping[str, str]) -> None:
    """Put the figures that are kept beside a page between its marks; a result that is not there leaves its table."""
    page.write_text(filled(page, commands))


def filled(page: Path, commands: Mapping[str, str]) -> str:
    """The page with the figures that are kept beside it."""

    def table(found: re.Match[str]) -> str:
        path = kept_beside(page) / f"{found[2]}.json"
        if not path.exists():
            return found[0]
        result = json.loads(path.read_text())
        return f"{found[1]}`{commands[found[2]]}`\n\n{_table(result)}\n{found[3]}"

    return _MARK.sub(table, page.read_text())


def _table(result: dict[str, Any]) -> str:
    spread = result.pop("spread", {})
    plain = {k: v for k, v in result.items() if not isinstance(v, dict)}
    columns: dict[str, dict[str, Any]]
    if "systems" in result:
        columns = {name: dict(its) for name, its in result["systems"].items()}
        spreads = {name: {} for name in columns}
    elif "steps" in result and "cpu_us_per_step" in result:
        columns = {"Farandole": plain, **{name: result[key] for key, name in _SYSTEMS.items() if key in result}}
        spreads = {
            "Farandole": spread.get("farandole", {}),
            **{name: spread.get(key, {}) for key, name in _SYSTEMS.items()},
        }
    elif parts := [part for part in _PARTS if part in result]:
        columns, spreads = {}, {}
        for part in parts:
            inner = {k: v for k, v in result[part].items() if k != "spread"}
            if all(isinstance(v, dict) for v in inner.values()):
                its = result[part]["spread"]
                for shape, figures in inner.items():
                    title = f"{shape}, {result['work_us']:g} µs of work" if part == "work" else shape
                    columns[title], spreads[title] = figures, its[shape]
            else:
                columns[part], spreads[part] = inner, spread.get(part, {})
    else:
        columns, spreads = {"": plain}, {"": {}}
    rows = dict.fromkeys(key for column in columns.values() for key in column)
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for key in rows:
        cells = [_cell(columns[c].get(key, ""), spreads[c].get(key)) for c in columns]
        lines.append(f"| {key} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: Any, spread: list[float] | None) -> str:
    if spread is None or spread[0] == spread[1]:
        return cell(value)
    return f"{number(value)} [{number(spread[0])}..{number(spread[1])}]"
