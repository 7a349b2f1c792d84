"""What an agent's conversations in one run have come to, folded from the agent's events. Pure.

A turn reads what came since the one before: the state is kept by the worker, and what it is made of is shared between
its copies, for nobody changes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Self

from pydantic import ConfigDict, TypeAdapter
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    RetryInfo,
    ToolReturnPart,
)

from farandole.projections import State, on

from .billing import bill
from .events import ModelReplied, ModelRequested, ToolCalled, ToolReturned
from .eventtypes import AgentEvents
from .large import NOTE
from .made import union
from .wholes import refers

_PARTS: TypeAdapter[list[ModelRequestPart]] = TypeAdapter(list[ModelRequestPart])
_RESPONSE: TypeAdapter[ModelResponse] = TypeAdapter(ModelResponse)
_TOLD_APART: Final = {"usage", "timestamp"}


def as_recorded(parts: Sequence[ModelRequestPart]) -> list[dict[str, Any]]:
    """Parts of a request, as they are recorded."""
    # Only what parts themselves leave out: None may be what a prompt says.
    written: list[dict[str, Any]] = _PARTS.dump_python(list(parts), mode="json")
    return [
        {name: value for name, value in part.items() if value is not None and name != "timestamp"}  # the record has one
        for part in written
    ]


def as_message(response: ModelResponse) -> dict[str, Any]:
    """A reply, as it is recorded: without its usage and time, which the record has."""
    told: dict[str, Any] = _RESPONSE.dump_python(response, mode="json", exclude_none=True, exclude=_TOLD_APART)
    return told


class Talk:
    """One conversation. Its copies share what was said, which nobody changes.

    Attributes:
        opened: its first request.
        messages: all that was said, as Pydantic AI has it.
        returned: what came of calls since, by the call's id.
        corrections: how often in a row the model was told that its reply does not fit.
        refusals: how often in a row it was asked again, for its reply was filtered.
        refers: whether something that was said stands elsewhere.
    """

    __slots__ = ("corrections", "messages", "opened", "refers", "refusals", "returned")

    def __init__(self, opened: ModelRequested) -> None:
        self.opened = opened
        self.messages: list[ModelMessage] = []
        self.returned: dict[str, ToolReturnPart] = {}
        self.corrections = self.refusals = 0
        self.refers = False

    def copy(self) -> "Talk":
        """One that goes on by itself."""
        copied = Talk(self.opened)
        copied.messages, copied.returned = self.messages.copy(), self.returned.copy()
        copied.corrections, copied.refusals, copied.refers = self.corrections, self.refusals, self.refers
        return copied

    def request(self, event: ModelRequested) -> None:
        """Something is said to the model: what came of its calls, and what the event says."""
        self.corrections = self.corrections + 1 if event.corrects else 0
        self.refusals = self.refusals + 1 if event.refused else 0
        parts = _PARTS.validate_python(event.parts)
        said = {part.tool_call_id for part in parts if isinstance(part, ToolReturnPart)}
        told = [*(part for part in answers(self.messages, self.returned) if part.tool_call_id not in said), *parts]
        self.returned = {}
        if told:
            self.refers = self.refers or any(refers(part) for part in told)
            self.messages.append(ModelRequest(parts=told))


class Conversations(State):
    """The conversations of one run, and what they have cost. A subclass for each agent says which events it takes."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    talks: dict[str, Talk] = {}  # noqa: RUF012  # pydantic copies it
    latest: dict[str, str] = {}  # noqa: RUF012
    """The conversation of each agent that was opened last."""
    started: list[ToolCalled] = []  # noqa: RUF012
    """Calls that are runs of their own and have not returned."""
    calls: int = 0
    tool_calls: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    set_aside: Decimal = Decimal(0)
    """Of the budget, for runs that were started: what they may spend at most."""
    unpriced: str = ""
    """A model whose price nobody knows, if there was one."""

    def __deepcopy__(self, memo: object = None) -> Self:
        copied = self.__copy__()
        copied.talks = {id: talk.copy() for id, talk in self.talks.items()}
        copied.latest, copied.started = self.latest.copy(), self.started.copy()
        return copied

    def messages(self, conversation: str) -> list[ModelMessage]:
        """All that was said in a conversation and in those that it goes on with, the oldest first."""
        talk = self.talks[conversation]
        before = self.messages(talk.opened.continues) if talk.opened.continues in self.talks else []
        messages = [*before, *talk.messages]
        first = talk.messages[0] if talk.messages else None
        if before and isinstance(first, ModelRequest):
            messages[len(before)] = ModelRequest(parts=[*answers(before, {}), *first.parts])
        return messages

    def refers(self, conversation: str) -> bool:
        """Whether something that was said there, or in one that it goes on with, stands elsewhere."""
        talk = self.talks[conversation]
        return talk.refers or (talk.opened.continues in self.talks and self.refers(talk.opened.continues))


