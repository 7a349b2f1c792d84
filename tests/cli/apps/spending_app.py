"""Runs that use models, with a price and without."""

from decimal import Decimal

from farandole.reactors import Choreography, Step
from farandole.schemas import End, Start, Usage

desk = Choreography("spending")


class Asked(Start):
    model: str


class Answered(End):
    usage: Usage


@desk.reactor
async def answer(asked: Asked, step: Step) -> Answered:
    async def embed() -> Usage:
        return Usage(agent="embedder", model="small", input_tokens=5)

    await step.once("embed", embed)
    return Answered(usage=Usage(model=asked.model, input_tokens=1_000, output_tokens=20, cost=Decimal("0.0125")))
