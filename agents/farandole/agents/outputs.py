"""What a model can give: the events of an agent, as text or as output tools of Pydantic AI's model layer."""

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_ai.messages import (
    ModelResponse,
    RetryFeedbackCause,
    RetryFeedbackPart,
    RetryInfo,
    ToolCallPart,
    ToolRetryCause,
    ToolReturnPart,
)
from pydantic_ai.tools import ToolDefinition

from farandole.schemas import Event

from .prompts import only_text
from .tools import as_json


@dataclass(frozen=True)
class Ways:
    """The ways out of an agent's conversation.

    Attributes:
        text: the event that is given by plain text, and its field.
        by_tool: the others, by the name of their output tool.
    """

    text: tuple[type[Event], str] | None
    by_tool: dict[str, type[Event]]

    def definitions(self) -> list[ToolDefinition]:
        """What the model is told of those given by output tools."""
        found = []
        for name, event in self.by_tool.items():
            schema = event.model_json_schema()
            schema.pop("description", None)
            told = inspect.cleandoc(event.__doc__) if event.__doc__ else f"Give {event.__name__}: what ends your work."
            found.append(ToolDefinition(name=name, description=told, parameters_json_schema=schema, kind="output"))
        return found

    def calls(self, response: ModelResponse) -> list[ToolCallPart]:
        """The calls of output tools in a reply."""
        return [call for call in response.tool_calls if call.tool_name in self.by_tool]


def ways_out(gives: Sequence[type[Event]]) -> Ways:
    """How each of these events is given. One that has a text as its only field is given by plain text."""
    texts = [(event, field) for event in gives if (field := only_text(event)) is not None]
    text = texts[0] if len(texts) == 1 else None
    others = [event for event in gives if text is None or event is not text[0]]
    if len(gives) == len(others) == 1:
        return Ways(None, {"final_result": others[0]})
    return Ways(text, {f"give_{snake(event.__name__)}": event for event in others})


@dataclass(frozen=True)
class Unfit:
    """A reply that gives nothing, and what the model is told of that."""

    parts: list[RetryFeedbackPart | ToolReturnPart]


def given(ways: Ways, response: ModelResponse) -> Event | Unfit | None:
    """The event that a reply gives; None if it calls tools instead."""
    calls = ways.calls(response)
    if calls:
        return _by_tool(ways, calls)
    if response.tool_calls:
        return None
    if ways.text is not None and response.text:
        event, field = ways.text
        try:
            return event.model_validate({field: response.text})
        except ValidationError as e:
            return Unfit([_told(described(e), "model_retry")])
    said = "Please give your result by calling one of your tools." if ways.by_tool else "Please give your answer."
    return Unfit([_told(said, "no_output")])


def unfit(response: ModelResponse, ways: Ways, why: str) -> Unfit:
    """That what a reply gives is not good enough, in the words of whoever looked at it."""
    calls = ways.calls(response)
    return Unfit([_retried(call, why, "model_retry") for call in calls] or [_told(why, "model_retry")])


def untaken(response: ModelResponse) -> Unfit:
    """That an agent without tools calls one."""
    return Unfit([_retried(call, "There are no tools.", "model_retry") for call in response.tool_calls])


def _told(why: str, cause: RetryFeedbackCause) -> RetryFeedbackPart:
    return RetryFeedbackPart(why, retry=RetryInfo(cause=cause))


def _retried(call: ToolCallPart, why: str, cause: ToolRetryCause) -> ToolReturnPart:
    return ToolReturnPart(
        call.tool_name, why, call.tool_call_id, outcome="retried", retry=RetryInfo[ToolRetryCause](cause=cause)
    )


def described(error: ValidationError) -> str:
    """What is wrong, for the model: the places and what belongs there."""
    return "\n".join(
        f"{'.'.join(map(str, each['loc'])) or 'it'}: {each['msg']}"
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    )


def _by_tool(ways: Ways, calls: Sequence[ToolCallPart]) -> Event | Unfit:
    wrong: list[RetryFeedbackPart | ToolReturnPart] = []
    for call in calls:
        try:
            return ways.by_tool[call.tool_name].model_validate_json(as_json(call.args))
        except ValidationError as e:
            wrong.append(_retried(call, described(e), "validation_error"))
    return Unfit(wrong)


def snake(name: str) -> str:
    """``LookUp`` as it stands in the name of a tool: ``look_up``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
