"""What agents add to traces, by OpenTelemetry's conventions for generative AI, which are still in development.

A step's span says whose it is. Below it are calls of models (of our own agents by Pydantic AI's own instrumentation),
calls of tools, and the leg of an agent of another framework. None of them holds what was said: it stands in the log alone. Without a span to be below there is none.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import Model
from pydantic_ai.models.instrumented import InstrumentationSettings, InstrumentedModel

AGENT: Final = "gen_ai.agent.name"
CONVERSATION: Final = "gen_ai.conversation.id"
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
TOOL: Final = "gen_ai.tool.name"
CALL: Final = "gen_ai.tool.call.id"
METHOD: Final = "mcp.method.name"
ERROR: Final = "error.type"


def traced(model: Model, agent: str, conversation: str) -> Model:
    """The model, so that its calls have spans if the step has one."""
    if not _of_agent(agent, conversation):
        return model
    return InstrumentedModel(
        model,
        InstrumentationSettings(
            tracer_provider=trace.get_tracer_provider(),
            include_content=False,
            include_binary_content=False,
            include_model_request_parameters=False,
        ),
    )


@contextmanager
def executing(agent: str, conversation: str, tool: str, call: str) -> Iterator[None]:
    """The execution of a tool."""
    with _below(agent, conversation, f"execute_tool {tool}", "execute_tool", {TOOL: tool, CALL: call}):
        yield


@contextmanager
def calling_server(agent: str, conversation: str, tool: str, call: str) -> Iterator[Callable[[], None]]:
    """The execution of a tool by an MCP server; gives what is to be called if the server says that it failed.

    By the conventions for MCP: below it is the request, which the package ``mcp`` tells of.
    """
    told = {TOOL: tool, CALL: call, METHOD: "tools/call"}
    with _below(agent, conversation, f"execute_tool {tool}", "execute_tool", told) as span:

        def failed() -> None:
            span.set_attribute(ERROR, "tool_error")
            span.set_status(trace.StatusCode.ERROR)

        yield failed


@contextmanager
def invoking(agent: str, conversation: str) -> Iterator[None]:
    """A leg of an agent of another framework, which is one step."""
    with _below(agent, conversation, f"invoke_agent {agent}", "invoke_agent", {}):
        yield


@contextmanager
def chatting(agent: str, conversation: str) -> Iterator[Callable[[ModelResponse], None]]:
    """A call of another framework's model; gives what is to be told of the reply."""
    with _below(agent, conversation, "chat", "chat", {}) as span:

        def replied(response: ModelResponse) -> None:
            model = response.model_name or "unknown"
            span.update_name(f"chat {model}")
            span.set_attributes({
                PROVIDER: response.provider_name or "unknown",
                "gen_ai.request.model": model,
                "gen_ai.response.model": model,
                "gen_ai.usage.input_tokens": response.usage.input_tokens,
                "gen_ai.usage.output_tokens": response.usage.output_tokens,
            })  # fmt: skip
            if response.finish_reason:
                span.set_attribute("gen_ai.response.finish_reasons", [response.finish_reason])

        yield replied


@contextmanager
def _below(agent: str, conversation: str, name: str, operation: str, told: Mapping[str, str]) -> Iterator[trace.Span]:
    """A span below that of the step, if it has one."""
    if not _of_agent(agent, conversation):
        yield trace.INVALID_SPAN
        return
    whose = {AGENT: agent, CONVERSATION: conversation}
    attributes = {OPERATION: operation, **told, **{key: value for key, value in whose.items() if value}}
    with trace.get_tracer("farandole.agents").start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except Exception as e:
            # The message may hold what a trace must not.
            span.set_attribute(ERROR, type(e).__qualname__)
            span.set_status(trace.StatusCode.ERROR)
            raise


def _of_agent(agent: str, conversation: str) -> bool:
    """Whether the step has a span, which is then told whose it is."""
    span = trace.get_current_span()
    if not span.is_recording():
        return False
    if agent:  # a framework's agent in a reactor of its own need not have a name
        span.set_attribute(AGENT, agent)
        span.set_attribute(CONVERSATION, conversation)
    return True
