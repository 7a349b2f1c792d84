"""Agent loop: model -> tools in parallel (some ask first) -> model ..."""

from typing import Any, Protocol

from pydantic import BaseModel

from farandole.reactors import Ask, Choreography, Run
from farandole.schemas import Answer, End, Event, Start

agent = Choreography("agent")


class Asked(Start):
    question: str


class Call(BaseModel):
    tool: str
    args: str


class ToolProposed(Event):
    call: Call


class ToolAllowed(Answer): ...


class ToolDenied(Answer): ...


class ToolReturned(Event):
    text: str


class TurnReady(Event): ...


class Answered(End):
    text: str


class Reply(BaseModel):
    text: str
    calls: list[Call]


class Model(Protocol):
    async def reply(self, question: str, history: list[Any]) -> Reply: ...


@agent.provide
def model() -> Model:
    raise NotImplementedError


@agent.reactor
async def think(x: Asked | TurnReady, run: Run[Asked], model: Model) -> list[ToolProposed] | Answered:
    history = await run.events(ToolProposed, ToolReturned, ToolDenied)
    reply = await model.reply(run.start.question, list(history))
    if not reply.calls:
        return Answered(text=reply.text)
    return [ToolProposed(call=c) for c in reply.calls]


@agent.reactor
async def gate(p: ToolProposed) -> ToolReturned | Ask[ToolAllowed | ToolDenied]:
    if p.call.tool == "publish":
        return Ask("Publish?", ToolAllowed, ToolDenied, about=p.call, within="1d", otherwise=ToolDenied(comment="late"))
    return ToolReturned(text=p.call.args)


@agent.reactor
async def allowed(ok: ToolAllowed, p: ToolProposed) -> ToolReturned:  # join: same branch
    return ToolReturned(text=p.call.args)


@agent.reactor
async def gather(results: list[ToolReturned | ToolDenied]) -> TurnReady:
    return TurnReady()
