"""What the type checkers must refuse. Each line in error ends with what mypy and pyright call it; never run."""

# What follows from an error on the same line is not told again.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUntypedFunctionDecorator=false

from collections.abc import AsyncIterator

from farandole.projections import on
from farandole.reactors import After, Ask, Child, Choreography, Failed, Retry, Run, Step
from farandole.reactors.provide import Providers
from farandole.schemas import Answer, End, Event, Signal, Start
from farandole.testing import Scenario

orders = Choreography("orders")


class Placed(Start):
    address: str = ""


class Paid(Event):
    receipt: str = ""


class Moved(Signal): ...


class Yes(Answer): ...


class Shipped(End): ...


class Bank: ...


@orders.provide
def bank() -> Bank:
    return Bank()


@orders.reactor  # E: mypy[type-var] pyright[reportArgumentType]
def returns_a_number(placed: Placed) -> int:
    return 1


@orders.reactor(timeout="1s")  # E: mypy[type-var] pyright[reportArgumentType]
async def returns_text(placed: Placed) -> str:
    return ""


@orders.reactor  # E: mypy[type-var] pyright[reportArgumentType]
async def yields(placed: Placed) -> AsyncIterator[Paid]:
    yield Paid()


@orders.reactor
async def child_of_no_start(placed: Placed) -> Child[Paid]:  # E: mypy[type-var] pyright[reportInvalidTypeArguments]
    return Child(Paid())  # E: mypy[type-var] pyright[reportArgumentType]


@orders.reactor
async def another_timer(placed: Placed) -> After[Paid]:
    return After("1d", Shipped())  # E: mypy[arg-type] pyright[reportReturnType]


@orders.reactor
async def another_answer(placed: Placed) -> Ask[Yes]:
    return Ask("?", Yes, Shipped)  # E: mypy[arg-type] pyright[reportReturnType]


@orders.reactor
async def another_event(placed: Placed) -> Paid:
    return Shipped()  # E: mypy[return-value] pyright[reportReturnType]


@orders.reactor
async def failed_event(failed: Failed[Placed]) -> None:
    print(failed.event.receipt)  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue]


@orders.reactor
async def history(paid: Paid, run: Run[Placed]) -> None:
    (moved,) = await run.events(Moved)
    print(moved.receipt)  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue]
    print(run.start.receipt)  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue]


@orders.reactor
async def run_of_no_start(paid: Paid, run: Run[Paid]) -> None:  # E: mypy[type-var] pyright[reportInvalidTypeArguments]
    print(run.id)


async def work(step: Step) -> None:
    await step.once("x", fetch, 3)  # E: mypy[arg-type] pyright[reportArgumentType]


async def fetch(url: str) -> bytes:
    return url.encode()


@on  # E: mypy[type-var] pyright[reportArgumentType]
def not_none(self: object, event: Paid) -> int:
    return 1


def options(providers: Providers) -> None:
    orders.reactor(each=int)  # E: mypy[arg-type] pyright[reportArgumentType]
    orders.reactor(retries=3)  # E: mypy[call-overload] pyright[reportCallIssue]
    Retry(on=KeyboardInterrupt)  # E: mypy[arg-type] pyright[reportArgumentType]
    providers.replace(bank, 3)  # E: mypy[misc] pyright[reportArgumentType]
    orders.schedule(Paid(), name="night", cron="0 2 * * *")  # E: mypy[arg-type] pyright[reportArgumentType]


async def scenario() -> None:
    async with Scenario(orders) as s:
        s.replace(bank, 3)  # E: mypy[misc] pyright[reportArgumentType]
        await s.given(Placed)  # E: mypy[arg-type] pyright[reportArgumentType]
        await s.when(Placed(), later="1s")  # E: mypy[call-arg] pyright[reportCallIssue]
        s.then("Shipped")  # E: mypy[arg-type] pyright[reportArgumentType]
        s.owes(3)  # E: mypy[arg-type] pyright[reportArgumentType]
        print(s.last(Shipped).address)  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue]
