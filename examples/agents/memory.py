"""An agent that knows its customers from one run to the next. Its model is scripted, so that it runs offline.

farandole work examples.agents.memory:desk --store sqlite:///desk.db
farandole start examples.agents.memory:desk Asked customer=ann question="Write to me, please." --wait --store sqlite:///desk.db
farandole start examples.agents.memory:desk Asked customer=ann question="How do you reach me?" --wait --store sqlite:///desk.db

Each worker keeps the memory for itself, from the log. Where the log is long let a projector keep it, and say so to both:

FARANDOLE_DB=sqlite:///memory.db farandole project examples.agents.memory:desk --store sqlite:///desk.db
"""

from typing import Annotated

from pydantic_ai.messages import ModelMessage

from farandole.agents import Agent, Call, Remembering, scripted
from farandole.agents.scripted import Said
from farandole.projections import Fact, Forget, Memory, Recorded, on
from farandole.reactors import Choreography
from farandole.schemas import End, Event, Search, Start

desk = Choreography("desk")


class Asked(Start):
    customer: Annotated[str, Search]
    question: str


class Answered(End):
    """The answer to the customer."""

    text: str


class OrderLost(Start):
    """Comes from somebody who knows nothing of agents."""

    customer: str
    order: str


class PaidBack(Event, wants_reactor=False):
    customer: str
    order: str


class Settled(End): ...


class ErasureAsked(Start):
    customer: str


class Erased(End):
    customer: str


class Customers(Memory):
    """What the desk knows of a customer: what its agent chose to remember, and what else happened."""

    @on
    def paid_back(self, paid: Recorded[PaidBack]) -> Fact:
        return Fact(about=paid.event.customer, text=f"order {paid.event.order} was lost and paid back")

    @on
    def erased(self, erased: Recorded[Erased]) -> Forget:
        return Forget(about=erased.event.customer)


@desk.reactor
async def settle(lost: OrderLost) -> tuple[PaidBack, Settled]:
    return PaidBack(customer=lost.customer, order=lost.order), Settled()


@desk.reactor
async def erase(asked: ErasureAsked) -> Erased:
    return Erased(customer=asked.customer)


def _first(messages: list[ModelMessage]) -> Said:
    """What a model would do that is told what it remembers."""
    told = [str(part.content) for part in messages[0].parts]  # type: ignore[union-attr]
    if told[-1].startswith("Write to me"):
        return Call("remember", fact="prefers letters")
    if "lost" in told[-1]:
        return Call("recall", query="lost orders")
    known = told[0].splitlines()[1:] if len(told) > 1 else []
    return " ".join(["I know:", *known]) if known else "I know nothing of you."


def _then(messages: list[ModelMessage]) -> Said:
    return str(messages[-1].parts[0].content)  # type: ignore[union-attr]


helper = Agent(
    "helper",
    takes=Asked,
    gives=Answered,
    model=scripted(_first, _then),
    prompt=lambda asked: asked.question,
    instructions="You answer customers, and remember how they like it.",
    memory=Remembering(memory=Customers, about=lambda asked: asked.customer),
)
served = helper.serve(desk)
