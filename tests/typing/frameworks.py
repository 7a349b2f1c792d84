"""Agents of other frameworks as users type them, for the type checkers; never run."""

from decimal import Decimal

from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

import agents as openai
from farandole.agents import Agent as OwnAgent
from farandole.agents import Approval, McpServer, scripted
from farandole.agents.frameworks import Adapted, call_key, durably, openai_agents
from farandole.agents.frameworks import pydantic_ai as of_pydantic
from farandole.reactors import Choreography, Retry, Step
from farandole.schemas import End, Start

desk = Choreography("desk")


class Asked(Start):
    question: str


class Answered(End):
    text: str


async def refund(order: str) -> str:
    return call_key()


agent: Agent[None, str] = Agent(TestModel(), name="helper", tools=[refund], capabilities=[of_pydantic.Durability()])
theirs: openai.Agent[None] = openai_agents.durable(openai.Agent[None]("helper"))


@desk.reactor
async def help(asked: Asked, step: Step) -> Answered:
    with durably(step, "left", price=lambda reply: Decimal(1)) as recorder:
        result = await agent.run(asked.question)
        step.log.info("%d calls", len(recorder.told))
    return Answered(text=result.output)


helper: Adapted = of_pydantic.adapt(
    "helper",
    agent,
    takes=Asked,
    gives=Answered,
    approval=Approval(to=["role:desk"], within="1d"),
    retry=Retry(attempts=3),
    timeout="10m",
    concurrency=5,
    prompt=lambda asked: str(asked),
)
other = openai_agents.adapt("other", theirs, takes=Asked, gives=Answered, max_turns=5)
names = helper.serve(desk)

files = McpServer("files", ["uvx", "mcp-server-files"], needs_approval={"delete": True}, only=["read", "delete"])
remote = McpServer("remote", "https://example.org/mcp", needs_approval=lambda args: bool(args), retry=Retry(attempts=3))
ours = OwnAgent("ours", takes=Asked, gives=Answered, model=scripted("Well."), tools=[refund, files, remote])
