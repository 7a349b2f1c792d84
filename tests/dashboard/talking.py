"""Agents that talk with a customer: one calls a tool, asks another agent in a run of its own, and needs leave to pay."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Any

from pydantic_ai.messages import ModelMessage, ToolReturnPart
from pydantic_ai.models import StreamedResponse
from pydantic_ai.models.function import AgentInfo, FunctionModel

from farandole.agents import Agent, Approval, Call, RunTool, Tool, scripted
from farandole.agents.playing import Played
from farandole.reactors import Choreography
from farandole.schemas import End, Event, Personal, Signal, Start

LAST = "It was lost on the way, and nobody knows where. You get 9.50 back, and a word of regret from all of us here."
DOLLAR = Decimal("0.001")


class Asked(Start):
    question: str


class AskedMore(Signal):
    question: str


class Told(Event):
    """The answer to the customer."""

    text: str


class ExpertAsked(Start):
    """Ask somebody who knows about parcels."""

    question: str


class ExpertTold(End):
    text: str


class SecretAsked(Start):
    illness: Annotated[str, Personal]


class Advised(End):
    text: str


async def look_up(order: str) -> dict[str, str]:
    """What became of an order."""
    return {"order": order, "state": "<b>lost</b>"}


async def refund(order: str, amount: str) -> str:
    """Pay an order back."""
    return f"{amount} paid back for {order}"


class Unhurried(Played):
    """Calls tools soon, and takes its time over the last words, so that there is time to look at them."""

    @asynccontextmanager
    async def request_stream(
        self, messages: list[ModelMessage], *more: Any, **others: Any
    ) -> AsyncGenerator[StreamedResponse]:
        told = [part.tool_name for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
        self._seconds = 20 if "refund" in told else 0.3
        async with super().request_stream(messages, *more, **others) as stream:
            yield stream


def halting(go: asyncio.Event) -> FunctionModel:
    """Says two words, and the others once it may."""

    async def say(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        for word in ("Rest, ", "and "):
            yield word
        await go.wait()
        for word in ("drink ", "tea."):
            yield word

    return FunctionModel(stream_function=say)


def talking(name: str, *, unhurried: bool = False, go: asyncio.Event | None = None) -> tuple[Choreography, Agent]:
    """A choreography of that name, and the agent that customers talk to. The doctor does not end before ``go``."""
    desk = Choreography(name)
    model = scripted(
        Call("look_up", order="7"),
        Call("expert_asked", question="Where do parcels go?"),
        Call("refund", order="7", amount="9.50"),
        LAST,
        "Gladly. <script>alert(1)</script>",
    )
    expert = Agent("expert", takes=ExpertAsked, gives=ExpertTold, model=scripted("Parcels get lost."))
    helper = Agent(
        "helper",
        takes=Asked | AskedMore,
        gives=Told,
        model=Unhurried(model.function, 0.3, "scripted") if unhurried else model,
        instructions="You answer customers.",
        tools=[
            look_up,
            RunTool(ExpertAsked, ExpertTold, name="expert_asked"),
            Tool(refund, needs_approval=Approval(to=["role:clerk"], within="1d")),
        ],
        continues="self",
        price=lambda reply: reply.usage.output_tokens * DOLLAR,
    )
    advice = scripted("Rest, and drink tea.") if go is None else halting(go)
    doctor = Agent("doctor", takes=SecretAsked, gives=Advised, model=advice)
    for agent in (expert, helper, doctor):
        agent.serve(desk)
    return desk, helper


talk, helper = talking("talk", unhurried=True)
