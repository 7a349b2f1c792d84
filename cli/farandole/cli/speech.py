"""What steps say while they are at work, in a terminal: as it comes, and in one line with what came before."""

import sys
from typing import Any

from rich.text import Text

from farandole.reactors import Live

from .output import Output, safe

_CALL = "call"
Step = tuple[str, str, str]
"""A step's trigger, reactor and generation."""


class Speech:
    """Writes pieces as they come. Between two of them other lines may be written: say `pause` before.

    Args:
        names: whether to say whose step speaks.
    """

    def __init__(self, out: Output, *, names: bool = True) -> None:
        self._out = out
        self._names = names
        self._speaking: Step | None = None
        self._column = False
        self.said: dict[Step, str] = {}
        """The text of the newest take of each step."""

    @property
    def speaking(self) -> str:
        """What the step that spoke last has said so far; empty once there was a pause."""
        return "" if self._speaking is None else self.said.get(self._speaking, "")

    def hear(self, piece: Live) -> None:
        """Write a piece."""
        if self._out.as_json:
            self._out.line({"live": as_json(piece)})
            return
        step = (piece.trigger, piece.reactor, piece.generation)
        before = self.said.setdefault(step, "")
        if piece.anew:
            self.said[step] = ""
        if piece.anew and before:
            self.pause()
            self._out.print(Text(f"  {safe(piece.reactor)} begins anew, attempt {piece.attempt}:", style="yellow"))
        elif step != self._speaking:
            self.pause()
            if self._names:
                self._out.print(Text(f"  {safe(piece.reactor)}", style="dim"))
        self._speaking = step
        if piece.lost:
            self.write(" … ")
        if piece.kind == "text":
            self.said[step] += piece.text
            self.write(piece.text)
        elif piece.kind != _CALL or self._names:
            self.pause()
            self._out.print(Text(f"  {safe(piece.kind)} {safe(piece.text)} …", style="dim"))

    def write(self, text: str) -> None:
        """Write text that goes on where the last one ended."""
        if self._out.as_json or not text:
            return
        self._out.console.print(Text(safe(text)), end="", soft_wrap=True)
        sys.stdout.flush()
        self._column = not text.endswith("\n")

    def pause(self) -> None:
        """Begin a new line, if one was begun."""
        if self._column:
            self._out.print()
        self._column = False
        self._speaking = None


def as_json(piece: Live) -> dict[str, Any]:
    """A piece, for other programs."""
    return {
        "reactor": piece.reactor, "trigger": piece.trigger, "attempt": piece.attempt, "take": piece.take,
        "index": piece.index, "kind": piece.kind, "text": piece.text, "anew": piece.anew, "lost": piece.lost,
        "at": piece.at,
    }  # fmt: skip
