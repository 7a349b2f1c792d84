"""What a model says is shown while it says it, and recorded as if nobody had looked."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic_ai.exceptions import ModelAPIError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel

from farandole.agents import Agent, Call, FoundTool, ModelReplied, Remembering, RunTool, scripted
from farandole.agents.executing import for_run
from farandole.agents.streaming import can_stream
from farandole.projections import Memory
from farandole.reactors import Choreography, Client, Live, Recorded, RunHandle
from farandole.schemas import DeclarationError, End, EventTypes, Marked, Personal, Secret, Start
from farandole.testing import Scenario


class Asked(Start):
    question: str


class Answered(End):
    text: str


class Chosen(End):
    """Where to go."""

    city: str
    days: int


class AskedPersonally(Start):
    illness: Annotated[str, Personal]


class Decoded(End):
    text: Annotated[str, Secret]


async def weather(city: str) -> str:
    """What the weather is like."""
    return f"rain in {city}"


async def replies(agent: Agent) -> list[dict[str, Any]]:
    desk = Choreography("desk")
    agent.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"))
        assert s.failures() == []
        return [e.model_dump() for e in s.history if isinstance(e, ModelReplied)]


SCRIPT = (Call("weather", city="Arles"), "It will rain, and rain.")


@pytest.mark.parametrize(
    ("model", "gives"),
    [
        (lambda: scripted(*SCRIPT, seconds=3), Answered),
        (lambda: scripted(Call("weather", city="Arles"), Chosen(city="Arles", days=3), seconds=3), Chosen),
        (lambda: TestModel(), Answered),
        (lambda: TestModel(), Chosen),
    ],
    ids=["text", "tools", "another model", "another model's tools"],
)
async def test_what_is_recorded_is_the_same(model: Any, gives: type[End]) -> None:
    recorded = [
        await replies(Agent("helper", takes=Asked, gives=gives, model=model(), tools=[weather], stream=stream))
        for stream in (True, False)
    ]
    for reply in (each for found in recorded for each in found):
        for call in (part for part in reply["message"]["parts"] if part["part_kind"] == "tool-call"):
            del call["tool_call_id"]  # random, where the model is not of ours
        # An estimate of the test model's, that counts otherwise while it streams.
        reply.pop("output_tokens", None)
        reply.pop("input_tokens", None)
        reply["message"].pop("provider_name", None)
    assert recorded[0] == recorded[1]
    assert len(recorded[0]) == 2


async def test_a_model_that_cannot_be_streamed_replies_all_the_same() -> None:
    async def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse([TextPart("Rain.")])

    model = FunctionModel(reply)
    assert not can_stream(model)
    assert can_stream(scripted("Rain."))
    assert can_stream(TestModel())
    (reply_,) = await replies(Agent("helper", takes=Asked, gives=Answered, model=model))
    assert reply_["message"]["parts"][0]["content"] == "Rain."


@asynccontextmanager
async def at_work(*agents: Agent) -> AsyncIterator[Client]:
    desk = Choreography(f"desk_{secrets.token_hex(4)}")
    for agent in agents:
        agent.serve(desk)
    async with desk.work(f"memory://{desk.name}", partitions=1) as client:
        yield client


async def heard(run: RunHandle, hear: Callable[[Live], None] = lambda piece: None) -> tuple[list[Live], list[str]]:
    """All that is said in a run, and its events."""
    pieces, events = [], []
    async with asyncio.timeout(30):
        async for each in run.live():
            if isinstance(each, Recorded):
                events.append(type(each.event).__name__)
            else:
                pieces.append(each)
                hear(each)
    return pieces, events


async def test_text_is_told_word_by_word_and_calls_by_their_names() -> None:
    agent = Agent("helper", takes=Asked, gives=Answered, model=scripted(*SCRIPT, seconds=1), tools=[weather])
    async with at_work(agent) as client:
        run = await client.start(Asked(question="Weather?"))
        pieces, events = await heard(run)
    said = "".join(piece.text for piece in pieces if piece.kind == "text")
    assert SCRIPT[1].startswith(said)  # type: ignore[attr-defined]
    assert said.startswith("It will rain, ")
    assert len([piece for piece in pieces if piece.kind == "text"]) > 1
    assert {piece.reactor for piece in pieces} == {"helper.model"}
    assert not any(piece.personal for piece in pieces)
    assert events[-1] == "Answered"


async def test_who_comes_back_is_told_what_came_after_the_last_event_that_they_have() -> None:
    agent = Agent("helper", takes=Asked, gives=Answered, model=scripted(*SCRIPT, seconds=1), tools=[weather])
    async with at_work(agent) as client, asyncio.timeout(30):
        run = await client.start(Asked(question="Weather?"))
        had: list[Recorded] = []
        async for each in run.live():
            if isinstance(each, Recorded):
                had.append(each)
            elif any(isinstance(one.event, agent.events.ToolReturned) for one in had):
                break  # in the midst of the second reply
        events, text = [], ""
        async for each in run.live(after=had[-1].offset):
            if isinstance(each, Recorded):
                events.append(type(each.event).__name__)
            else:
                text = each.text if each.anew else text + each.text
        assert events == ["HelperModelReplied", "Answered"]
        # The reply in the making from its first word on.
        assert text.startswith("It will ")
        assert SCRIPT[1].startswith(text)  # type: ignore[attr-defined]
        nothing = [each async for each in run.live(after=(await last_of(run)).offset)]
    assert nothing == []


async def last_of(run: RunHandle) -> Recorded:
    return [each async for each in run.events(live=False)][-1]


async def test_nothing_is_told_of_an_agent_that_does_not_stream() -> None:
    agent = Agent("helper", takes=Asked, gives=Answered, model=scripted("It will rain.", seconds=0.3), stream=False)
    async with at_work(agent) as client:
        pieces, events = await heard(await client.start(Asked(question="Weather?")))
    assert pieces == []
    assert events[-1] == "Answered"


async def test_what_is_personal_is_told_as_such_and_what_is_secret_is_not_told() -> None:
    doctor = Agent("doctor", takes=AskedPersonally, gives=Answered, model=scripted("Rest, drink tea.", seconds=0.6))
    decoder = Agent("decoder", takes=Asked, gives=Decoded, model=scripted("The key is 7.", seconds=0.6))
    async with at_work(doctor, decoder) as client:
        pieces, _ = await heard(await client.start(AskedPersonally(illness="gout")))
        assert pieces
        assert all(piece.personal for piece in pieces)
        pieces, events = await heard(await client.start(Asked(question="What is the key?")))
        assert pieces == []
        assert events[-1] == "Decoded"


def test_what_is_said_bears_the_marks_of_what_the_agent_takes_and_gives() -> None:
    for takes, gives, mark in (
        (AskedPersonally, Answered, Personal),
        (Asked, Decoded, Secret),
        (Asked, Answered, None),
    ):
        agent = Agent("helper", takes=takes, gives=gives, model=scripted("x"), tools=[weather])
        events = agent.events
        types = EventTypes(
            "desk", [events.ModelRequested, events.ModelReplied, events.ToolReturned, events.called["weather"]]
        )
        marked = Marked(schema for _, _, schema in types.schemas())
        found = {name for _, name in marked.fields(mark)} if mark is not None else set()
        assert found == (
            {"parts", "instructions", "about", "message", "content", "args"} if mark is not None else set()
        )
        assert agent.mark == mark


class Customers(Memory):
    """What is known of customers."""


def test_what_is_told_from_elsewhere_counts_too() -> None:
    def an_agent(name: str, takes: Any = Asked, **options: Any) -> Agent:
        return Agent(name, takes=takes, gives=Answered, model=scripted("x"), **options)

    doctor = an_agent("doctor", AskedPersonally)
    for options, mark in (
        ({"continues": doctor}, Personal),
        ({"continues": "self"}, None),
        ({"tools": [RunTool(AskedPersonally, Answered)]}, Personal),
        ({"tools": [RunTool(AskedPersonally, Answered | Decoded)]}, Secret),
        ({"tools": [RunTool(Asked, Answered)]}, None),
        ({"tools": [FoundTool("clinic")]}, Personal),
        ({"memory": Remembering(memory=Customers, about=lambda asked: "ann")}, Personal),
    ):
        assert an_agent("helper", **options).mark == mark, options


def test_a_found_run_with_a_secret_is_refused_by_an_agent_that_has_none() -> None:
    agent = Agent("helper", takes=Asked, gives=Answered, model=scripted("x"), tools=[FoundTool("clinic")])
    with pytest.raises(DeclarationError, match="a field of that run is secret"):
        next(for_run(agent, RunTool(Asked, Decoded, "clinic"), None))
    guarded = Agent("helper", takes=Asked, gives=Decoded, model=scripted("x"), tools=[FoundTool("clinic")])
    assert next(for_run(guarded, RunTool(Asked, Decoded, "clinic"), None)).name == "helper.tools.clinic"


async def test_a_reply_that_breaks_off_is_told_anew_by_the_next_attempt() -> None:
    texts: list[str] = []

    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        attempt = len(texts)
        texts.append("")
        yield "It "
        yield "will "
        while texts[attempt] != "It will ":  # until it was heard
            await asyncio.sleep(0.01)
        if attempt == 0:
            raise ModelAPIError("function", "the line broke")
        yield "rain."

    def hear(piece: Live) -> None:
        texts[piece.attempt - 1] += piece.text

    agent = Agent("helper", takes=Asked, gives=Answered, model=FunctionModel(stream_function=stream))
    async with at_work(agent) as client:
        run = await client.start(Asked(question="Weather?"))
        pieces, events = await heard(run, hear)
    takes = list(dict.fromkeys(piece.take for piece in pieces))
    assert len(takes) == 2
    for take in takes:
        said = "".join(piece.text for piece in pieces if piece.take == take)
        assert "It will rain.".startswith(said)
        assert said.startswith("It will ")
    assert [piece.attempt for piece in pieces if piece.anew] == [1, 2]
    assert events.count("HelperModelReplied") == 1


WORKER = """
import asyncio, sys
from farandole.reactors import leases
leases.LEASE, leases.MARGIN, leases.CLAIM_AFTER, leases.RENEW, leases._LOOK = 1500, 100, 0.5, 0.5, 0.2
from tests.agents.test_streaming import a_desk
async def work():
    await a_desk().work(sys.argv[1], partitions=1, member=sys.argv[2])
