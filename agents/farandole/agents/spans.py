"""What agents add to traces, by OpenTelemetry's conventions for generative AI, which are still in development.

A step's span says whose it is. Below it are the call of the model, by Pydantic AI's own instrumentation, and that of a
tool. None of them holds what was said: it stands in the log alone. Without a span to be below there is none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from pydantic_ai.models import Model
from pydantic_ai.models.instrumented import InstrumentationSettings, InstrumentedModel

AGENT: Final = "gen_ai.agent.name"
CONVERSATION: Final = "gen_ai.conversation.id"
OPERATION: Final = "gen_ai.operation.name"
TOOL: Final = "gen_ai.tool.name"
CALL: Final = "gen_ai.tool.call.id"
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
    if not _of_agent(agent, conversation):
        yield
        return
    attributes = {OPERATION: "execute_tool", TOOL: tool, CALL: call, AGENT: agent, CONVERSATION: conversation}
    with trace.get_tracer("farandole.agents").start_as_current_span(
        f"execute_tool {tool}", attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
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
    span.set_attribute(AGENT, agent)
    span.set_attribute(CONVERSATION, conversation)
    return True
