"""What handlers are given: found by type, made once, closed in reverse."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, NewType, Protocol

import pytest

from farandole.reactors import Choreography, Step
from farandole.reactors.provide import Providers
from farandole.schemas import DeclarationError, Event


class Settings:
    url = "bank"


class Bank:
    def __init__(self, url: str = "") -> None:
        self.url = url


class Model(Protocol):
    def reply(self) -> str: ...


class FakeModel:
    def reply(self) -> str:
        return "yes"


Url = NewType("Url", str)
Reader = NewType("Reader", Bank)


@pytest.fixture
def orders() -> Choreography:
    return Choreography("orders")


def opened(orders: Choreography) -> Providers:
    orders.load()
    return Providers(orders.providers)


async def test_every_kind_of_function_provides(orders: Choreography) -> None:
    log: list[str] = []

    @orders.provide
    def url() -> Url:
        return Url("plain")

    @orders.provide
    async def settings() -> Settings:
        return Settings()

    @orders.provide
    def model() -> Iterator[Model]:
        log.append("model opened")
        yield FakeModel()
        log.append("model closed")

    @orders.provide
    async def bank(settings: Settings, url: Url) -> AsyncIterator[Bank]:
        log.append("bank opened")
        yield Bank(f"{settings.url}-{url}")
        log.append("bank closed")

    @orders.provide
    async def reader(bank: Bank) -> AsyncGenerator[Reader, None]:
        log.append("reader opened")
        yield Reader(bank)
        log.append("reader closed")

    async with opened(orders) as providers:
        given = await providers.supply({"m": Model, "r": Reader, "b": Bank, "u": Url})
        assert given["m"].reply() == "yes"
        assert given["r"] is given["b"]
        assert given["b"].url == "bank-plain"
        assert given["u"] == "plain"
        assert log == ["model opened", "bank opened", "reader opened"]
    assert log[3:] == ["reader closed", "bank closed", "model closed"]


async def test_each_is_made_once_however_many_ask(orders: Choreography) -> None:
    made: list[Bank] = []

    @orders.provide
    async def bank() -> Bank:
        await asyncio.sleep(0)
        made.append(Bank())
        return made[-1]

    async with opened(orders) as providers:
        given = await asyncio.gather(*(providers.supply({"b": Bank}) for _ in range(20)))
        assert [g["b"] for g in given] == made * 20
        assert len(made) == 1


async def test_nothing_is_made_that_nobody_asks_for(orders: Choreography) -> None:
    @orders.provide
    async def bank() -> AsyncIterator[Bank]:
        raise AssertionError("opened")
        yield Bank()

    async with opened(orders) as providers:
        assert await providers.supply({}) == {}


async def test_one_that_fails_to_open_is_opened_anew(orders: Choreography) -> None:
    tries: list[int] = []

    @orders.provide
    async def bank() -> AsyncIterator[Bank]:
        tries.append(1)
        if len(tries) < 2:
            raise ConnectionError("the bank is down")
        yield Bank()

    async with opened(orders) as providers:
        with pytest.raises(ConnectionError, match="the bank is down"):
            await providers.supply({"b": Bank})
        assert isinstance((await providers.supply({"b": Bank}))["b"], Bank)


async def test_one_that_never_yields_says_so(orders: Choreography) -> None:
    @orders.provide
    async def bank() -> AsyncIterator[Bank]:
        if Settings.url:
            return
        yield Bank()

    async with opened(orders) as providers:
        with pytest.raises(RuntimeError, match="didn't yield"):
            await providers.supply({"b": Bank})


async def test_whoever_stops_waiting_does_not_cut_short_the_others(orders: Choreography) -> None:
    go_on = asyncio.Event()

    @orders.provide
    async def bank() -> Bank:
        await go_on.wait()
        return Bank()

    async with opened(orders) as providers:
        impatient = asyncio.create_task(providers.supply({"b": Bank}))
        patient = asyncio.create_task(providers.supply({"b": Bank}))
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        go_on.set()
        assert isinstance((await patient)["b"], Bank)


async def test_task_groups_may_be_held_open_across_the_yield(orders: Choreography) -> None:
    @orders.provide
    async def bank() -> AsyncIterator[Bank]:
        async with asyncio.timeout(60), asyncio.TaskGroup():
            yield Bank()

    providers = opened(orders)
    await asyncio.create_task(providers.supply({"b": Bank}))
    await asyncio.create_task(providers.close())


async def test_all_are_closed_even_if_one_fails_to(orders: Choreography) -> None:
    log: list[str] = []

    @orders.provide
    async def settings() -> AsyncIterator[Settings]:
        yield Settings()
        log.append("settings closed")

    @orders.provide
    async def bank(settings: Settings) -> AsyncIterator[Bank]:
        yield Bank()
        raise OSError("cannot close")

    providers = opened(orders)
    await providers.supply({"b": Bank})
    with pytest.raises(ExceptionGroup) as e:
        await providers.close()
    assert e.group_contains(OSError, match="cannot close")
    assert log == ["settings closed"]
    with pytest.raises(DeclarationError, match="the worker has stopped"):
        await providers.supply({"b": Bank})


async def test_closing_while_one_opens_gives_up_on_it(orders: Choreography) -> None:
    @orders.provide
    async def bank() -> AsyncIterator[Bank]:
        await asyncio.Event().wait()
        yield Bank()

    providers = opened(orders)
    waiting = asyncio.create_task(providers.supply({"b": Bank}))
    await asyncio.sleep(0)
    await providers.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_value_can_stand_in_for_a_provider(orders: Choreography) -> None:
    @orders.provide
    def model() -> Model:
        raise AssertionError("made")

    fake = FakeModel()
    async with opened(orders) as providers:
        providers.replace(model, fake)
        assert (await providers.supply({"m": Model}))["m"] is fake
        with pytest.raises(DeclarationError, match="it has made its value already"):
            providers.replace(model, fake)
    with pytest.raises(DeclarationError, match="not a provider of this choreography"):
        Providers(()).replace(model, fake)


def test_two_of_a_type_are_refused(orders: Choreography) -> None:
    @orders.provide
    def bank() -> Bank: ...
    @orders.provide
    def reader(bank: Bank) -> Reader: ...

    with pytest.raises(DeclarationError, match=r"^orders\.other: orders\.bank provides the same type; tell them apart"):

        @orders.provide
        def other() -> AsyncIterator[Bank]: ...


def test_a_provider_declared_again_replaces_what_it_was(orders: Choreography) -> None:
    def define() -> Any:
        @orders.provide
        def bank() -> Bank: ...

        return bank

    define()
    again = define()
    assert orders.providers == (again,)


def test_providers_that_need_one_another_are_refused(orders: Choreography) -> None:
    @orders.provide
    def settings(bank: Bank) -> Settings: ...
    @orders.provide
    def bank(settings: Settings) -> Bank: ...

    with pytest.raises(
        DeclarationError, match=r"^orders\.settings: Settings needs Bank needs Settings; one of them must do without"
    ):
        orders.load()


def test_what_a_provider_takes_is_provided(orders: Choreography) -> None:
    @orders.provide
    def bank(url: Url) -> Bank: ...

    with pytest.raises(
        DeclarationError, match=r"^orders\.bank: nothing provides Url \(for 'url'\); write @orders\.provide def url\(\)"
    ):
        orders.load()


class Paid(Event): ...


def _wrong() -> list[tuple[Any, str]]:
    def silent(): ...  # type: ignore[no-untyped-def]
    def builtin() -> str: ...
    def event() -> Paid: ...
    def nothing() -> None: ...
    def takes_builtin(x: int) -> Bank: ...
    def takes_event(x: Paid) -> Bank: ...
    def takes_anything(x) -> Bank: ...  # type: ignore[no-untyped-def]
    def slash(x: Settings, /) -> Bank: ...
    def yields() -> Bank:  # type: ignore[misc]
        yield Bank()

    class Shop:
        def method(self) -> Bank: ...

    return [
        (silent, "orders.silent: says not what it provides"),
        (builtin, "orders.builtin: provides str, which no handler could ask for"),
        (event, "orders.event: provides Paid, which no handler could ask for"),
        (nothing, "orders.nothing: provides None, which no handler could ask for"),
        (takes_builtin, "orders.takes_builtin: 'x' is int; a provider takes only what other providers make"),
        (takes_event, "orders.takes_event: 'x' is Paid; a provider takes only what other providers make"),
        (takes_anything, "orders.takes_anything: parameter 'x' has no annotation"),
        (slash, "orders.slash: providers are called by keyword; no *args, **kwargs or /"),
        (yields, "orders.yields: it yields, so annotate it -> AsyncIterator[Bank]"),
        (Shop.method, "orders.method: a provider is a function, not a method"),
        (lambda: 1, "orders.<lambda>: says not what it provides"),
    ]


@pytest.mark.parametrize(("fn", "message"), _wrong())
def test_a_provider_that_cannot_be_read_is_refused(orders: Choreography, fn: Any, message: str) -> None:
    with pytest.raises(DeclarationError) as e:
        orders.provide(fn)
    assert str(e.value).startswith(message)


def test_context_is_not_provided(orders: Choreography) -> None:
    with pytest.raises(DeclarationError, match="provides Step, which no handler could ask for"):

        @orders.provide
        def step() -> Step: ...
