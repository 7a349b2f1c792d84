"""One agent, authored in four frameworks: the same events, the same question to a person, the same timeline.

farandole work examples.agents.four_ways:in_langgraph --store kafka://localhost:9092

Scripted, so that it runs offline. ``python -m examples.agents.four_ways`` runs all four, and shows that they tell the
same.
"""

import asyncio
from decimal import Decimal
from typing import Final

import pydantic_ai
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware

import agents as openai
from farandole.agents import Agent, Approval, Call, Tool, scripted
from farandole.agents.frameworks import Adapted, call_key, langchain, openai_agents
from farandole.agents.frameworks import pydantic_ai as of_pydantic
from farandole.agents.frameworks.langchain_scripted import ScriptedModel as LangChainModel
from farandole.agents.frameworks.openai_scripted import ScriptedModel as OpenAIModel
from farandole.reactors import Choreography, Step
from farandole.schemas import End, Start

ours = Choreography("ours")
in_pydantic_ai = Choreography("in_pydantic_ai")
in_openai_agents = Choreography("in_openai_agents")
in_langgraph = Choreography("in_langgraph")


class Asked(Start):
    question: str


class Answered(End):
    """The answer to the customer."""

    text: str


INSTRUCTIONS: Final = "You answer customers."
SCRIPT: Final = (
    Call("look_up", order="7"),
    Call("refund", order="7", amount="9.50"),
    "It was lost. You get 9.50 back.",
)
BY_DESK: Final = Approval(to=["role:desk"], within="1d")

paid: dict[str, Decimal] = {}
"""The bank's book: what was paid back, by the key of the call."""


async def look_up(order: str) -> str:
    """What became of an order."""
    return f"order {order} was lost"


async def pay_back(amount: Decimal, key: str) -> str:
    paid[key] = amount
    return f"{amount} paid back"


async def refund(order: str, amount: Decimal) -> str:
    """Pay an order back."""
    return await pay_back(amount, call_key())


async def refund_by_step(order: str, amount: Decimal, step: Step) -> str:
    """Pay an order back."""
    return await pay_back(amount, step.key)


# Ours: each call is a step.
helper = Agent(
    "helper",
    takes=Asked,
    gives=Answered,
    model=scripted(*SCRIPT),
    instructions=INSTRUCTIONS,
    tools=[look_up, Tool(refund_by_step, needs_approval=BY_DESK, name="refund")],
)

# Pydantic AI: a capability of the agent.
pydantic_ai_helper = of_pydantic.adapt(
    "helper",
    pydantic_ai.Agent(
        scripted(*SCRIPT),
        name="helper",
        instructions=INSTRUCTIONS,
        tools=[look_up, pydantic_ai.Tool(refund, requires_approval=True)],
        capabilities=[of_pydantic.Durability()],
    ),
    takes=Asked,
    gives=Answered,
    approval=BY_DESK,
)

# The OpenAI Agents SDK: the agent made durable.
openai_helper = openai_agents.adapt(
    "helper",
    openai_agents.durable(
        openai.Agent(
            "helper",
            model=OpenAIModel(*SCRIPT),
            instructions=INSTRUCTIONS,
            tools=[openai.function_tool(look_up), openai.function_tool(refund, needs_approval=True)],
        )
    ),
    run_config=openai.RunConfig(tracing_disabled=True),
    takes=Asked,
    gives=Answered,
    approval=BY_DESK,
)

# LangChain, and so LangGraph: a middleware of the agent.
langgraph_helper = langchain.adapt(
    "helper",
    create_agent(
        LangChainModel(*SCRIPT),
        [look_up, refund],
        system_prompt=INSTRUCTIONS,
        middleware=[HumanInTheLoopMiddleware({"refund": True}), langchain.Durable()],
    ),
    takes=Asked,
    gives=Answered,
    approval=BY_DESK,
)

FOUR: Final[dict[Choreography, Agent | Adapted]] = {
    ours: helper,
    in_pydantic_ai: pydantic_ai_helper,
    in_openai_agents: openai_helper,
    in_langgraph: langgraph_helper,
}
for desk, agent in FOUR.items():
    agent.serve(desk)


async def told(desk: Choreography, agent: Agent | Adapted) -> list[str]:
    """What happens in one run, event by event."""
    async with desk.work("memory://") as client:
        run = await client.start(Asked(question="Where is order 7?"))
        decision = await run.decision(agent.events.ToolApproved, timeout="10s")
        await run.decide(decision, agent.events.ToolApproved(), by="ann")
        await run.result(Answered, timeout="10s")
        return [type(recorded.event).__name__ async for recorded in run.events(live=False)]


async def main() -> None:
    stories = [await told(desk, agent) for desk, agent in FOUR.items()]
    for name in stories[0]:
        print(name)
    print("the same four times" if all(story == stories[0] for story in stories) else stories)


if __name__ == "__main__":
    asyncio.run(main())
