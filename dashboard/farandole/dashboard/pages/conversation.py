"""What was said in a run by its agents, from what is recorded: turns, calls of tools, and what both cost.

Pure, and without the package of the agents: their events are known by the end of their names and by their fields, as
`docs/agents.md` says them. A field that holds nothing is one that the caller may not see, or that no table holds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from farandole.projections.runs.query import RecordRow, StepRow

from .words import short

KINDS: Final = ("ModelRequested", "ModelReplied", "ToolProposed", "ToolApproved", "ToolDenied", "ToolReturned")
_OUTCOMES: Final = {
    "success": ("returned", "good"), "retried": ("to be called otherwise", "warn"), "failed": ("failed", "bad"),
    "denied": ("denied", "bad"), "unknown": ("nobody knows whether it took effect", "warn"),
}  # fmt: skip


@dataclass(slots=True)
class Said:
    """Something said to the model."""

    who: str
    text: str


@dataclass(slots=True)
class Call:
    """A call of a tool."""

    id: str
    tool: str
    args: Any = None
    state: str = "called"
    tone: str = "work"
    result: Any = None
    kept: str = ""
    """Where the whole of the result is, and how large, if only its head is here."""
    took_ms: int = 0
    denied_by: str = ""
    why: str = ""
    """Of one that was denied, as far as the answer says it."""
    hidden: bool = False
    """Whether what it was called with and returned is not for the caller."""
    decision: int | None = None
    """The offset of the question that it waits for."""
    child: str = ""
    """The run that it started."""
    below: "Sequence[Conversation]" = ()
    """What was said there."""


@dataclass(slots=True)
class Turn:
    """A request and its reply."""

    number: int
    at: int
    said: list[Said] = field(default_factory=list)
    text: str = ""
    thought: str = ""
    replied: bool = False
    hidden: bool = False
    calls: list[Call] = field(default_factory=list)
    trigger: str = ""
    """The id of the request, by which what is said live is known."""
    reactor: str = ""
    """Whose step makes the reply, while it is open."""
    state: str = ""
    """Of that step."""
    model: str = ""
    tokens: int = 0
    cost: Decimal | None = None
    took_ms: int = 0
    attempt: int = 1
    finish: str = ""


@dataclass(slots=True)
class Conversation:
    """What was said between one agent and its model."""

    agent: str
    id: str
    at: int
    instructions: str = ""
    continues: str = ""
    turns: list[Turn] = field(default_factory=list)

    def everything(self) -> "Iterator[Conversation]":
        """It and all those below it."""
        yield self
        for call in self.calls():
            for below in call.below:
                yield from below.everything()

    def calls(self) -> Iterator[Call]:
        for turn in self.turns:
            yield from turn.calls


@dataclass(frozen=True, slots=True)
class Spent:
    """What conversations came to."""

    calls: int
    tokens: int
    cost: Decimal
    unpriced: bool


def is_of_agents(type: str) -> bool:
    """Whether a record is of an agent, by the name of its event."""
    return short(type).endswith(KINDS)


def conversations(
    records: Iterable[RecordRow], steps: Iterable[StepRow], children: Mapping[int, str], questions: Iterable[int]
) -> list[Conversation]:
    """What was said in a run.

    Args:
        records: all of the run's, in the order of the log.
        steps: those that are open.
        children: by the offset of the record that bore each.
        questions: the offsets of those that are open.
    """
    made = _Reading({step.trigger: step for step in steps if step.reactor.endswith(".model")})
    kept = [record for record in records if record.verdict in ("admitted", "held")]
    for record in kept:
        made.take(record)
    made.deny(kept)
    for record in kept:
        call = made.begun.get(record.trigger)
        if call is not None and record.log_offset in children:
            call.child = children[record.log_offset]
    asked = set(questions)
    for record in kept:
        call = made.begun.get(record.trigger)
        if call is not None and record.log_offset in asked:
            call.decision, call.state, call.tone = record.log_offset, "waits for an answer", "wait"
    return list(made.found.values())


def spent(found: Iterable[Conversation]) -> Spent:
    """What conversations and those below them have cost."""
    turns = [turn for each in found for inner in each.everything() for turn in inner.turns if turn.replied]
    return Spent(
        len(turns), sum(turn.tokens for turn in turns), sum((turn.cost or Decimal(0) for turn in turns), Decimal(0)),
        any(turn.cost is None for turn in turns),
    )  # fmt: skip


class _Reading:
    def __init__(self, steps: Mapping[str, StepRow]) -> None:
        self.found: dict[str, Conversation] = {}
        self.begun: dict[str, Call] = {}
        """Calls, by the id of each record that is about one."""
        self._steps = steps
        self._calls: dict[tuple[str, int, str], Call] = {}

    def take(self, record: RecordRow) -> None:
        name, payload = short(record.type), record.payload
        if not isinstance(payload, dict) or not isinstance(payload.get("agent"), str):
            return
        if not isinstance(payload.get("conversation"), str) or not isinstance(payload.get("turn"), int):
            return
        if name.endswith("ModelRequested"):
            self._requested(record, payload)
        elif name.endswith("ModelReplied"):
            self._replied(record, payload)
        elif "call" in payload and "tool" in payload:
            self._called(record, name, payload)

    def deny(self, records: Sequence[RecordRow]) -> None:
        """An answer names the question alone, and this the proposal: what is denied was never called."""
        by_id = {record.id: record for record in records}
        for record in records:
            asked = by_id.get(record.trigger)
            call = None if asked is None else self.begun.get(asked.trigger)
            if call is None or not short(record.type).endswith("ToolDenied"):
                continue
            payload = record.payload if isinstance(record.payload, dict) else {}
            call.state, call.tone = _OUTCOMES["denied"]
            call.denied_by, call.why = _text(payload.get("by")) or record.by or "", _text(payload.get("comment"))

    def _turn(self, record: RecordRow, payload: Mapping[str, Any]) -> Turn:
        id, number = payload["conversation"], payload["turn"]
        talk = self.found.setdefault(id, Conversation(payload["agent"], id, record.at))
        turn = next((turn for turn in talk.turns if turn.number == number), None)
        if turn is None:
            turn = Turn(number, record.at)
            talk.turns.append(turn)
        return turn

    def _requested(self, record: RecordRow, payload: Mapping[str, Any]) -> None:
        turn = self._turn(record, payload)
        talk = self.found[payload["conversation"]]
        talk.instructions = talk.instructions or _text(payload.get("instructions"))
        talk.continues = talk.continues or _text(payload.get("continues"))
        turn.trigger = record.id
        turn.said = list(_said(payload.get("parts")))
        turn.hidden = payload.get("parts") is None
        if (step := self._steps.get(record.id)) is not None:
            turn.reactor, turn.state = step.reactor, step.state

    def _replied(self, record: RecordRow, payload: Mapping[str, Any]) -> None:
        turn = self._turn(record, payload)
        turn.replied, turn.reactor = True, ""
        turn.hidden = turn.hidden or payload.get("message") is None
        message = payload.get("message")
        for part in _parts(message.get("parts") if isinstance(message, dict) else None):
            match part.get("part_kind"):
                case "text":
                    turn.text += _text(part.get("content"))
                case "thinking":
                    turn.thought += _text(part.get("content"))
                case "tool-call":
                    self._call(turn, payload, part)
                case _:
                    pass
        turn.model, turn.finish = _text(payload.get("model")), _text(payload.get("finish_reason"))
        turn.tokens = _number(payload.get("input_tokens")) + _number(payload.get("output_tokens"))
        turn.cost = _money(payload.get("cost"))
        turn.took_ms, turn.attempt = _number(payload.get("took_ms")), _number(payload.get("attempt"))

    def _call(self, turn: Turn, payload: Mapping[str, Any], part: Mapping[str, Any]) -> None:
        id = _text(part.get("tool_call_id"))
        call = Call(id, _text(part.get("tool_name")), part.get("args"), "given", "good")
        self._calls[payload["conversation"], payload["turn"], id] = call
        turn.calls.append(call)

    def _called(self, record: RecordRow, name: str, payload: Mapping[str, Any]) -> None:
        place = (payload["conversation"], payload["turn"], _text(payload["call"]))
        call = self._calls.get(place)
        if call is None:  # of a reply that the caller may not see
            call = self._calls[place] = Call(place[2], _text(payload["tool"]))
            self._turn(record, payload).calls.append(call)
        self.begun[record.id] = call
        if name.endswith("ToolReturned"):
            call.state, call.tone = _OUTCOMES.get(_text(payload.get("outcome")) or "success", ("returned", "good"))
            call.result, call.took_ms = payload.get("content"), _number(payload.get("took_ms"))
            call.kept = _kept(payload.get("kept"))
        else:
            call.args = payload.get("args", call.args)
            call.hidden = payload.get("args") is None
            call.state, call.tone = ("proposed", "wait") if name.endswith("ToolProposed") else ("called", "work")


def _said(parts: Any) -> Iterator[Said]:
    for part in _parts(parts):
        content = _content(part.get("content"))
        match part.get("part_kind"):
            case "user-prompt":
                yield Said("user", content)
            case "system-prompt":
                yield Said("system", content)
            case _ if content:
                yield Said("told", content)


def _content(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(each if isinstance(each, str) else _item(each) for each in content)
    return _text(content)


def _item(content: Any) -> str:
    if not isinstance(content, dict):
        return "[something]"
    note = content.get("metadata")
    kept = _kept(note.get("farandole_kept")) if isinstance(note, dict) else ""
    if content.get("kind") == "text-content":
        return f"{_text(content.get('content'))}{kept and f' [{kept}]'}"
    return f"[{_text(content.get('kind')) or 'something'}]"


def _kept(note: Any) -> str:
    """Where large content is of which an event holds the head."""
    if not isinstance(note, dict) or not (reference := _text(note.get("reference"))):
        return ""
    return f"the head of {_number(note.get('bytes')):,} bytes of {_text(note.get('media_type'))}, kept as {reference}"


def _parts(parts: Any) -> list[Mapping[str, Any]]:
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _money(value: Any) -> Decimal | None:
    try:
        found = Decimal(str(value)) if isinstance(value, str | int | float) else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None
