"""A graph in Graphviz's language."""

from collections.abc import Iterator
from typing import Final

from farandole.reactors.graph.graph import Graph

from .picture import Arrow, Box, BoxKind, picture_of

_STYLES: Final[dict[BoxKind, str]] = {
    "start": 'style="rounded,filled", fillcolor="#e4f5ea", color="#2f8f57"',
    "signal": 'shape=cds, style=filled, fillcolor="#fff3da", color="#b97a10"',
    "answer": 'style="rounded,filled", fillcolor="#f3eafb", color="#8a58bf"',
    "event": 'style="rounded,filled", fillcolor="#eaf1fc", color="#5b82c4"',
    "end": 'style="rounded,filled", peripheries=2, fillcolor="#e7eaef", color="#454f5e"',
    "reactor": 'style=filled, fillcolor="#ffffff", color="#1f2328", penwidth=1.6',
    "schedule": 'shape=hexagon, style=filled, fillcolor="#e0f3f5", color="#23808a"',
    "failure": 'style="rounded,dashed", color="#c9483f", fontcolor="#c9483f"',
}
_LINES: Final = {"sure": "", "maybe": "style=dashed", "failure": 'style=dotted, color="#c9483f", fontcolor="#c9483f"'}


def dot(graph: Graph) -> str:
    """The graph as a digraph, for ``dot -Tsvg`` and everything else that reads Graphviz's language."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    picture = picture_of(graph)
    yield f"digraph {quoted(picture.title)} {{"
    yield '    graph [rankdir=TB, fontname="Helvetica", nodesep=0.4, ranksep=0.5];'
    yield '    node [shape=box, fontname="Menlo, Consolas, monospace", fontsize=11];'
    yield '    edge [fontname="Helvetica", fontsize=9, color="#59636e", fontcolor="#59636e", arrowsize=0.7];'
    for box in picture.boxes:
        yield f"    {quoted(box.id)} [label={_label(box)}, {_STYLES[box.kind]}];"
    for arrow in picture.arrows:
        more = ", ".join(_attributes(arrow))
        yield f"    {quoted(arrow.source)} -> {quoted(arrow.target)}" + (f" [{more}];" if more else ";")
    yield "}"


def _label(box: Box) -> str:
    return quoted("\n".join([box.title, *box.notes]))


def _attributes(arrow: Arrow) -> Iterator[str]:
    if arrow.label:
        yield f"label={quoted(arrow.label)}"
    if arrow.many:
        yield "penwidth=2"
    if _LINES[arrow.line]:
        yield _LINES[arrow.line]


def quoted(text: str) -> str:
    """A string of the language, in which only quotes and backslashes mean something."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
