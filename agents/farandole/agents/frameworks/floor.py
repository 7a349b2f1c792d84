"""Who of the models that a step calls has the floor: one at a time is heard, so that what is told live reads as it was said.

Calls side by side would speak into each other, and one that is made again would go on where the first broke off. So the one
that speaks first is heard until it ends. What others say meanwhile is held back, and told after it; a paragraph begins
with each.
"""

from collections.abc import Callable
from typing import Final

_TEXT: Final = "text"
PARAGRAPH: Final = "\n\n"


class Call:
    """A call of a model that may be heard."""

    __slots__ = ("ended", "held")

    def __init__(self) -> None:
        self.ended = False
        self.held: list[tuple[str, str]] = []
        """What it said while another had the floor: texts and their kinds."""


class Floor:
    """Passes on what calls say.

    Args:
        say: told each text and its kind.
    """

    def __init__(self, say: Callable[[str, str], None]) -> None:
        self._say = say
        self._speaker: Call | None = None
        self._waiting: list[Call] = []
        self._text = self._paragraph = False
        """Whether a text was told, and whether the next one begins a paragraph."""

    def hear(self, call: Call, text: str, kind: str) -> None:
        """Something that a call says."""
        if self._speaker is None:
            self._give_to(call)
        if call is self._speaker:
            self._tell(text, kind)
            return
        if call not in self._waiting:
            self._waiting.append(call)
        if call.held and call.held[-1][1] == kind == _TEXT:
            call.held[-1] = (call.held[-1][0] + text, kind)
        else:
            call.held.append((text, kind))

    def end(self, call: Call) -> None:
        """A call has ended, or failed."""
        call.ended = True
        while self._speaker is not None and self._speaker.ended:
            self._speaker = None
            if self._waiting:
                self._give_to(self._waiting.pop(0))

    def _give_to(self, call: Call) -> None:
        self._speaker, self._paragraph = call, self._text
        for text, kind in call.held:
            self._tell(text, kind)

    def _tell(self, text: str, kind: str) -> None:
        if kind == _TEXT:
            if self._paragraph:
                self._say(PARAGRAPH, _TEXT)
            self._text, self._paragraph = True, False
        self._say(text, kind)
