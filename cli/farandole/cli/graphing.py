"""`check` and `graph`: the code at hand as one graph, looked through and drawn."""

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.text import Text

from farandole.reactors.graph import Finding, Graph, findings_in, graph_of
from farandole.reactors.graph.drawing import dot, mermaid, picture_of, svg

from .apppath import load_app
from .errors import FAILED, CliError
from .output import Output
from .tables import MARKS, Found, findings_grid

_FORMATS: Final[Mapping[str, Callable[[Graph], str]]] = {"mermaid": mermaid, "dot": dot, "svg": svg}
_SUFFIXES: Final = {".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid"}


def check(apps: Sequence[str], out: Output) -> int:
    """Tell what is found in a graph; 1 if something cannot work."""
    graph = _graph(apps)
    findings = findings_in(graph)
    bad = any(finding.severity == "error" for finding in findings)
    if out.as_json:
        out.document({"choreographies": graph.choreographies, "sound": not bad, "findings": findings})
    else:
        _print(out, graph, findings)
    return FAILED if bad else 0


def draw(apps: Sequence[str], out: Output, format: str | None, file: Path | None) -> int:
    """Draw a graph, into a file or to stdout.

    Raises:
        CliError: the file's name says not in which format.
    """
    graph = _graph(apps)
    text = None if out.as_json else _FORMATS[format or _by_name(file)](graph)
    if text is None:
        out.document(_as_data(graph))
    elif file is None:
        sys.stdout.write(text)
    else:
        file.write_text(text, encoding="utf-8")
    return 0


def _graph(apps: Sequence[str]) -> Graph:
    # Two paths may name one choreography.
    return graph_of(*{id(app): app for app in (load_app(path, whole=False) for path in apps)}.values())


def _by_name(file: Path | None) -> str:
    if file is None:
        return "mermaid"
    if file.suffix not in _SUFFIXES:
        raise CliError(f"which format is {file.name}? Say --format, or name the file {file.stem}.svg, .mmd or .dot")
    return _SUFFIXES[file.suffix]


def _as_data(graph: Graph) -> dict[str, Any]:
    picture = picture_of(graph)
    return {
        "choreographies": graph.choreographies,
        "services": graph.services,
        "nodes": [asdict(box) for box in picture.boxes],
        "edges": [asdict(arrow) for arrow in picture.arrows],
    }


def _print(out: Output, graph: Graph, findings: Sequence[Finding]) -> None:
    if findings:
        out.print(findings_grid((Found(f.severity, f.where, f"{f.text} ({f.name})", f.cure) for f in findings), 32))
        out.print()
    counts = Counter(finding.severity for finding in findings)
    size = f"{_count(len(graph.reactors), 'reactor')}, {_count(len(graph.events), 'event')}"
    if not findings:
        out.print(Text(f"{size}: nothing found amiss", style="green"))
        return
    parts = [f"{n} info" if severity == "info" else _count(n, severity) for severity, n in counts.items()]
    out.print(Text(f"{size}: {', '.join(parts)}", style=MARKS[findings[0].severity][1]))


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'s'[: n != 1]}"