asyncio.run(work())
"""
WORDS = "One two three four five six seven eight nine ten."


def a_desk() -> Choreography:
    desk = Choreography("desk")
    Agent("helper", takes=Asked, gives=Answered, model=scripted(WORDS, seconds=3)).serve(desk)
    return desk


@pytest.mark.slow
async def test_after_a_worker_was_killed_in_mid_reply_the_text_is_seen_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'desk.db'}?session=2"
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(root)])}

    def worker(member: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-c", WORKER, url, member], cwd=root, env=env)

    first, second, seen, takes = worker("a"), None, "", []
    try:
        async with a_desk().connect(url, partitions=1) as client, asyncio.timeout(90):
            run = await client.start(Asked(question="Count."))
            async for each in run.live():
                if isinstance(each, Live):
                    seen = each.text if each.anew else seen + each.text
                    takes += [each.take] if each.anew else []
                    assert WORDS.startswith(seen), seen
                    if len(seen) > 12 and second is None:
                        first.send_signal(signal.SIGKILL)
                        first.wait()
                        second = worker("b")
                elif isinstance(each.event, ModelReplied):
                    seen = each.event.message["parts"][0]["content"]
            assert seen == WORDS
            assert len(takes) == 2
            assert (await run.result(Answered)).text == WORDS
    finally:
        for process in (first, second):
            if process is not None:
                process.kill()
                process.wait()
