"""The colours of the drawing, for light pages and dark ones. No script, no font and no file from elsewhere."""

from collections.abc import Mapping
from typing import Final

MONO: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SANS: Final = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"

_LIGHT: Final = {"page": "#ffffff", "text": "#1c2128", "small": "#5b6570", "edge": "#7a8592", "failure": "#c2413a"}
_DARK: Final = {"page": "#0f141a", "text": "#e7ebf0", "small": "#9aa6b2", "edge": "#748190", "failure": "#f1776d"}
_LIGHT_BOXES: Final = {
    "start": ("#e2f5e9", "#2f8f57"), "signal": ("#fff2d6", "#c08412"), "answer": ("#f2e9fb", "#8a58bf"),
    "event": ("#e9f0fb", "#6a8fce"), "end": ("#e6e9ee", "#4c5766"), "reactor": ("#ffffff", "#1c2128"),
    "schedule": ("#def2f4", "#23808a"), "fails": ("#fdeeec", "#c2413a"),
}  # fmt: skip
_DARK_BOXES: Final = {
    "start": ("#12301f", "#45a873"), "signal": ("#35280c", "#d79f35"), "answer": ("#2a1b3d", "#a77bd8"),
    "event": ("#172640", "#5f88cc"), "end": ("#262d36", "#a3aebb"), "reactor": ("#1a212a", "#c9d1da"),
    "schedule": ("#0e2d31", "#3fa7b2"), "fails": ("#371714", "#f1776d"),
}  # fmt: skip
"""Fill and stroke."""


def style() -> str:
    """The style sheet of a drawing."""
    fixed = (
        f".name{{font:13px {MONO}}}.reactor .name{{font-weight:600}}.title{{font:600 15px {SANS}}}"
        f".small{{font:11px {SANS}}}.edge{{fill:none;stroke-width:1.4}}.many{{stroke-width:3}}"
        ".maybe{stroke-dasharray:6 4}.failure{stroke-dasharray:1.5 3.5;stroke-linecap:round;stroke-width:1.8}"
        ".reactor .box{stroke-width:1.6}.box{stroke-width:1.3}.fails .box{stroke-dasharray:4 3}"
        ".label{paint-order:stroke;stroke-width:6;stroke-linejoin:round}"
    )
    return (
        f"{fixed}{_colours(_LIGHT, _LIGHT_BOXES)}@media (prefers-color-scheme:dark){{{_colours(_DARK, _DARK_BOXES)}}}"
    )


def _colours(theme: Mapping[str, str], boxes: Mapping[str, tuple[str, str]]) -> str:
    rules = [
        f".page{{fill:{theme['page']}}}.name,.title{{fill:{theme['text']}}}.small{{fill:{theme['small']}}}"
        f".label{{stroke:{theme['page']}}}.edge{{stroke:{theme['edge']}}}.tip,.dot{{fill:{theme['edge']}}}"
        f".edge.failure{{stroke:{theme['failure']}}}.tip.failure{{fill:{theme['failure']}}}"
    ]
    for box, (fill, stroke) in boxes.items():
        rules.append(f".{box} .box{{fill:{fill};stroke:{stroke}}}.{box} .sign{{fill:none;stroke:{stroke}}}")
    return "".join(rules)
