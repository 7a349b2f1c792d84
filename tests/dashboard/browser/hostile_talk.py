"""An agent of whom everything is hostile: what it is asked, what it says and calls, what tools return, and its model's name."""

import asyncio

from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart
from tests.dashboard.talking import Asked, Told

from farandole.agents import Agent, Approval, Call, Tool, scripted
from farandole.reactors import Choreography

from .hostile import VECTORS
from .seeding import at_work

EVERYTHING = "\n".join(VECTORS)
SAID, ASKS = f"said {VECTORS[0]}", f"asks {VECTORS[1]}"


async def look_up(order: str) -> dict[str, str]:
    """What became of an order."""
    return {order[:60]: EVERYTHING}


async def refund(order: str) -> str:
    """Pay an order back."""
    return order


def _second(messages: list[ModelMessage]) -> str | Call:
    asked = [
        str(part.content)
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, UserPromptPart)
    ]
    return Call("refund", order=EVERYTHING) if any("pay it back" in each for each in asked) else EVERYTHING


talk = Choreography("hostile_talk")
helper = Agent(
    "helper", takes=Asked, gives=Told, instructions=EVERYTHING,
    model=scripted(Call("look_up", order=EVERYTHING), _second, name=VECTORS[2]),
    tools=[look_up, Tool(refund, needs_approval=Approval(to=[VECTORS[3]], within="1d"))],
)  # fmt: skip
helper.serve(talk)


async def conversations(store: str) -> None:
    """One that has come to its end, and one that waits for leave."""
    async with talk.connect(store) as client:
        await at_work(client, b"helper.model")
        await client.start(Asked(question=EVERYTHING), run_id=SAID)
        await client.start(Asked(question=f"pay it back\n{EVERYTHING}"), run_id=ASKS)
        async with asyncio.timeout(60):
            while not await client.decisions():
                await asyncio.sleep(0.05)
