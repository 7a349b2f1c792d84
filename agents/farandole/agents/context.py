"""How much of a long conversation the model is sent. The log keeps all of it."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart

from farandole.schemas import DeclarationError

ContextPolicy: TypeAlias = Callable[[Sequence[ModelMessage]], Sequence[ModelMessage]]
"""From all that was said to what is sent: a pure function, asked at each call. It returns messages and changes none."""


def everything(messages: Sequence[ModelMessage]) -> Sequence[ModelMessage]:
    """All that was said."""
    return messages


def recent(turns: int) -> ContextPolicy:
    """The first request, and the last so many replies with what was said around them.

    No answer to a call is sent without its call, so that sometimes a few more are.
    """
    if turns < 1:
        raise DeclarationError(f"recent({turns}): the model is sent at least the last turn")

    def policy(messages: Sequence[ModelMessage]) -> Sequence[ModelMessage]:
        begin = len(messages) - 2 * turns
        while begin > 1 and _answers_a_call(messages[begin]):
            begin -= 1
        return messages if begin <= 1 else [messages[0], *messages[begin:]]

    return policy


def _answers_a_call(message: ModelMessage) -> bool:
    return isinstance(message, ModelRequest) and any(isinstance(part, ToolReturnPart) for part in message.parts)
