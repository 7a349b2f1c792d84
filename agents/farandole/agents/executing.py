"""The reactors of tools: functions that are called, and runs that are started."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from pydantic import ValidationError
from pydantic_ai.exceptions import ModelRetry, ToolFailed
from pydantic_core import PydanticSerializationError, to_jsonable_python

from farandole.reactors import Child, ChildDone, ChildFailed, Choreography, Failed, Retry, Step
from farandole.reactors.attempt import TooLargeOutcome
from farandole.schemas import DeclarationError, EncodingError, Secret

from .conversations import Conversations
from .errors import ContentNotKept, NoAnswer
from .events import Outcome, ToolCalled
from .keeping import kept, kept_now
from .made import signed, union
from .marking import mark_of
from .outputs import described
from .prompts import only_text
from .servers import McpServer
from .spans import calling_server, executing
from .tools import RunTool, Tool
from .turning import Returning, return_of, returning

if TYPE_CHECKING:
    from .agent import Agent

_UNKNOWN = "Nobody knows whether this call took effect: whoever executed it was lost. It is not made again."
_TOO_LONG = "Nobody knows whether this call took effect: it took too long. It is not made again."
_NO_ANSWER = "Nobody knows whether this call took effect: the server gave no answer. It is not made again."
_NOT_KEPT = "The call took effect, and is not made again for this: what it returned could not be kept"
_AFTERWARDS = frozenset({ContentNotKept.__name__, TooLargeOutcome.__name__, EncodingError.__name__})
"""Errors of what a call returned, which has taken effect by then."""


@dataclass(frozen=True)
class Made:
    """A reactor to be declared: its function, name, what it takes and may return, and its options."""

    fn: Any
    name: str
    takes: dict[str, Any]
    returns: Any
    options: dict[str, Any]

    def declare(self, choreography: Choreography, module: str, owner: str) -> None:
        """Declare it.

        Args:
            owner: begins its qualified name.
        """
        signed(self.fn, self.name, module, owner, self.returns, **self.takes)
        choreography.reactor(name=self.name, **self.options)(self.fn)


def for_function(agent: "Agent", tool: Tool) -> Iterator[Made]:
    """What executes a function, and what tells the model when it failed for good."""
    name, called, returned = (
        f"{agent.name}.tools.{tool.name}",
        agent.events.called[tool.name],
        returning(agent.events),
    )
    options = {
        "retry": tool.retry if tool.repeat else Retry(attempts=1),
        "timeout": tool.timeout,
        "concurrency": tool.concurrency,
    }
    takes = {**tool.given, "called_": called, "step_": Step}
    yield Made(_awaited(agent, tool) if tool.is_async else _threaded(agent, tool), name, takes, returned, options)
    yield _failed(agent, name, called, returned, tool.repeat)


def for_run(agent: "Agent", tool: RunTool, state: Any) -> Iterator[Made]:
    """What starts a run, and what hears of its end.

    Raises:
        DeclarationError: more of it is secret than of what the agent is told otherwise; of a run that is found only now.
    """
    if mark_of(tool.start, tool.end) is Secret and agent.mark is not Secret:
        raise DeclarationError(
            f"agent {agent.name}, tool {tool.name}: a field of that run is secret, so that all that the agent says must "
            "be; name the run's events in a RunTool, or mark a field of what the agent takes or gives"
        )
    name, called, returned = (
        f"{agent.name}.tools.{tool.name}",
        agent.events.called[tool.name],
        returning(agent.events),
    )
    child: Any = Child
    done: Any = ChildDone
    failed: Any = ChildFailed

    async def start(called_: ToolCalled, step: Step, state: Conversations) -> Any:
        if tool.most and agent.budget is not None and not agent.budget.has_room(state):
            return return_of(agent.events, called_, "The budget has no room for it. It was not started.", "denied")
        try:
            opening = tool.opening(called_.args)
        except ValidationError as e:
            return return_of(agent.events, called_, described(e), "retried")
        return Child(opening, choreography=tool.choreography, run_id=_child(step.run_id, called_))

    async def heard(news: Any, state: Conversations, step: Step) -> Returning | None:
        own = (each for each in state.started if each.tool == tool.name)
        of = next((each for each in own if _child(step.run_id, each) == news.run_id), None)
        if of is None:  # somebody else's child, or another tool's whose runs end alike
            return None
        if isinstance(news, ChildFailed):
            return return_of(agent.events, of, f"The call failed: {news.error or 'it was cancelled'}", "failed")
        text = only_text(type(news.end))
        content = to_jsonable_python(news.end if text is None else getattr(news.end, text))
        return await _returned(agent, of, content, "success", 0)

    takes = {"called_": called, "step": Step, "state": state}
    yield Made(start, name, takes, union((child[tool.start], returned)), {})
    news = done[tool.end] | failed[tool.start]
    yield Made(heard, f"{name}.done", {"news": news, "state": state, "step": Step}, returned | None, {})


class Connecting(Protocol):
    """A connection to an MCP server."""

    async def call(self, tool: str, args: dict[str, Any], key: str) -> Any:
        """What a tool gave."""
        ...


def for_server(agent: "Agent", server: McpServer, wanted: Any) -> Iterator[Made]:
    """What calls the tools of an MCP server, and what tells the model when one failed for good.

    Args:
        wanted: what the connection is asked for by.
    """
    name, called, returned = (
        f"{agent.name}.tools.{server.name}",
        agent.events.called[server.name],
        returning(agent.events),
    )

    async def handle(called_: ToolCalled, step_: Step, connection_: Connecting) -> Returning:
        from mcp import MCPError

        from .connecting import content_of

        tool = server.tool(called_.tool)
        if tool is None:
            return return_of(agent.events, called_, "There is no such tool any longer.", "retried")
        if not server.repeat and not await _first(step_):
            return return_of(agent.events, called_, _UNKNOWN, "unknown")
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            with calling_server(agent.name, called_.conversation, called_.tool, called_.call) as failed:
                result = await connection_.call(tool, called_.args, step_.key)
                if result.is_error:
                    failed()
        except MCPError as e:
            return return_of(agent.events, called_, e.message, "failed", round((clock() - began) * 1000))
        except NoAnswer:
            if server.repeat:
                raise
            return return_of(agent.events, called_, _NO_ANSWER, "unknown", round((clock() - began) * 1000))
        outcome: Outcome = "failed" if result.is_error else "success"
        took = round((clock() - began) * 1000)
        return await _returned(agent, called_, content_of(result), outcome, took, server.repeat)

    options = {
        "retry": server.retry if server.repeat else Retry(attempts=1),
        # The connection keeps the time: it gives a server its own to start, and knows whether the call was sent.
        "timeout": None,
        "concurrency": server.concurrency,
    }
    takes = {"called_": called, "step_": Step, "connection_": wanted}
    yield Made(handle, name, takes, returned, options)
    yield _failed(agent, name, called, returned, server.repeat)


def _failed(agent: "Agent", name: str, called: Any, returned: Any, repeat: bool) -> Made:
    """What tells the model that a call failed for good, and whether it took effect."""

    async def failed(failed: Failed[ToolCalled]) -> Returning:
        if failed.error_type in _AFTERWARDS:
            return return_of(agent.events, failed.event, f"{_NOT_KEPT}: {failed.error}", "success")
        if failed.error_type == TimeoutError.__name__ and not repeat:
            return return_of(agent.events, failed.event, _TOO_LONG, "unknown")
        return return_of(agent.events, failed.event, f"The call failed: {failed.error}", "failed")

    failures: Any = Failed
    return Made(failed, f"{name}.failed", {"failed": failures[called]}, returned, {"of": name})


def _child(run_id: str, called: ToolCalled) -> str:
    """The run of a call: the same for whoever starts it."""
    told = "\0".join((run_id, called.agent, called.conversation, str(called.turn), called.call))
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def _awaited(agent: "Agent", tool: Tool) -> Any:
    async def handle(called_: ToolCalled, step_: Step, **given: Any) -> Returning:
        if not tool.repeat and not await _first(step_):
            return return_of(agent.events, called_, _UNKNOWN, "unknown")
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            args = tool.arguments(called_.args)
        except ValidationError as e:  # the tool takes something else since it was called
            return return_of(agent.events, called_, described(e), "retried")
        try:
            with executing(agent.name, called_.conversation, tool.name, called_.call):
                result = await tool.fn(**args, **given)
        except (ModelRetry, ToolFailed) as e:
            return _told(agent, called_, e)
        took = round((clock() - began) * 1000)
        return await _returned(agent, called_, result, "success", took, tool.repeat)

    return handle


def _threaded(agent: "Agent", tool: Tool) -> Any:
    def handle(called_: ToolCalled, step_: Step, **given: Any) -> Returning:
        began = time.monotonic()
        try:
            args = tool.arguments(called_.args)
        except ValidationError as e:  # the tool takes something else since it was called
            return return_of(agent.events, called_, described(e), "retried")
        try:
            with executing(agent.name, called_.conversation, tool.name, called_.call):
                result = tool.fn(**args, **given)
        except (ModelRetry, ToolFailed) as e:
            return _told(agent, called_, e)
        took = round((time.monotonic() - began) * 1000)
        head, where = kept_now(agent.large, to_jsonable_python(result))
        return return_of(agent.events, called_, head, "success", took, where)

    return handle


async def _first(step: Step) -> bool:
    """Whether nobody has begun the call before."""
    mine = uuid4().hex
    return await step.once("began", _began, mine) == mine


async def _began(token: str) -> str:
    return token


def _told(agent: "Agent", called: ToolCalled, error: ModelRetry | ToolFailed) -> Returning:
    return return_of(agent.events, called, error.message, "retried" if isinstance(error, ModelRetry) else "failed")


async def _returned(
    agent: "Agent", called: ToolCalled, result: Any, outcome: Outcome, took_ms: int, repeat: bool = True
) -> Returning:
    """What a call came to, with what is large of it kept elsewhere.

    Args:
        repeat: whether the call may be made again if what it returned cannot be kept; else the model is told of that.
    """

    try:
        content = to_jsonable_python(result)
        head, where = await kept(agent.large, content, patiently=not repeat)
    except (ContentNotKept, PydanticSerializationError) as e:
        if repeat:
            raise
        return return_of(agent.events, called, f"{_NOT_KEPT}: {e}", outcome, took_ms)
    return return_of(agent.events, called, head, outcome, took_ms, where)
