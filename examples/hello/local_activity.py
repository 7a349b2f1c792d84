"""Short parts of one step, each done once: what `step.once` returned is recorded, and a later attempt is given it.

It is for what concerns no other step. What others shall see, retry or wait for is a reactor of its own.
"""

from farandole.reactors import Choreography, Retry, Step
from farandole.schemas import End, Start

greetings = Choreography("greetings")


class GreetingWanted(Start):
    customer: int


class Greeted(End):
    text: str


class Registry:
    """Somebody else's service, which is asked twice for each greeting."""

    async def name_of(self, customer: int) -> str:
        return f"customer {customer}"

    async def title_of(self, name: str) -> str:
        return "Dr."


@greetings.provide
def registry() -> Registry:
    return Registry()


@greetings.reactor(retry=Retry(attempts=5, first="1s"))
async def greet(wanted: GreetingWanted, step: Step, registry: Registry) -> Greeted:
    name = await step.once("name", registry.name_of, wanted.customer)
    title = await step.once("title", registry.title_of, name)
    return Greeted(text=f"Hello, {title} {name}!")
