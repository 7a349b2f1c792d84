"""A graph as Mermaid's text, which code forges draw in their pages."""

from collections.abc import Iterator
from typing import Final

from farandole.reactors.graph.graph import Graph

from .picture import Arrow, Box, BoxKind, picture_of

_SHAPES: Final[dict[BoxKind, tuple[str, str]]] = {
    "start": ("([", "])"),
    "signal": (">", "]"),
    "answer": ("[/", "/]"),
    "event": ("(", ")"),
    "end": ("([", "])"),
    "reactor": ("[", "]"),
    "schedule": ("{{", "}}"),
    "failure": ("(", ")"),
}
_STYLES: Final[dict[BoxKind, str]] = {
    "start": "fill:#e4f5ea,stroke:#2f8f57,color:#14281d",
    "signal": "fill:#fff3da,stroke:#b97a10,color:#33230a",
    "answer": "fill:#f3eafb,stroke:#8a58bf,color:#2a1840",
    "event": "fill:#eaf1fc,stroke:#5b82c4,color:#14233d",
    "end": "fill:#e7eaef,stroke:#454f5e,stroke-width:3px,color:#1b222b",
    "reactor": "fill:#ffffff,stroke:#1f2328,stroke-width:2px,color:#1f2328",
    "schedule": "fill:#e0f3f5,stroke:#23808a,color:#0d2d31",
    "failure": "fill:#fdecea,stroke:#c9483f,color:#4a1410,stroke-dasharray:3 3",
}
_LINES: Final = {"sure": "-->", "maybe": "-.->", "failure": "-.->"}


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    picture = picture_of(graph)
    ids = {box.id: f"n{number}" for number, box in enumerate(picture.boxes)}
    yield "flowchart TB"
    for box in picture.boxes:
        yield f"    {ids[box.id]}{_box(box)}:::{_css(box.kind)}"
    for arrow in picture.arrows:
        yield f"    {ids[arrow.source]} {_arrow(arrow)} {ids[arrow.target]}"
    for number, arrow in enumerate(picture.arrows):
        if arrow.line == "failure":
            yield f"    linkStyle {number} stroke:#c9483f"
    for kind, style in _STYLES.items():
        if any(box.kind == kind for box in picture.boxes):
            yield f"    classDef {_css(kind)} {style}"


def _css(kind: BoxKind) -> str:
    """The class of a kind; the word ``end`` alone would close a block."""
    return f"{kind}s"


def _box(box: Box) -> str:
    opening, closing = _SHAPES[box.kind]
    text = "<br/>".join([_text(box.title), *(f"<small>{_text(note)}</small>" for note in box.notes)])
    return f'{opening}"{text}"{closing}'


def _arrow(arrow: Arrow) -> str:
    line = "==>" if arrow.many and arrow.line == "sure" else _LINES[arrow.line]
    return f'{line}|"{_text(arrow.label)}"|' if arrow.label else line


def _text(text: str) -> str:
    """Text that is nothing but text to Mermaid, which knows entities by ``#``."""
    marks = {"#": "#35;", '"': "#quot;", "&": "#amp;", "<": "#lt;", ">": "#gt;", "\\": "#92;", "`": "#96;"}
    return "".join(marks.get(c, c) for c in " ".join(text.split()))
