"""Calls of agents of other frameworks are spans as those of our own are; what is recorded and found again is none."""

import pytest
from examples.agents.four_ways import FOUR, Answered, Asked
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic_ai import Agent as Other
from tests.agents.frameworks.journal import Journal

from farandole.agents import Agent, Call, scripted
from farandole.agents.frameworks import durably
from farandole.agents.frameworks.pydantic_ai import Durability
from farandole.reactors import Choreography
from farandole.testing import Scenario

ALIKE = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
)


def of(found: tuple[ReadableSpan, ...], operation: str) -> list[ReadableSpan]:
    return [span for span in found if (span.attributes or {}).get("gen_ai.operation.name") == operation]


@pytest.mark.parametrize("desk", FOUR, ids=lambda desk: desk.name)
async def test_spans_are_named_alike_whichever_framework_it_is(desk: Choreography, spans: InMemorySpanExporter) -> None:
    agent = FOUR[desk]
    async with Scenario(desk) as s:
        await s.when(Asked(question="Where is order 7?"))
        await s.when(agent.events.ToolApproved(by="ann"))
        s.then(Answered)
    found = spans.get_finished_spans()
    chats, tools = of(found, "chat"), of(found, "execute_tool")
    assert [span.name for span in chats] == ["chat scripted"] * 3
    for span in chats:
        assert set(ALIKE) <= set(span.attributes or {})
    assert [span.name for span in tools] == ["execute_tool look_up", "execute_tool refund"]
    assert [(span.attributes or {})["gen_ai.tool.call.id"] for span in tools] == ["0-0", "1-0"]
    legs = of(found, "invoke_agent")
    assert [span.name for span in legs] == ([] if isinstance(agent, Agent) else ["invoke_agent helper"] * 2)
    if legs:
        above = {span.context.span_id for span in legs if span.context}
        assert all(span.parent and span.parent.span_id in above for span in chats)


async def look_up(order: str) -> str:
    return "lost"


async def test_what_is_found_in_the_record_is_no_span(spans: InMemorySpanExporter) -> None:
    agent = Other(scripted(Call("look_up", order="7"), "Lost."), name="h", tools=[look_up], capabilities=[Durability()])
    journal = Journal()
    for attempt in (1, 2):
        with (
            trace.get_tracer_provider().get_tracer("test").start_as_current_span("a step"),
            durably(journal.step(attempt)),
        ):
            await agent.run("Where is order 7?")
    found = spans.get_finished_spans()
    assert len(of(found, "chat")) == 2
    assert len(of(found, "execute_tool")) == 1
