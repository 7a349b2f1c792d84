"""What agents add to traces: whose a step is, the call of the model and that of a tool; and nothing of what was said."""

import sys
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from tests.agents import mcp_server

from farandole.agents import Agent, Call, McpServer, ToolReturned, scripted
from farandole.reactors import Choreography, GiveUp
from farandole.schemas import End, Start
from farandole.testing import Scenario


class Asked(Start):
    question: str


class Answered(End):
    text: str


async def look(place: str) -> str:
    if place == "cellar":
        raise GiveUp("no key to the secret cellar")
    return "a secret"


async def test_calls_of_models_and_tools_are_spans_below_their_steps(spans: InMemorySpanExporter) -> None:
    house = Choreography("house")
    model = scripted([Call("look", place="attic"), Call("look", place="cellar")], "It is a secret.")
    agent = Agent("finder", takes=Asked, gives=Answered, model=model, tools=[look], instructions="Keep the secret.")
    agent.serve(house)
    async with Scenario(house) as s:
        await s.when(Asked(question="Where is the secret?"))
        s.then(Answered(text="It is a secret."))
    found = spans.get_finished_spans()
    steps = {span.context.span_id: span for span in found if span.name.startswith("process") and span.context}

    def step_of(span: ReadableSpan) -> ReadableSpan:
        assert span.parent is not None
        return steps[span.parent.span_id]

    chats = [span for span in found if span.name.startswith("chat")]
    assert [span.name for span in chats] == ["chat scripted"] * 2
    for span in chats:
        told = step_of(span).attributes or {}
        assert told["farandole.reactor"] == "finder.model"
        assert told["gen_ai.agent.name"] == "finder"
        assert told["gen_ai.conversation.id"]
        assert span.attributes is not None
        assert span.attributes["gen_ai.operation.name"] == "chat"
        assert span.attributes["gen_ai.provider.name"]
        assert span.attributes["gen_ai.request.model"] == "scripted"
        assert span.attributes["gen_ai.response.model"] == "scripted"
        assert span.attributes["gen_ai.usage.input_tokens"]
        assert span.attributes["gen_ai.usage.output_tokens"]
    tools = [span for span in found if span.name == "execute_tool look"]
    assert len(tools) == 2
    for span in tools:
        assert (step_of(span).attributes or {})["farandole.reactor"] == "finder.tools.look"
        told = span.attributes or {}
        assert told["gen_ai.operation.name"] == "execute_tool"
        assert told["gen_ai.tool.name"] == "look"
        assert told["gen_ai.tool.call.id"] in ("0-0", "0-1")
    assert [span.attributes["error.type"] for span in tools if span.attributes and "error.type" in span.attributes] == [
        "GiveUp"
    ]
    assert "secret" not in "".join(span.to_json() for span in found)


async def test_calls_of_an_mcp_server_are_spans_with_the_request_below_and_the_server_is_told_of_the_trace(
    spans: InMemorySpanExporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp.shared._otel._tracer", trace.get_tracer("mcp"))  # it asked for one before there was an SDK
    house = Choreography("house")
    script = ([Call("shop_traced"), Call("shop_fails", why="no stock of secrets")], Call("shop_nothing"), "Well.")
    shop = McpServer("shop", [sys.executable, mcp_server.__file__, str(tmp_path / "ledger")])
    agent = Agent("finder", takes=Asked, gives=Answered, model=scripted(*script), tools=[shop])
    agent.serve(house)
    async with house.work("memory://spans_of_mcp") as client:
        run = await client.start(Asked(question="Where is it?"))
        await run.result(Answered, timeout="60s")
        returned = [r.event.content async for r in run.events(live=False) if isinstance(r.event, ToolReturned)]
    found = spans.get_finished_spans()
    by_id = {span.context.span_id: span for span in found if span.context}
    tools = {span.name: span for span in found if span.name.startswith("execute_tool")}
    assert {name: (span.attributes or {}).get("error.type") for name, span in tools.items()} == {
        "execute_tool shop_traced": None,
        "execute_tool shop_fails": "tool_error",
        "execute_tool shop_nothing": "tool_error",
    }
    for span in tools.values():
        told = span.attributes or {}
        assert (told["gen_ai.operation.name"], told["mcp.method.name"]) == ("execute_tool", "tools/call")
        assert told["gen_ai.tool.name"] == span.name.removeprefix("execute_tool ")
        assert told["gen_ai.agent.name"] == "finder"
        assert span.parent is not None
        assert (by_id[span.parent.span_id].attributes or {})["farandole.reactor"] == "finder.tools.shop"
    requests = [span for span in found if (span.attributes or {}).get("mcp.method.name") == "tools/call"]
    below = [span for span in requests if span.kind is SpanKind.CLIENT]
    assert {by_id[span.parent.span_id].name for span in below if span.parent} == set(tools)
    (request,) = [span for span in below if "traced" in span.name]
    assert request.context is not None
    assert returned[0]["result"].split("-")[1:3] == [
        trace.format_trace_id(request.context.trace_id),
        trace.format_span_id(request.context.span_id),
    ]
    assert "secret" not in "".join(span.to_json() for span in found)


async def test_without_tracing_there_are_none(spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARANDOLE_TRACING", "false")
    house = Choreography("house")
    Agent("finder", takes=Asked, gives=Answered, model=scripted("Here.")).serve(house)
    async with Scenario(house) as s:
        await s.when(Asked(question="Where?"))
        s.then(Answered(text="Here."))
    assert spans.get_finished_spans() == ()
