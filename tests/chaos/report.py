"""The report for people, made from the one for programs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEAD = (
    "| fault | seed | faults | runs | events | anomalies | recovery p50 / p99 (of) | executed again (per crash) | load |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)


BEGIN, END = "<!-- the faults, from test-output/chaos.json -->", "<!-- end of the faults -->"


def refresh(page: Path, results: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the table into a page, between its two comments.

    Raises:
        ValueError: the page has not both comments.
    """
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or END not in rest:
        raise ValueError(f"{page} has no place for the table: it needs {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{table_of(results)}\n{END}{after}")


def table_of(results: Mapping[str, Mapping[str, Any]]) -> str:
    """One row for each cell and seed; the seeds of a cell one after the other, in the order in which cells came first."""
    first = list(dict.fromkeys(result["cell"] for result in results.values()))
    ordered = sorted(results.values(), key=lambda result: (first.index(result["cell"]), result["seed"]))
    return HEAD + "".join(map(_row, ordered))


def _row(result: Mapping[str, Any]) -> str:
    figures, crashes = result["figures"], result["figures"].get("crashes", 0)
    recoveries = "<br>".join(
        f"{what}: {each['p50']:.2f} / {each['p99']:.2f} s ({each['count']})"
        for what, each in result["recoveries"].items()
    )
    repeated = figures.get("executed_again")
    per_crash = f" ({repeated / crashes:.1f})" if repeated is not None and crashes else ""
    cells = (
        f"`{result['cell']}`: {result['about']}",
        result["seed"],
        figures.get("faults") or f"{figures.get('tests', 0)} tests",
        _count(figures.get("runs")),
        _count(figures.get("events") or figures.get("records")),
        "<br>".join([str(len(result["anomalies"])), *(f"not shown: {what}" for what in result.get("not_shown", ()))]),
        recoveries or "—",
        "—" if repeated is None else f"{repeated}{per_crash}",
        result["notes"].get("load of the machine", "—"),
    )
    return f"| {' | '.join(map(str, cells))} |\n"


def _count(number: int | None) -> str:
    return "—" if number is None else f"{number:,}"


def summary(result: Mapping[str, Any]) -> str:
    """A few lines for the terminal."""
    figures = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in result["figures"].items())
    lines = [f"{result['cell']} (seed {result['seed']}), {result['seconds']} s: {figures}"]
    lines += [
        f"  {what}: p50 {each['p50']:.2f} s, p99 {each['p99']:.2f} s of {each['count']}"
        for what, each in result["recoveries"].items()
    ]
    lines += [f"  {what}: {said}" for what, said in result["notes"].items()]
    lines += [f"  NOT SHOWN: {what}: {why}" for what, why in result["not_shown"].items()]
    lines += [f"  BROKEN: {problem}" for problem in result["anomalies"]]
    return "\n".join(lines)
