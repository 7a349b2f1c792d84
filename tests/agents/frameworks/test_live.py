"""What models of other frameworks' agents say is told word by word while they say it, and recorded as a whole."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any, Literal

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGenerationChunk
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import RetryPolicy
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseIncompleteEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
)
from pydantic_ai import Agent

from agents import Agent as OpenAIAgent
from agents import ModelBehaviorError, ModelSettings, RunConfig
from farandole.agents import scripted
from farandole.agents.frameworks import (
    Adapted,
    durably,
    langchain,
    langchain_scripted,
    openai_agents,
    openai_scripted,
)
from farandole.agents.frameworks import pydantic_ai as pydantic_agents
from farandole.agents.frameworks.floor import Call, Floor
from farandole.agents.frameworks.openai_streams import heard
from farandole.agents.prices import cost_of
from farandole.reactors import Choreography, Live, Recorded, Step
from farandole.schemas import End, Secret, Start

SAID = "It will rain in Arles and in Nice."
WORDS = [f"{word} " for word in SAID.split()]


class Asked(Start):
    question: str


class AskedSecretly(Start):
    question: Annotated[str, Secret]


class Answered(End):
    text: str


class SpokenToOpenAI(openai_scripted.ScriptedModel):
    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        for n, word in enumerate(WORDS):
            await asyncio.sleep(0.1)
            yield ResponseTextDeltaEvent(
                type="response.output_text.delta", content_index=0, delta=word, item_id="m", logprobs=[], output_index=0,
                sequence_number=n,
            )  # fmt: skip
        async for event in super().stream_response(*args, **kwargs):
            yield event


class SpokenToLangChain(langchain_scripted.ScriptedModel):
    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        for n, word in enumerate(WORDS):
            await asyncio.sleep(0.1)
            last = n == len(WORDS) - 1
            usage: Any = {"input_tokens": 3, "output_tokens": 8, "total_tokens": 11} if last else None
            text = word.rstrip() if last else word
            yield ChatGenerationChunk(message=AIMessageChunk(text, usage_metadata=usage))


def in_pydantic_ai(takes: Any) -> Adapted:
    agent = Agent(scripted(SAID, seconds=0.8), name="helper", capabilities=[pydantic_agents.Durability()])
    return pydantic_agents.adapt("helper", agent, takes=takes, gives=Answered)


def in_openai_agents(takes: Any) -> Adapted:
    settings = ModelSettings(include_usage=True)
    agent = OpenAIAgent("helper", model=SpokenToOpenAI(SAID), model_settings=settings)
    quiet = RunConfig(tracing_disabled=True)
    return openai_agents.adapt("helper", openai_agents.durable(agent), takes=takes, gives=Answered, run_config=quiet)


def in_langchain(takes: Any) -> Adapted:
    agent = create_agent(SpokenToLangChain(SAID), middleware=[langchain.Durable()])
    return langchain.adapt("helper", agent, takes=takes, gives=Answered)


async def told(agent: Adapted, asked: Start) -> tuple[list[Live], Any]:
    """What was told live in a run, and the reply as it is recorded."""
    desk = Choreography("desk")
    agent.serve(desk)
    pieces: list[Live] = []
    replied = None
    async with desk.work("memory://") as client, asyncio.timeout(30):
        run = await client.start(asked)
        async for each in run.live():
            match each:
                case Live():
                    pieces.append(each)
                case Recorded(event=agent.events.ModelReplied()):
                    replied = each.event
                case Recorded(event=Answered()):
                    break
    return pieces, replied


FRAMEWORKS = pytest.mark.parametrize("made", [in_pydantic_ai, in_openai_agents, in_langchain])


@FRAMEWORKS
async def test_what_a_model_says_is_told_word_by_word(made: Callable[[Any], Adapted]) -> None:
    pieces, replied = await told(made(Asked), Asked(question="Weather?"))
    assert len(pieces) > 1
    text = "".join(piece.text for piece in pieces)
    assert SAID.startswith(text.rstrip())
    assert [part["content"] for part in replied.message["parts"]] == [SAID]
    assert replied.output_tokens > 0


@FRAMEWORKS
async def test_what_is_secret_is_not_told(made: Callable[[Any], Adapted]) -> None:
    pieces, _ = await told(made(AskedSecretly), AskedSecretly(question="Weather?"))
    assert pieces == []


class Interrupted(langchain_scripted.ScriptedModel):
    """Says its words, each after a signal of the test's; the first time it breaks off after two of them."""

    breaks: bool = False
    asked: list[int] = []  # noqa: RUF012  # pydantic copies it
    on: Any = None

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        self.asked.append(1)
        for n, word in enumerate(str(self.script[0]).split(" ")):
            if self.on is not None:
                await self.on()
            if self.breaks and len(self.asked) == 1 and n == 2:
                raise ConnectionError("the model is away")
            yield ChatGenerationChunk(message=AIMessageChunk(f" {word}" if n else word))


