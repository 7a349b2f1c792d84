"""A choreography for tests of scenarios: small, with a bank to replace, and a reactor of each kind."""

from collections.abc import Callable

from farandole.reactors import Choreography, Failed, Retry, Run, Step
from farandole.schemas import End, Event, Signal, Start


class Ordered(Start):
    what: str = "tea"


class Paid(Event):
    receipt: str = "r-1"


class Packed(Event):
    box: str = "b-1"


class Moved(Signal):
    to: str


class Shipped(End):
    to: str = "home"


class Refused(End):
    why: str


class Bank:
    """Says yes, and notes under which keys it was asked; asks somebody else if told to."""

    def __init__(self, ask: Callable[[int], object] = lambda times: None) -> None:
        self.keys: list[str] = []
        self.ask = ask

    def charge(self, key: str) -> str:
        self.keys.append(key)
        self.ask(len(self.keys))
        return f"r-{len(self.keys)}"


def fails(times: int, error: type[Exception] = ConnectionError) -> Bank:
    """A bank that fails so many times."""

    def ask(asked: int) -> None:
        if asked <= times:
            raise error("no answer")

    return Bank(ask)


shop = Choreography("shop")


@shop.provide
def bank() -> Bank:
    return Bank()


@shop.reactor(retry=Retry(attempts=3, first="1s", factor=2))
async def pay(ordered: Ordered, bank: Bank, step: Step) -> Paid:
    return Paid(receipt=bank.charge(step.key))


@shop.reactor
def pack(ordered: Ordered) -> Packed:
    return Packed()


@shop.reactor
async def ship(paid: Paid, packed: Packed, run: Run[Ordered]) -> Shipped:
    moves = await run.events(Moved)
    return Shipped(to=moves[-1].to) if moves else Shipped()


@shop.reactor(of=pay)
async def refuse(failed: Failed[Ordered]) -> Refused:
    return Refused(why=failed.error)


@shop.reactor
async def thank(shipped: Shipped) -> None: ...
