"""What the colours and lines of a drawing mean, as far as it has them."""

from collections.abc import Iterator
from typing import Final

from .picture import Picture

_ROW: Final = 20.0
_SWATCH: Final = 22.0
_CHARACTER: Final = 5.7
_BOXES: Final = {
    "start": "start of a run",
    "signal": "signal from outside",
    "answer": "a person's answer",
    "event": "event",
    "end": "end of a run",
    "schedule": "schedule",
    "failure": "failure",
}
_LINES: Final = {"maybe": "one of several outcomes", "many": "one for each branch", "failure": "when it fails for good"}


def legend(picture: Picture, width: float) -> tuple[list[str], float]:
    """The lines of the legend, from its top left corner, and its height."""
    lines: list[str] = []
    x, y = 0.0, 0.0
    for swatch, said in _items(picture):
        wide = _SWATCH + 7 + len(said) * _CHARACTER + 16
        if x and x + wide > width:
            x, y = 0.0, y + _ROW
        lines.append(
            f'<g transform="translate({x:g} {y:g})">{swatch}'
            f'<text class="small" x="{_SWATCH + 7:g}" y="10">{said}</text></g>'
        )
        x = round(x + wide, 1)
    return lines, y + 14.0


def _items(picture: Picture) -> Iterator[tuple[str, str]]:
    kinds = {box.kind for box in picture.boxes}
    for kind, said in _BOXES.items():
        if kind in kinds:
            name = "fails" if kind == "failure" else kind
            inner = '<rect class="box" x="2.5" y="2.5" width="17" height="7" rx="3.5"/>' if kind == "end" else ""
            yield f'<g class="{name}"><rect class="box" width="{_SWATCH:g}" height="12" rx="6"/>{inner}</g>', said
    if "reactor" in kinds:
        yield f'<g class="reactor"><rect class="box" width="{_SWATCH:g}" height="12" rx="2"/></g>', "reactor"
    used = {arrow.line for arrow in picture.arrows} | {"many" for arrow in picture.arrows if arrow.many}
    for line, said in _LINES.items():
        if line in used:
            yield f'<path class="edge {line}" d="M0 6H{_SWATCH:g}"/>', said
