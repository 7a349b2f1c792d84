"""What is recorded of a framework's calls: the same fields for all frameworks, and for our own agents' events."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel
from pydantic_ai.messages import ModelResponse
from pydantic_core import to_json

from farandole.agents.events import Outcome
from farandole.agents.large import Kept
from farandole.reactors import GiveUp
from farandole.schemas import Usage

R = TypeVar("R")

_BYTES: Final = 12
"""Of a digest: two messages of one run do not share one by accident."""


class Strayed(GiveUp):
    """Another attempt of the step asks something else than what is recorded at this place.

    The recorded reply answers another question, and what followed from it may have taken effect, so that neither it
    nor a new one would be right. Let what the agent is asked follow from the run alone, and retry the step.
    """


class NotDurable(GiveUp):
    """A model is called whose replies are not recorded: another attempt would call it again."""


class CallNotKept(GiveUp):
    """What a call came to is large, and could not be kept beside the log; so nothing of the call is recorded.

    A retry of the step makes it again, under the same key.
    """


class ModelCall(BaseModel):
    """One call of a model, as it is billed.

    Attributes:
        reply: as the framework writes it.
        reply_kept: where that is, if it is large.
        messages: how many were sent.
        before: a digest of all but the last of them.
        last: a digest of the last.
        secret: whether read models may hold nothing of what was said.
        used: what it counts as; None if an event counts besides.
    """

    kind: Literal["model"] = "model"
    secret: bool = False
    used: Usage | None = None
    model: str
    provider: str
    finish_reason: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost: Decimal | None
    took_ms: int
    attempt: int
    messages: int
    before: str
    last: str
    reply: Any
    reply_kept: Kept | None = None


class ToolCall(BaseModel):
    """One call of a tool.

    Attributes:
        call: its id, as the model gave it.
        result: as the framework writes it.
        result_kept: where that is, if it is large.
        content: what the model reads; of what is large, how it begins.
        kept: where the whole of the content is, if it is large.
        secret: whether read models may hold nothing of what was said.
    """

    kind: Literal["tool"] = "tool"
    secret: bool = False
    tool: str
    call: str
    args: Any
    outcome: Outcome = "success"
    took_ms: int
    attempt: int
    result: Any
    content: Any
    result_kept: Kept | None = None
    kept: Kept | None = None


@dataclass(frozen=True)
class Replies(Generic[R]):
    """How a framework's replies are written, read, and told in the words that all frameworks share."""

    write: Callable[[R], Any]
    read: Callable[[Any], R]
    told: Callable[[R], ModelResponse]


@dataclass(frozen=True)
class Results(Generic[R]):
    """How what a framework's tools return is written and read.

    Attributes:
        told: what the model reads of it, and what became of the call.
    """

    write: Callable[[R], Any]
    read: Callable[[Any], R]
    told: Callable[[R], tuple[Any, Outcome]]


def digests(said: Sequence[Any]) -> tuple[int, str, str]:
    """Of what was said to a model: how much, all but the last, and the last."""
    return len(said), _digest(said[:-1]), _digest(said[-1:])


def check_said(where: str, recorded: ModelCall, said: Sequence[Any]) -> None:
    """That a recorded reply answers what is asked now.

    Only what was said counts. Instructions, settings and the list of tools may change: they hold for later calls.

    Raises:
        Strayed: something else was said.
    """
    now = digests(said)
    if now == (recorded.messages, recorded.before, recorded.last):
        return
    if now[0] != recorded.messages:
        what = f"{recorded.messages} messages were sent, and now {now[0]} would be"
    elif now[1] == recorded.before:
        what = f"the last of {now[0]} messages is another one"
    else:
        what = f"one of {now[0]} messages, not the last, is another one"
    raise Strayed(
        f"{where} is recorded, and was asked something else: {what}. What an agent is asked must be the same in each "
        "attempt of a step: take times and random values from the run; give runs that go side by side in one step a "
        "name each, durably(step, 'left')"
    )


def check_args(where: str, recorded: ToolCall, args: Any) -> None:
    """That a recorded result is one of this call.

    Raises:
        Strayed: the tool was called with other arguments.
    """
    if _digest(recorded.args) != _digest(args):
        raise Strayed(f"{where} is recorded, and was called with other arguments than it would be now")


def _digest(said: Any) -> str:
    # What cannot be written counts by its kind: its text might hold where it lay in memory.
    as_json = to_json(said, fallback=lambda it: type(it).__qualname__, bytes_mode="base64", inf_nan_mode="constants")
    written = json.dumps(json.loads(as_json), sort_keys=True)
    return blake2b(written.encode(), digest_size=_BYTES).hexdigest()
