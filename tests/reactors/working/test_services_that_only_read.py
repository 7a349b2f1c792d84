"""Services that share no code: each declares of the other's event what it needs, and is deployed when it likes."""

from functools import partial

import pytest
from tests.reactors.working.controls import Stage, virtual

from farandole.eventstore import EventStore, connect
from farandole.reactors import Choreography, Retry, Run
from farandole.reactors.abroad import Abroad
from farandole.reactors.offers import offer_of
from farandole.reactors.retire import retire
from farandole.schemas import End, Event, EventTypes, IncompatibleSchema, Start, register
from farandole.schemas.catalogue import PREFIX, Entry, read_entry
from farandole.schemas.envelope import Kind


class Complained(Start):
    order: str


class Looked(Event):
    order: str


class Closed(End):
    order: str


def support(*, order: bool = True, needed: bool = True) -> Choreography:
    """Emits the event, with or without a field that others may need, and one that nobody need have."""
    shop = Choreography("shop", service="support")

    class Proposed(Event, name="RefundProposed"):
        customer: str
        order: str = ""

    class Eased(Event, name="RefundProposed"):
        customer: str = ""
        order: str = ""

    class Changed(Event, name="RefundProposed"):
        customer: str

    if not needed:

        @shop.reactor(name="help")
        async def help_easily(complained: Complained) -> Eased:
            return Eased(customer="ann", order=complained.order)

    elif order:

        @shop.reactor
        async def help(complained: Complained) -> Proposed:
            return Proposed(customer="ann", order=complained.order)

    else:

        @shop.reactor(name="help")
        async def help_otherwise(complained: Complained) -> Changed:
            return Changed(customer="ann")

    return shop


class RefundProposed(Event):
    order: str


def quality(*, takes: bool = True) -> Choreography:
    shop = Choreography("shop", service="quality")

    @shop.reactor
    async def close(complained: Complained, looked: Looked) -> Closed:
        return Closed(order=f"{complained.order} {looked.order}")

    if takes:

        @shop.reactor
        async def inspect(proposed: RefundProposed) -> Looked:
            return Looked(order=proposed.order)

    return shop


def parking() -> Choreography:
    """Cannot do without a number."""
    shop = Choreography("shop", service="quality")

    @shop.reactor(retry=Retry(attempts=1))
    async def inspect(proposed: RefundProposed) -> Closed:
        if not proposed.order:
            raise ValueError("no number")
        return Closed(order=proposed.order)

    return shop


def history() -> Choreography:
    """Only looks an event up, in the history of a run."""
    shop = Choreography("shop", service="history")

    @shop.reactor
    async def recall(looked: Looked, run: Run[Complained]) -> None:
        seen.extend(await run.events(RefundProposed))

    return shop


seen: list[RefundProposed] = []


async def proposed(store: EventStore) -> list[Entry]:
    found = [read_entry(key, value) for key, value in (await store.catalogue.scan(PREFIX)).items()]
    return sorted((e for e in found if e.name == "shop.RefundProposed"), key=lambda e: e.order)


@virtual
@pytest.mark.parametrize("first", ["support", "quality"])
async def test_either_may_be_deployed_first(first: str) -> None:
    services = [support(), quality()]
    async with Stage() as stage:
        for service in services if first == "support" else reversed(services):
            await stage.worker(service)
        client = await stage.client(Choreography("shop"))
        run = await client.start(Complained(order="7"))
        assert await run.result(Closed, timeout="1m") == Closed(order="7 7")
        assert {e.reads for e in await proposed(client.store)} == {"", "quality"}


@virtual
async def test_a_history_is_looked_up_with_fewer_fields_too() -> None:
    seen.clear()
    async with Stage() as stage:
        for service in (support(), quality(), history()):
            await stage.worker(service)
        client = await stage.client(Choreography("shop"))
        run = await client.start(Complained(order="7"))
        await run.result(Closed, timeout="1m")
        await stage.folded(support(), lambda log: not log.open)
        assert seen == [RefundProposed(order="7")]
        assert {e.reads for e in await proposed(client.store)} == {"", "quality", "history"}


@virtual
async def test_an_event_is_edited_by_whoever_has_all_of_its_fields() -> None:
    async with Stage() as stage:
        await stage.worker(support())
        await stage.worker(parking())
        client = await stage.client(parking())
        run = await client.start(Complained(order=""))
        await stage.folded(support(), lambda log: log.of(Kind.FAILURE))
        with pytest.raises(IncompatibleSchema, match=r"RefundProposed can only be read .*'customer'"):
            await run.retry(edit=RefundProposed(order="8"))
        giver = await stage.client(support())
        whole = giver.scribe.types.type_of("shop.RefundProposed")
        assert whole is not None
        await giver.run(run.id).retry(edit=whole(customer="ann", order="8"))
        assert await run.result(Closed, timeout="1m") == Closed(order="8")