async def spoken(graph: StateGraph[Any, Any, Any, Any]) -> str:
    """What is told live of a graph's models in one step."""
    pieces: list[str] = []
    built: Any = graph.compile()
    with durably(Step(voice=lambda kind, text, personal: pieces.append(text))) as recorder:
        recorder.live = True
        await built.ainvoke({"messages": [HumanMessage("Weather?")]})
    return "".join(pieces)


def a_graph(**models: Any) -> StateGraph[Any, Any, Any, Any]:
    """Models side by side, each a node."""
    graph: Any = StateGraph(MessagesState)
    for name, model in models.items():
        durable = langchain.DurableModel(inner=model)

        async def node(state: Any, durable: Any = durable) -> Any:
            return {"messages": [await durable.ainvoke(state["messages"])]}

        again = RetryPolicy(initial_interval=0.01, max_attempts=2, retry_on=ConnectionError)
        graph.add_node(name, node, retry_policy=again)
        graph.add_edge(START, name)
    return graph


async def test_nodes_side_by_side_do_not_speak_into_each_other() -> None:
    barrier = asyncio.Barrier(3)
    models = {name: Interrupted(f"{name} says that it rains", on=barrier.wait) for name in ("First", "Second", "Third")}
    text = await spoken(a_graph(**models))
    assert sorted(text.split("\n\n")) == [f"{name} says that it rains" for name in models]


async def test_a_reply_that_is_asked_for_again_begins_a_paragraph() -> None:
    text = await spoken(a_graph(model=Interrupted(SAID, breaks=True)))
    assert text == f"It will\n\n{SAID}"


async def test_what_was_held_back_is_told_once_the_floor_is_free() -> None:
    told: list[tuple[str, str]] = []
    floor = Floor(lambda text, kind: told.append((text, kind)))
    first, second, third, silent = Call(), Call(), Call(), Call()
    floor.hear(first, "a", "text")
    for text, kind in (("b", "text"), ("look_up", "call"), ("c", "text")):
        floor.hear(second, text, kind)
    floor.hear(third, "d", "text")
    for ended in (silent, third):
        floor.end(ended)
    assert told == [("a", "text")]
    floor.end(first)
    floor.hear(second, "e", "text")
    floor.end(second)
    texts = "".join(text if kind == "text" else f"[{text}]" for text, kind in told)
    assert texts == "a\n\nb[look_up]ce\n\nd"


def a_response(status: Literal["completed", "incomplete"], output: Sequence[Any]) -> Response:
    return Response(
        id="1", created_at=0, model="m", object="response", output=list(output), parallel_tool_calls=True,
        tool_choice="auto", tools=[], status=status,
    )  # fmt: skip


MESSAGE = ResponseOutputMessage(
    id="m",
    role="assistant",
    type="message",
    status="incomplete",
    content=[ResponseOutputText(annotations=[], text="It will", type="output_text")],
)


async def test_a_reply_that_was_cut_off_is_a_reply() -> None:
    async def events() -> AsyncIterator[Any]:
        response = a_response("incomplete", [MESSAGE])
        yield ResponseIncompleteEvent(response=response, sequence_number=0, type="response.incomplete")
        raise ModelBehaviorError("as the SDK does")

    assert (await heard(events(), lambda text, kind: None)).output == [MESSAGE]


async def test_of_a_provider_that_leaves_the_last_event_empty_the_pieces_count() -> None:
    async def events() -> AsyncIterator[Any]:
        done = "response.output_item.done"
        yield ResponseOutputItemDoneEvent(item=MESSAGE, output_index=0, sequence_number=0, type=done)
        completed = a_response("completed", [])
        yield ResponseCompletedEvent(response=completed, sequence_number=1, type="response.completed")

    assert (await heard(events(), lambda text, kind: None)).output == [MESSAGE]


@pytest.mark.parametrize("counted", [False, True])
async def test_what_a_model_of_langchain_leaves_out_of_its_stream_costs_what_nobody_knows(counted: bool) -> None:
    usage: Any = {"input_tokens": 3, "output_tokens": 8, "total_tokens": 11} if counted else None
    metadata = {"model_name": "gpt-4o", "model_provider": "openai"}
    reply = AIMessage(SAID, usage_metadata=usage, response_metadata=metadata)
    told = langchain.DurableModel(inner=SpokenToLangChain(SAID))._told(reply)
    assert (cost_of(told) is not None) is counted
