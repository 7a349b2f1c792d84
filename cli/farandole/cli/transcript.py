"""A conversation as lines in a terminal: what was said, what was called, and what it has cost."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.text import Text

from farandole.reactors import Live, Recorded
from farandole.schemas import End, Event, Start

from .output import Output, safe, to_json
from .speech import Speech

if TYPE_CHECKING:
    from .talkable import Talkable

_MOST = 300
"""Characters of what a tool takes or returns that are shown."""


class Transcript:
    """Writes events and pieces as they come.

    Attributes:
        offset: of the last event that was written.
        replaying: what the user said is written too; else they have just typed it.
        closed: whether the run has its end.
        heard: whether anything has come of what the user said last.
    """

    def __init__(self, talkable: "Talkable", out: Output) -> None:
        self._talkable = talkable
        self._out = out
        self.speech = Speech(out, names=False)
        self.offset = -1
        self.replaying = False
        self.closed = False
        self.heard = True
        self._calls = self._tokens = 0
        self._cost = Decimal(0)
        self._unpriced = False

    def take(self, each: Recorded | Live) -> None:
        """Write an event or a piece."""
        if isinstance(each, Live):
            self.speech.hear(each)
            return
        self.offset = max(self.offset, each.offset)
        self._event(each.event)

    def spent(self) -> str:
        """What it has cost so far."""
        calls = f"{self._calls} call{'s'[: self._calls != 1]} of the model"
        cost = f"${self._cost.normalize():f}" if self._cost or not self._unpriced else "price unknown"
        also = ", and what nobody knows the price of" if self._unpriced and self._cost else ""
        return f"{calls} · {self._tokens:,} tokens · {cost}{also}"

    def _event(self, event: Event) -> None:
        from farandole.agents import ModelReplied, ToolCalled, ToolDenied, ToolReturned

        openings = [self._talkable.opening, *([self._talkable.going_on] if self._talkable.going_on else [])]
        for kind, field in openings:
            if isinstance(event, kind):
                self.heard = False
                if self.replaying:
                    self._line(f"› {getattr(event, field)}", "bold")
                return
        self.heard = True
        match event:
            case ModelReplied():
                self._replied(event)
            case ToolCalled():
                self._line(f"  {event.tool}({_short(event.args)})", "cyan")
            case ToolReturned():
                style = "dim" if event.outcome == "success" else "yellow"
                self._line(f"  {event.tool} → {_short(event.content)}", style)
                if event.kept is not None:
                    of = f"{event.kept.bytes:,} bytes of {event.kept.media_type}"
                    self._line(f"  the head of {of}, kept as {event.kept.reference}", "dim")
            case ToolDenied() | Start():
                pass
            case _ if type(event) in self._talkable.agent.gives:
                self._given(event)
        self.closed = self.closed or isinstance(event, End)

    def _replied(self, event: Any) -> None:
        self._calls += 1
        self._tokens += event.input_tokens + event.output_tokens
        self._unpriced = self._unpriced or event.cost is None
        self._cost += event.cost or Decimal(0)
        parts = event.message.get("parts", ()) if isinstance(event.message, dict) else ()
        text = "".join(str(part.get("content", "")) for part in parts if part.get("part_kind") == "text")
        said = self.speech.speaking
        if said and text.startswith(said):
            self.speech.write(text[len(said) :])
        elif text:
            # What was heard is not what it came to: an attempt that failed, or pieces that were lost.
            self.speech.pause()
            self.speech.write(text)
        self.speech.pause()

    def _given(self, event: Event) -> None:
        text = self._talkable.agent.ways.text
        if text is None or type(event) is not text[0]:
            self._line(f"  {type(event).__name__} {_short(event.model_dump(mode='json'), 4 * _MOST)}", "green")

    def _line(self, text: str, style: str) -> None:
        self.speech.pause()
        self._out.print(Text(safe(text), style=style), soft_wrap=True)


def _short(value: Any, most: int = _MOST) -> str:
    text = value if isinstance(value, str) else to_json(value)
    return text if len(text) <= most else f"{text[:most]}…"