@virtual
async def test_an_event_that_nobody_else_writes_is_edited_with_the_class_that_reads_it() -> None:
    async with Stage() as stage:
        await stage.worker(support(needed=False))
        await stage.worker(parking())
        client = await stage.client(parking())
        run = await client.start(Complained(order=""))
        await stage.folded(support(), lambda log: log.of(Kind.FAILURE))
        await run.retry(edit=RefundProposed(order="8"))
        assert await run.result(Closed, timeout="1m") == Closed(order="8")
        assert [e.reads for e in await proposed(client.store)] == ["", "quality", ""]


@virtual
async def test_what_a_service_needs_stays_until_what_takes_it_is_retired() -> None:
    async with Stage() as stage:
        await stage.worker(support())
        at_work = await stage.worker(quality())
        with pytest.raises(IncompatibleSchema, match=r"'order' of shop\.RefundProposed .* service 'quality' needs it"):
            await stage.worker(support(order=False))
        await stage.folded(quality(), lambda log: all(f.contracts.get(b"inspect") for f in log.folds))
        await at_work.stop()
        client = await stage.client(Choreography("shop"))
        await retire(client, "close", drop=False)
        with pytest.raises(IncompatibleSchema, match="service 'quality' needs it"):
            await stage.worker(support(order=False))
        await retire(client, "inspect", drop=False)
        await stage.worker(support(order=False))


@virtual
async def test_other_reactors_of_the_service_may_stay() -> None:
    async with Stage() as stage:
        await stage.worker(support())
        at_work = await stage.worker(quality())
        await stage.folded(quality(), lambda log: all(f.contracts.get(b"inspect") for f in log.folds))
        await at_work.stop()
        await retire(await stage.client(Choreography("shop")), "inspect", drop=False)
        await stage.worker(support(order=False))


@virtual
async def test_or_until_its_service_is_deployed_without_it() -> None:
    async with Stage() as stage:
        await stage.worker(support())
        await (await stage.worker(quality())).stop()
        await stage.worker(quality(takes=False))
        await stage.worker(support(order=False))


@virtual
async def test_or_until_all_that_the_service_did_has_moved_elsewhere() -> None:
    async with Stage() as stage:
        await stage.worker(support())
        old = await stage.worker(parking())
        await stage.folded(parking(), lambda log: all(f.contracts.get(b"inspect") for f in log.folds))
        await old.stop()
        moved = Choreography("shop", service="moved")

        @moved.reactor
        async def inspect(complained: Complained) -> Closed:
            return Closed(order=complained.order)

        await stage.worker(moved, take_over=True)
        await stage.folded(moved, lambda log: all(f.contracts.get(b"inspect").service == "moved" for f in log.folds))
        await stage.worker(support(order=False))


@virtual
async def test_runs_are_offered_by_what_is_written() -> None:
    class Short(End, name="Closed"):
        pass

    async with Stage() as stage:
        await stage.worker(parking())
        watching = history()
        watching.know(Short)
        await stage.worker(watching)
        await stage.folded(parking(), lambda log: all(f.contracts.get(b"inspect") for f in log.folds))
        await stage.worker(support())
        await stage.folded(support(), lambda log: all(f.contracts.get(b"help") for f in log.folds))
        offer = await offer_of(stage.store, "shop", "Complained")
        assert [set(end.model_fields) for end in offer.ends] == [{"order"}]


async def test_a_schema_is_carried_to_where_it_is_only_read() -> None:
    cls = RefundProposed
    written = EventTypes("shop", [cls])
    read = EventTypes("shop", [cls], reads=[cls], service="quality", binds=True)
    home, there = [await connect("memory://carried", name) for name in ("shop", "desk")]
    abroad = Abroad(home, "shop", partial(connect, "memory://carried"))
    for each in (read, written):
        await register(home.catalogue, each)
    await register(there.catalogue, read)
    await abroad.carry("shop.RefundProposed", written.schema_of(cls), "desk")
    assert [e.reads for e in await proposed(there)] == ["quality", ""]
    for store in (home, there):
        await store.close()
    await abroad.close()


@virtual
async def test_a_result_is_awaited_with_fewer_fields() -> None:
    class Short(End, name="Closed"):
        pass

    async with Stage() as stage:
        await stage.worker(support())
        await stage.worker(quality())
        client = await stage.client(Choreography("shop"))
        run = await client.start(Complained(order="7"))
        assert await run.result(Short, timeout="1m") == Short()


@virtual
async def test_a_client_holds_nobody_to_its_classes() -> None:
    shop = Choreography("shop")
    shop.know(RefundProposed)
    async with Stage() as stage:
        await stage.worker(support())
        await stage.client(shop)
        await stage.worker(support(order=False))
        await stage.client(shop)
