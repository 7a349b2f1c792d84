"""A graph as SVG: one file that holds all it needs, on light pages and dark ones. The same graph, the same bytes."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from farandole.reactors.graph.graph import Graph

from .layout import Layout, Point, Size, lay_out
from .legend import legend
from .picture import Box, Picture, picture_of
from .theme import style

MARGIN: Final = 26.0
_HEAD: Final = 34.0
_PAD: Final = 16.0
_SIGN: Final = 16.0
_STUB: Final = 26.0
_NAME: Final = 7.83
"""The width of a character of a name: its font is monospaced."""
_SMALL: Final = 6.0
"""About the width of a character of small print."""
_LINE: Final = 15.0
_TIP: Final = 8.0
_PORTS: Final = 30.0
"""Between the ends of arrows at one side of a box, at most."""


def svg(graph: Graph) -> str:
    """The graph as an SVG document."""
    picture = picture_of(graph)
    number = {box.id: n for n, box in enumerate(picture.boxes)}
    edges = list(dict.fromkeys((number[a.source], number[a.target]) for a in picture.arrows if a.source != a.target))
    layout = lay_out([_reserved(box) for box in picture.boxes], edges)
    rows, low = legend(picture, max(layout.size[0], 420.0))
    width = max(layout.size[0], 420.0, len(picture.title) * 9.0) + 2 * MARGIN
    shift = (width - layout.size[0]) / 2
    centres = [(x + shift, y + MARGIN + _HEAD) for x, y in layout.centres]
    bottom = MARGIN + _HEAD + layout.size[1] + 30.0
    height = bottom + low + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
        f'height="{_n(height)}" role="img" aria-labelledby="title">',
        f'<title id="title">The choreography {escape(picture.title)}</title>',
        f"<style>{style()}</style>",
        f"<defs>{_tip('tip', 'tip', 8)}{_tip('tip-many', 'tip', 11)}{_tip('tip-failure', 'tip failure', 8)}</defs>",
        f'<rect class="page" width="{_n(width)}" height="{_n(height)}" rx="10"/>',
        f'<text class="title" x="{_n(MARGIN)}" y="{_n(MARGIN + 8)}">{escape(picture.title)}</text>',
        *_arrows(picture, layout, centres, number, shift),
        *(line for box, centre in zip(picture.boxes, centres, strict=True) for line in _box(box, centre)),
        f'<g transform="translate({_n(MARGIN)} {_n(bottom)})">',
        *rows,
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _size(box: Box) -> Size:
    signed = box.kind in ("answer", "schedule")
    text = max(len(box.title) * _NAME, *(len(note) * _SMALL for note in box.notes), 40.0)
    return text + 2 * _PAD + (_SIGN if signed else 0.0), 34.0 + _LINE * len(box.notes)


def _reserved(box: Box) -> Size:
    """The room that a box takes: with that for where it comes from, on both sides, so that its middle stays."""
    width, height = _size(box)
    return width + (2 * _STUB if box.outside else 0.0), height


def _box(box: Box, centre: Point) -> Iterator[str]:
    width, height = _size(box)
    x, y = centre[0] - width / 2, centre[1] - height / 2
    kind = "fails" if box.kind == "failure" else box.kind
    round_ = 4.0 if box.kind == "reactor" else 17.0
    yield f'<g class="{kind}">'
    yield _rect(x, y, width, height, round_)
    if box.kind == "end":
        yield _rect(x + 3, y + 3, width - 6, height - 6, round_ - 3)
    if box.outside:
        yield f'<circle class="dot" cx="{_n(x - 21)}" cy="{_n(centre[1])}" r="4"/>'
        yield f'<path class="edge" d="M{_n(x - 21)} {_n(centre[1])}H{_n(x - _TIP)}" marker-end="url(#tip)"/>'
    middle = centre[0]
    if box.kind in ("answer", "schedule"):
        yield _sign(box, x + 19, centre[1])
        middle += _SIGN / 2
    at = y + 21.5
    yield f'<text class="name" x="{_n(middle)}" y="{_n(at)}" text-anchor="middle">{escape(box.title)}</text>'
    for note in box.notes:
        at += _LINE
        yield f'<text class="small" x="{_n(middle)}" y="{_n(at)}" text-anchor="middle">{escape(note)}</text>'
    yield "</g>"


def _rect(x: float, y: float, width: float, height: float, round_: float) -> str:
    return f'<rect class="box" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(round_)}"/>'


def _sign(box: Box, x: float, y: float) -> str:
    """A person for an answer, a clock for a schedule."""
    if box.kind == "answer":
        path = f"M{_n(x - 5.5)} {_n(y + 7)}a5.5 5.5 0 0 1 11 0M{_n(x - 3)} {_n(y - 3.5)}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0"
    else:
        path = f"M{_n(x - 6)} {_n(y)}a6 6 0 1 0 12 0a6 6 0 1 0 -12 0M{_n(x)} {_n(y - 3.5)}V{_n(y)}L{_n(x + 2.5)} {_n(y + 2)}"
    return f'<path class="sign" d="{path}" stroke-width="1.4"/>'


def _arrows(
    picture: Picture, layout: Layout, centres: Sequence[Point], number: dict[str, int], shift: float
) -> Iterator[str]:
    """The lines first, then their labels, which lie on top of all lines."""
    routes = _routes(picture, layout, centres, number, shift)
    labels = []
    for arrow, points in zip(picture.arrows, routes, strict=True):
        kinds = " ".join(["edge", *([arrow.line] if arrow.line != "sure" else []), *(["many"] if arrow.many else [])])
        tip = "tip-failure" if arrow.line == "failure" else "tip-many" if arrow.many else "tip"
        yield f'<path class="{kinds}" d="{_path(points)}" marker-end="url(#{tip})"/>'
        if arrow.label:
            (x0, y0), (x1, y1) = points[0], points[1]
            labels.append(
                f'<text class="small label" x="{_n((x0 + x1) / 2)}" y="{_n((y0 + y1) / 2 + 3.5)}" '
                f'text-anchor="middle">{escape(arrow.label)}</text>'
            )
    yield from labels


def _routes(
    picture: Picture, layout: Layout, centres: Sequence[Point], number: dict[str, int], shift: float
) -> list[list[Point]]:
    """The points of each arrow: where it leaves, where it passes, where it arrives."""
    bends: list[list[Point]] = []
    sides: dict[tuple[int, bool], list[tuple[float, int, bool]]] = {}
    for n, arrow in enumerate(picture.arrows):
        edge = number[arrow.source], number[arrow.target]
        passed = [(x + shift, y + MARGIN + _HEAD) for x, y in layout.bends.get(edge, ())]
        bends.append(passed)
        upwards = edge in layout.turned
        sides.setdefault((edge[0], upwards), []).append(((passed[0] if passed else centres[edge[1]])[0], n, True))
        sides.setdefault((edge[1], not upwards), []).append(((passed[-1] if passed else centres[edge[0]])[0], n, False))
    ends: dict[tuple[int, bool], Point] = {}
    for (box, top), arriving in sides.items():
        width, height = _size(picture.boxes[box])
        x, y = centres[box]
        step = min(_PORTS, (width - 28.0) / max(len(arriving) - 1, 1))
        for place, (_, n, leaving) in enumerate(sorted(arriving)):
            at = x + (place - (len(arriving) - 1) / 2) * step
            # The tip of an arrow is drawn beyond its line's end, lest a thick line blunt it.
            off = 0.0 if leaving else _TIP
            ends[n, leaving] = (at, y - height / 2 - off if top else y + height / 2 + off)
    return [[ends[n, True], *passed, ends[n, False]] for n, passed in enumerate(bends)]


def _path(points: Sequence[Point]) -> str:
    said = f"M{_n(points[0][0])} {_n(points[0][1])}"
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x0 == x1:
            said += f"V{_n(y1)}"
        else:
            half = (y1 - y0) / 2
            said += f"C{_n(x0)} {_n(y0 + half)} {_n(x1)} {_n(y1 - half)} {_n(x1)} {_n(y1)}"
    return said


def _tip(id: str, kinds: str, width: int) -> str:
    return (
        f'<marker id="{id}" viewBox="0 0 8 8" refX="0.2" refY="4" markerWidth="{_n(_TIP)}" markerHeight="{width}" '
        f'markerUnits="userSpaceOnUse" orient="auto" preserveAspectRatio="none">'
        f'<path class="{kinds}" d="M0 .7L8 4L0 7.3Z"/></marker>'
    )


def _n(value: float) -> str:
    """A coordinate with one digit after the point at most, written the same everywhere."""
    return f"{round(value * 10) / 10 + 0.0:g}"
