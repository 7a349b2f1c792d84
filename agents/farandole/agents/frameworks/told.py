"""From what a leg has called to the events that our own agents have for it."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic_ai.messages import ModelRequestPart

from farandole.agents.conversations import as_message, as_recorded

from .calls import ModelCall, ToolCall
from .recording import Told

if TYPE_CHECKING:
    from .events import AdaptedEvents


_OF_RECORD: Final = (
    "model",
    "provider",
    "finish_reason",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cost",
    "took_ms",
    "attempt",
)


class Telling:
    """The events of one leg, in the order in which one of our own agents would have them.

    Args:
        turn: the last one of the leg before.
        parts: what the model was told first; none if the leg goes on with a conversation.
        instructions: what the model was told of how to behave.
        announced: calls that stand in events of their own already.
    """

    def __init__(
        self,
        events: "AdaptedEvents",
        agent: str,
        conversation: str,
        told: Sequence[Told],
        *,
        turn: int,
        parts: Sequence[ModelRequestPart],
        instructions: str,
        announced: Collection[str],
    ) -> None:
        self._events, self._agent, self._conversation, self._told = events, agent, conversation, told
        self._announced = announced
        self._parts, self._instructions = parts, instructions
        self.turn = turn
        self.events: list[Any] = list(self._within("", conversation))

    def _within(self, within: str, conversation: str) -> Iterator[Any]:
        """What was called by the agent itself, or within a call of a tool, as an agent that is a tool does."""
        turn, tools = self.turn if conversation == self._conversation else 0, list[Told]()
        for each in (t for t in self._told if t.within == within):
            if isinstance(each.call, ToolCall):
                tools.append(each)
                continue
            yield from self._tools(tools, turn, conversation)
            turn, tools = turn + 1, []
            yield from self._model(each, each.call, turn, conversation)
        yield from self._tools(tools, turn, conversation)
        if conversation == self._conversation:
            self.turn = turn

    def _model(self, told: Told, call: ModelCall, turn: int, conversation: str) -> Iterator[Any]:
        first = bool(self._parts) and turn == 1 and conversation == self._conversation
        said: dict[str, Any] = {"agent": self._agent, "conversation": conversation, "turn": turn}
        yield self._events.ModelRequested(
            **said,
            parts=as_recorded(self._parts if first else []),
            instructions=self._instructions if first else "",
        )
        recorded: dict[str, Any] = {name: getattr(call, name) for name in _OF_RECORD}
        recorded["counted"] = call.used is not None
        assert told.response is not None
        yield self._events.ModelReplied(**said, message=as_message(told.response), **recorded)

    def _tools(self, tools: Sequence[Told], turn: int, conversation: str) -> Iterator[Any]:
        made = [(each, each.call) for each in self._in_order(tools) if isinstance(each.call, ToolCall)]
        for _, call in made:
            if call.call not in self._announced:
                called = self._events.called_by(call.tool)
                yield called(**self._of(call, turn, conversation), args=call.args)
        for each, _ in made:
            yield from self._within(each.name, f"{self._conversation} / {each.name}")
        for _, call in made:
            yield self._events.ToolReturned(
                **self._of(call, turn, conversation),
                content=call.content,
                outcome=call.outcome,
                took_ms=call.took_ms,
                kept=call.kept,
            )

    def _in_order(self, tools: Sequence[Told]) -> list[Told]:
        """As the model called them, and not as they ended."""
        order = {
            call.tool_call_id: n
            for each in self._told
            if each.response is not None
            for n, call in enumerate(each.response.tool_calls)
        }
        return sorted(tools, key=lambda each: order.get(getattr(each.call, "call", ""), len(order)))

    def _of(self, call: ToolCall, turn: int, conversation: str) -> dict[str, Any]:
        return {
            "agent": self._agent,
            "conversation": conversation,
            "turn": turn,
            "call": call.call,
            "tool": call.tool,
        }
