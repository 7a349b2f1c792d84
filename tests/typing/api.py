"""The public API as users type it, for the type checkers; never run. `assert_type` fixes what they infer."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NewType, Protocol, assert_type

from sqlalchemy import Connection

from farandole.projections import Following, Projection, State, fold_state, follow, on, table, upsert
from farandole.projections.fold import PendingChild, RunStatus
from farandole.reactors import (
    After,
    Ask,
    Child,
    ChildDone,
    ChildFailed,
    Choreography,
    Client,
    DecisionView,
    Failed,
    FailureGroup,
    GiveUp,
    Provider,
    Recorded,
    Retry,
    RetryAfter,
    Run,
    Step,
)
from farandole.schemas import Answer, End, Event, Signal, Start
from farandole.testing import FailedAttempt, Refused, Scenario, ScenarioRun

orders = Choreography("orders", service="payments", include=["shop.payments"], version="1.2", owner="ann")


class OrderPlaced(Start, deadline="7d"):
    amount: Decimal
    address: str


class AddressChanged(Signal):
    address: str


class PaymentTaken(Event, name="Paid", version=1):
    receipt: str


class OrderPacked(Event):
    box: str = ""


class Reminded(Event, wants_reactor=False): ...


class Approved(Answer): ...


class Rejected(Answer):
    reason: str = ""


class OrderShipped(End):
    tracking: str


class OrderRefused(End, final=True):
    why: str


class OrderUndone(End, compensate=True): ...


class Settings:
    bank_url: str = ""


class Bank:
    async def charge(self, amount: Decimal, idempotency_key: str) -> str:
        return idempotency_key


class FakeBank(Bank): ...


class Model(Protocol):
    async def reply(self, question: str) -> str: ...


Url = NewType("Url", str)
Primary = NewType("Primary", Bank)


@orders.provide
def settings() -> Settings:
    return Settings()


@orders.provide
async def url(settings: Settings) -> Url:
    return Url(settings.bank_url)


@orders.provide
async def bank(settings: Settings) -> AsyncIterator[Bank]:
    yield Bank()


@orders.provide
def primary(bank: Bank) -> Iterator[Primary]:
    yield Primary(bank)


@orders.provide
def model() -> Model:
    raise NotImplementedError


assert_type(settings, Provider[Settings])
assert_type(url, Provider[Url])
assert_type(bank, Provider[Bank])
assert_type(primary, Provider[Primary])
assert_type(model, Provider[Model])


class OrderState(State):
    address: str = ""

    @on
    def lives(self, event: OrderPlaced | AddressChanged) -> None:
        self.address = event.address


assert_type(fold_state(OrderState, [AddressChanged(address="x")]), OrderState)
assert_type(OrderState().folded([AddressChanged(address="x")]), OrderState)


class PerDay(Projection):
    version = 2
    on_error = "skip"
    days = table("per_day", {"day": date}, orders=int, note=str | None)

    @on
    def placed(self, rows: Iterable[Recorded[OrderPlaced]], db: Connection) -> None:
        for each in rows:
            assert_type(each.event, OrderPlaced)
            upsert(db, self.days, {"day": each.at.date()}, add={"orders": 1}, put={"note": None})


@orders.project
class Addresses(Projection):
    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    @on
    def lives(self, each: Recorded[OrderPlaced | AddressChanged]) -> None:
        self.known[each.run_id] = each.event.address


assert_type(Addresses, type[Addresses])
assert_type(orders.project(also=[orders])(PerDay), type[PerDay])


async def look(s: Scenario) -> None:
    assert_type(await s.project(Addresses()), Addresses)
    assert_type((await s.project(PerDay, db="x.db")).rows("per_day"), list[tuple[Any, ...]])
    async with follow(Addresses(), orders, store="memory://") as following:
        assert_type(following, Following)
        await following.caught_up()


async def refund(paid: PaymentTaken, step: Step) -> None:
    step.log.info("refund %s", paid.receipt)


@orders.reactor(
    name="pay",
    retry=Retry(attempts=5, first="1s", factor=2, most="1m", jitter=False, on=(OSError, TimeoutError)),
    timeout="30s",
    deadline="1h",
    concurrency=10,
    ordered=True,
    compensate=refund,
)
async def take_payment(order: OrderPlaced, step: Step, bank: Bank) -> PaymentTaken:
    if step.attempt > 3:
        raise RetryAfter(timedelta(seconds=30), "too fast")
    step.progress(0.4, "asking the bank")
    step.live("asking ", kind="line", personal=True)
    receipt = await step.once("charge", bank.charge, order.amount, idempotency_key=step.key)
    assert_type(receipt, str)
    return PaymentTaken(receipt=receipt)


@orders.reactor
def pack(order: OrderPlaced) -> OrderPacked | None:
    return OrderPacked() if order.address else None


@orders.reactor
async def ship(paid: PaymentTaken, packed: OrderPacked, run: Run[OrderPlaced], state: OrderState) -> OrderShipped:
    assert_type(run.start, OrderPlaced)
    assert_type(await run.events(), list[Event])
    assert_type(await run.events(AddressChanged), list[AddressChanged])
    assert_type(await run.events(AddressChanged, PaymentTaken), list[AddressChanged | PaymentTaken])
    three = await run.events(AddressChanged, PaymentTaken, OrderPacked)
    assert_type(three, list[AddressChanged | PaymentTaken | OrderPacked])
    return OrderShipped(tracking=f"{run.id}-{run.start.address}-{state.address}")


@orders.reactor(of=take_payment)
async def refuse(failed: Failed[OrderPlaced]) -> OrderRefused:
    assert_type(failed.event, OrderPlaced)
    return OrderRefused(why=f"{failed.reactor} {failed.error_type} {failed.error} {failed.attempts} {failed.traceback}")


@orders.reactor(of="elsewhere")
async def any_failure(failed: Failed) -> None:
    assert_type(failed.event, Event)


@orders.reactor
async def both(order: OrderPlaced) -> tuple[PaymentTaken, After[Reminded]] | None:
    return PaymentTaken(receipt=""), After("10m", Reminded())


@orders.reactor(unless=OrderPacked)
async def remind(paid: PaymentTaken) -> After[Reminded] | Child[OrderPlaced]:
    if paid.receipt:
        return After(datetime(2026, 1, 1, tzinfo=UTC), Reminded())
    return Child(OrderPlaced(amount=Decimal(1), address=""), choreography="other", run_id="x", detach=True)


@orders.reactor
async def approve(paid: PaymentTaken) -> Ask[Approved | Rejected | Reminded]:
    return Ask("Ship?", Approved, Rejected, about=paid, to=["role:editor"], within="2d", otherwise=Reminded(), quorum=2)


@orders.reactor
async def fan_out(order: OrderPlaced) -> list[Child[OrderPlaced]] | list[OrderPacked] | OrderRefused:
    return [OrderPacked(), OrderPacked()]


@orders.reactor(each=OrderPacked, enough=2, within="1h")
async def fan_in(parts: list[PaymentTaken | Failed[OrderPacked]]) -> None:
    for part in parts:
        if isinstance(part, Failed):
            assert_type(part.event, OrderPacked)
        else:
            assert_type(part, PaymentTaken)


@orders.reactor
async def done(news: ChildDone[OrderShipped]) -> Reminded:
    assert_type(news.end, OrderShipped)
    raise GiveUp("no")


@orders.reactor
async def gathered(news: list[ChildDone[OrderShipped] | ChildFailed[OrderPlaced]]) -> None: ...


orders.schedule(
    OrderPlaced(amount=Decimal(1), address=""), name="night", cron="0 2 * * *", tz="Europe/Paris", overlap="skip"
)
orders.schedule(
    OrderPlaced(amount=Decimal(1), address=""),
    name="often",
    every="15m",
    jitter="30s",
    catch_up="none",
    overlap="queue",
    first=datetime(2026, 1, 1, tzinfo=UTC),
)


async def as_functions() -> None:
    """The decorator returns the function as it was."""
    order = OrderPlaced(amount=Decimal(1), address="x")
    assert_type(await take_payment(order, Step(), FakeBank()), PaymentTaken)
    assert_type(pack(order), OrderPacked | None)
    run = Run("order-17", order, [order])
    assert_type(run, Run[OrderPlaced])
    assert_type(await ship(PaymentTaken(receipt=""), OrderPacked(), run, OrderState()), OrderShipped)
    await refuse(Failed(order, "pay", "broken"))
    step = Step()
    assert_type(step.cancelled, bool)
    assert_type(step.cancel_reason, str)
    await step.until_cancelled()


async def test_it_ships(scenario: type[Scenario]) -> None:
    async with scenario(orders, run_id="order-17", at=datetime(2026, 1, 1, tzinfo=UTC), workers=2) as s:
        assert_type(s, Scenario)
        s.replace(bank, FakeBank())
        await s.given(OrderPlaced(amount=Decimal(1), address="x"), OrderPacked())
        await s.when(PaymentTaken(receipt=""), after=timedelta(minutes=10))
        await s.passes("7d")
        s.then(OrderShipped, PaymentTaken(receipt=""))
        s.then_only()
        s.then_not(OrderRefused)
        s.owes(take_payment, "pack")
        assert_type(s.last(OrderShipped), OrderShipped)
        assert_type(s.history, list[Event])
        assert_type(s.status, RunStatus)
        assert_type(s.now, datetime)
        assert_type(s.refused(), list[Refused])
        assert_type(s.failures(), list[FailedAttempt])
        assert_type(s.run("order-18"), ScenarioRun)
        assert_type(await s.retry("mended", reactor="pay"), int)
        assert_type(await s.retry("mistyped", edit=OrderPlaced(amount=Decimal(2), address="y")), int)
        assert_type(await s.use(lambda client: client.failures()), list[FailureGroup])
        assert_type(await s.use(lambda client: client.retry("mended", fingerprint="0a1b", limit=5)), int)
        assert_type(await s.use(lambda client: client.run("x").status()), RunStatus)
        assert_type(await s.use(lambda client: client.run("x").children()), Sequence[PendingChild])
        assert_type(await s.use(lambda client: client.stopped()), list[str])
        assert_type((await s.use(lambda client: client.stop("pay", "mending", by="ann"))).owed, int)
        assert_type((await s.use(lambda client: client.go_on())).partitions, int)


async def people(client: Client) -> None:
    decisions = await client.decisions(to="ann")
    assert_type(decisions, list[DecisionView])
    run = client.run(decisions[0].run_id)
    assert_type(await run.decisions(), list[DecisionView])
    assert_type(await run.decision(Approved, Rejected, timeout="1m"), DecisionView)
    assert_type(await run.decision(on_parked="wait"), DecisionView)
    await run.decide(decisions[0], Approved(), by="ann", via="the web", within="1m")
    await run.decide(None, Approved(), by="ann")
    await run.decide(decisions[0].id, Rejected(), by="ann")
    assert_type(decisions[0].answers, tuple[type[Answer] | str, ...])
    assert_type(decisions[0].expires, datetime | None)


def later(anything: Any) -> None:
    for reactor in orders.reactors:
        assert_type(reactor.name, str)
    orders.load()
