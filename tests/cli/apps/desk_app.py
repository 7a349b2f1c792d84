"""Documents on which people decide, for the tests of the command line."""

from pydantic import BaseModel

from farandole.reactors import After, Ask, Choreography
from farandole.schemas import Answer, End, Event, Signal, Start

desk = Choreography("desk")


class Document(BaseModel):
    title: str


class Submitted(Start, deadline="30d"):
    title: str


class Approved(Answer): ...


class Rejected(Answer):
    reason: str = ""


class Withdrawn(Signal): ...


class Reminded(Event): ...


class Decided(End):
    how: str


@desk.reactor
async def ask(it: Submitted) -> Ask[Approved | Rejected]:
    return Ask(
        f"Publish {it.title}?",
        Approved,
        Rejected,
        about=Document(title=it.title),
        to=["ann", "role:editor"],
        within="2d",
        otherwise=Rejected(reason="nobody answered"),
        quorum=2 if it.title == "Law" else 1,
    )


@desk.reactor(unless=Withdrawn)
async def remind(it: Submitted) -> After[Reminded]:
    return After("1d", Reminded())


@desk.reactor
async def decide(answer: Approved | Rejected) -> Decided:
    return Decided(how=f"{type(answer).__name__} by {answer.by}")
