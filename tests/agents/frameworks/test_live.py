"""What models of other frameworks' agents say is told word by word while they say it, and recorded as a whole."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from openai.types.responses import ResponseTextDeltaEvent
from pydantic_ai import Agent

from agents import Agent as OpenAIAgent
from agents import ModelSettings, RunConfig
from farandole.agents import scripted
from farandole.agents.frameworks import Adapted, langchain, langchain_scripted, openai_agents, openai_scripted
from farandole.agents.frameworks import pydantic_ai as pydantic_agents
from farandole.reactors import Choreography, Live, Recorded
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