def folding(
    own: AgentEvents, agent: str, others: Iterable[AgentEvents], runs: Mapping[str, Decimal], module: str
) -> type[Conversations]:
    """The state of one agent's conversations.

    Args:
        own: its events. They alone cost.
        others: of agents whose conversations it goes on with.
        runs: its tools that are runs, each with what a run of it may spend at most.
    """
    known = [own, *others]

    def requested(self: Conversations, event: ModelRequested) -> None:
        talk = self.talks.get(event.conversation)
        if talk is None:
            talk = self.talks[event.conversation] = Talk(event)
            self.latest[event.agent] = event.conversation
        talk.request(event)

    def replied(self: Conversations, event: ModelReplied) -> None:
        message = _RESPONSE.validate_python(event.message)
        if event.finish_reason != "content_filter":  # the model is asked again, as if it had said nothing
            self.talks[event.conversation].messages.append(message)
        if event.agent != agent:
            return
        bill(self, event)

    def returned(self: Conversations, event: ToolReturned) -> None:
        self.talks[event.conversation].returned[event.call] = _part(event)
        self.tool_calls += event.agent == agent
        left = [c for c in self.started if _call(c) != _call(event)]
        if event.outcome in ("denied", "retried") and len(left) < len(self.started):  # it was not started after all
            self.set_aside -= runs[event.tool]
        self.started = left

    def called(self: Conversations, event: ToolCalled) -> None:
        self.started = [*self.started, event]
        self.set_aside += runs[event.tool]

    taken: list[tuple[Any, Any]] = [
        (requested, union(events.ModelRequested for events in known)),
        (replied, union(events.ModelReplied for events in known)),
        (returned, union(events.ToolReturned for events in known)),
    ]
    if runs:
        taken.append((called, union(own.called[name] for name in runs)))
    body: dict[str, Any] = {"__module__": module, "__qualname__": f"agent {agent}.Conversations"}
    for method, annotation in taken:
        method.__annotations__ = {"event": annotation, "return": None}
        body[method.__name__] = on(method)
    made: type[Conversations] = type("Conversations", (Conversations,), body)
    return made


def answers(messages: Sequence[ModelMessage], returned: dict[str, ToolReturnPart]) -> list[ToolReturnPart]:
    """What came of the calls of the last reply, in their order: providers want an answer to each."""
    last = messages[-1] if messages else None
    if not isinstance(last, ModelResponse):
        return list(returned.values())
    return [
        returned.get(call.tool_call_id)
        or ToolReturnPart(call.tool_name, "Not executed.", call.tool_call_id, outcome="interrupted")
        for call in last.tool_calls
    ]


def _call(event: ToolCalled | ToolReturned) -> tuple[str, int, str]:
    return event.conversation, event.turn, event.call


def _part(event: ToolReturned) -> ToolReturnPart:
    note = None if event.kept is None else {NOTE: event.kept.model_dump()}
    match event.outcome:
        case "retried":
            retry = RetryInfo[Any](cause="model_retry")
            return ToolReturnPart(event.tool, event.content, event.call, metadata=note, outcome="retried", retry=retry)
        case "unknown":
            return ToolReturnPart(event.tool, event.content, event.call, metadata=note, outcome="interrupted")
        case outcome:
            return ToolReturnPart(event.tool, event.content, event.call, metadata=note, outcome=outcome)
