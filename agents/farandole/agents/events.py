"""What happens between the event that an agent takes and the one that it gives: bases of the events of all agents.

Each agent has classes of its own, made of these by `AgentEvents`, so that its reactors are owed what is its own. Whoever
looks at many agents knows them by these bases, or, in the log, by the end of their names and the field ``agent``.

No event holds what another one holds: of a conversation each says what is new in it.
"""

from decimal import Decimal
from typing import Annotated, Literal

from farandole.schemas import Answer, Event, Json, Used

from .large import Kept

Outcome = Literal["success", "retried", "failed", "denied", "unknown"]
"""What became of a call: it worked; the model is to make it better; it failed; a person said no; nobody knows whether it
took effect."""


class ModelRequested(Event, abstract=True):
    """The model is to be called."""

    agent: str
    conversation: str
    """Tells the conversations of one run apart."""
    turn: int
    """Counts the calls of the conversation, from 1."""
    parts: Json
    """What is said to the model and stands in no other event, as a list of Pydantic AI's request parts."""
    instructions: str = ""
    """Of the conversation; in its first request."""
    continues: str = ""
    """The conversation of the same run that this one goes on with; in its first request."""
    about: str = ""
    """The person or topic by whom the agent remembers; in its first request."""
    corrects: bool = False
    """Whether the model is told that its reply does not fit."""
    refused: bool = False
    """Whether it is asked again, for its reply was filtered."""


class ModelReplied(Event, abstract=True):
    """The model has replied: one call, as it is billed."""

    agent: Annotated[str, Used.agent]
    conversation: str
    turn: int
    message: Json
    """The reply as Pydantic AI writes it, without the usage."""
    model: Annotated[str, Used.model]
    """The model that replied, as it calls itself."""
    provider: str
    finish_reason: str
    """``stop``, ``length``, ``content_filter``, ``tool_call`` or ``error``; empty if it was not said."""
    input_tokens: Annotated[int, Used.input_tokens]
    output_tokens: Annotated[int, Used.output_tokens]
    cache_read_tokens: Annotated[int, Used.cache_read_tokens] = 0
    cache_write_tokens: Annotated[int, Used.cache_write_tokens] = 0
    cost: Annotated[Decimal | None, Used.cost]
    """In US dollars; None if nobody knows the price."""
    took_ms: int
    attempt: int
    """Which attempt of the step it was that got this reply."""


class ReplyDeferred(Event, abstract=True):
    """What follows from a reply is left to a step of its own: guards look at it, or it could not be read as it came."""

    agent: str
    conversation: str
    turn: int


class ToolProposed(Event, abstract=True):
    """The model wants to call a tool that only a person may allow."""

    agent: str
    conversation: str
    turn: int
    call: str
    """The call's id, as the model gave it."""
    tool: str
    args: Json
    alone: bool = False
    """Whether its reply calls nothing else: then the model is called again with what becomes of it."""


class ToolApproved(Answer, abstract=True):
    """A person allows the call that was asked about, with these arguments and no others."""


class ToolDenied(Answer, abstract=True):
    """A person does not allow the call that was asked about. The model reads the comment."""


class ToolCalled(Event, abstract=True):
    """A tool is to be executed. Each tool of an agent has a class of its own."""

    agent: str
    conversation: str
    turn: int
    call: str
    tool: str
    args: Json
    alone: bool = False
    """Likewise."""


class ToolReturned(Event, abstract=True):
    """What became of a call."""

    agent: str
    conversation: str
    turn: int
    call: str
    tool: str
    content: Json
    """What the model reads; of what is kept elsewhere, how it begins."""
    outcome: Outcome = "success"
    took_ms: int = 0
    kept: Kept | None = None
    """Where the whole of the content is, if it is large."""
