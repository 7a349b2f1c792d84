"""What a choreography knows once its modules are imported, and what it refuses."""

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from farandole.projections import State, on
from farandole.reactors import After, Choreography, Failed, Retry, Run
from farandole.schemas import Answer, DeclarationError, End, Event, Signal, Start


class Placed(Start): ...


class Paid(Event): ...


class Packed(Event): ...


class Moved(Signal): ...


class Yes(Answer): ...


class Shipped(End): ...


class OrderState(State):
    paid: bool = False

    @on
    def was_paid(self, event: Paid) -> None:
        self.paid = True


@pytest.fixture
def orders() -> Choreography:
    return Choreography("orders")


def an_event(name: str, module: str, place: str = "A", *, wire: str | None = None) -> type[Event]:
    namespace = {"__module__": module, "__qualname__": place}
    return types.new_class(name, (Event,), {"name": wire} if wire else {}, lambda body: body.update(namespace))


def taking(event: Any, name: str = "it", module: str = "x") -> Callable[..., None]:
    def fn(x): ...  # type: ignore[no-untyped-def]

    fn.__annotations__.update({"x": event, "return": None})
    fn.__name__ = fn.__qualname__ = name
    fn.__module__ = module
    return fn


def test_the_function_comes_back_as_it_was(orders: Choreography) -> None:
    def it(x: Placed) -> Paid:
        return Paid()

    assert orders.reactor(it) is it
    assert orders.reactor(name="other")(it) is it
    assert it(Placed()) == Paid()
    assert [r.name for r in orders.reactors] == ["it", "other"]


def test_options_are_kept_normalised(orders: Choreography) -> None:
    @orders.reactor(name="pay", retry=Retry(attempts=3), timeout="30s", concurrency=5, ordered=True)
    def it(x: Placed) -> Paid: ...

    (reactor,) = orders.reactors
    options = reactor.options
    assert reactor.where == "orders.pay"
    assert (options.name, options.retry.attempts, options.concurrency, options.ordered) == ("pay", 3, 5, True)
    assert options.timeout is not None
    assert options.timeout.total_seconds() == 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": "soon"}, "timeout=: duration 'soon' cannot be read"),
        ({"timeout": 0}, "timeout=0: no attempt could end in time"),
        ({"concurrency": 0}, "concurrency=0: at least one handler at a time"),
        ({"of": "pay"}, r"of= narrows a Failed\[...\] to one reactor, but it takes none"),
        ({"each": Paid}, r"each= is about a fan-in, but it takes no list\[...\]"),
        ({"unless": Paid}, r"unless= drops the timer of an After\[...\], but it returns none"),
        ({"enough": 1}, r"enough= is about a fan-in"),
        ({"within": "1h"}, r"within= is about a fan-in"),
        ({"of": len}, r"of=len is no reactor of this choreography; declare it above, or give its name"),
    ],
)
def test_an_option_that_cannot_be_is_refused(orders: Choreography, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=rf"^orders\.it: {message}"):
        orders.reactor(**options)(taking(Placed))


@pytest.mark.parametrize("name", ["two words", "x" * 256], ids=["space", "long"])
def test_a_name_is_one_word_that_fits_the_wire(orders: Choreography, name: str) -> None:
    with pytest.raises(DeclarationError, match="name="):
        orders.reactor(name=name)(taking(Placed))


def test_of_names_a_reactor_by_function_or_by_name(orders: Choreography) -> None:
    @orders.reactor(name="charge")
    def pay(x: Placed) -> Paid: ...
    @orders.reactor(of=pay)
    def refuse(failed: Failed[Placed]) -> None: ...
    @orders.reactor(of="elsewhere")
    def other(failed: Failed[Placed]) -> None: ...

    assert [r.options.of for r in orders.reactors] == [None, "charge", "elsewhere"]
    assert [r.takes_failures for r in orders.reactors] == [False, True, True]


def test_events_are_known_from_all_signatures(orders: Choreography) -> None:
    @orders.reactor
    def it(paid: Paid, packed: Packed, run: Run[Placed]) -> Shipped | None: ...

    assert orders.events == {"Paid": Paid, "Packed": Packed, "Placed": Placed, "Shipped": Shipped}
    orders.know(Moved)
    assert orders.events["Moved"] is Moved
    with pytest.raises(DeclarationError, match="Event is not an event of its own"):
        orders.know(Event)


def test_two_events_of_a_name_are_refused(orders: Choreography) -> None:
    orders.reactor(taking(an_event("A", "x"), "one"))
    with pytest.raises(
        DeclarationError, match=r"^orders\.two: two events are named 'A': x\.A and y\.A; give one of them name=$"
    ):
        orders.reactor(taking(an_event("A", "y"), "two"))
    orders.reactor(taking(an_event("A", "y", wire="B"), "two"))
    assert [*orders.events] == ["A", "B"]


def test_two_reactors_of_a_name_are_refused(orders: Choreography) -> None:
    orders.reactor(taking(Placed, "it", "x"))
    with pytest.raises(
        DeclarationError, match=r"^orders\.it: two reactors are named 'it': x\.it and y\.it; give one of them name=$"
    ):
        orders.reactor(taking(Placed, "it", "y"))


def test_what_is_declared_again_replaces_what_it_was(orders: Choreography) -> None:
    old, new = an_event("A", "x"), an_event("A", "x")
    orders.reactor(taking(old))
    orders.reactor(taking(new))
    (reactor,) = orders.reactors
    assert reactor.signature.triggers[0].events == (new,)
    assert orders.events["A"] is new


def test_included_modules_are_imported_when_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    orders = Choreography("orders", include=["shop_of_this_test"])
    (tmp_path / "shop_of_this_test.py").write_text("imported = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    orders.load()
    assert sys.modules.pop("shop_of_this_test").imported


def test_a_module_that_is_not_there_is_named() -> None:
    orders = Choreography("orders", include=["shop.payments"])
    with pytest.raises(DeclarationError, match=r"^orders: include= names shop\.payments, but there is no module shop$"):
        orders.load()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Choreography("my-orders"), "a name is of lower-case ASCII letters"),
        (lambda: Choreography(""), "a name is of lower-case ASCII letters"),
        (lambda: Choreography("orders", service="a b"), "a service's name is of ASCII letters"),
        (lambda: Choreography("orders", include="shop"), r"include=\['shop'\]"),
    ],
)
def test_names_fit_kafka_and_avro(make: Callable[[], object], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


def test_the_service_is_the_choreography_unless_named() -> None:
    assert Choreography("orders").service == "orders"
    assert Choreography("orders", service="payments").service == "payments"


def test_a_fan_in_is_joined_with_nothing(orders: Choreography) -> None:
    with pytest.raises(
        DeclarationError, match=r"^orders\.it: 'parts' is a fan-in, which is joined with nothing; take a"
    ):

        @orders.reactor
        def it(parts: list[Paid], packed: Packed) -> None: ...


def test_only_plain_events_are_joined(orders: Choreography) -> None:
    with pytest.raises(DeclarationError, match=r"^orders\.it: 'failed' is no plain event, and only those are joined"):

        @orders.reactor
        def it(paid: Paid, failed: Failed[Placed]) -> None: ...


def test_events_in_options_are_known(orders: Choreography) -> None:
    @orders.reactor(unless=(Packed, Moved))
    def it(x: Placed) -> After[Paid]: ...

    assert {*orders.events} == {"Placed", "Paid", "Packed", "Moved"}
    assert orders.reactors[0].options.unless == (Packed, Moved)


def test_a_compensation_takes_what_the_step_took_or_emitted(orders: Choreography) -> None:
    def undo(x: Packed) -> None: ...

    with pytest.raises(DeclarationError, match=r"^orders\.it: its compensation takes Packed, which the step neither"):

        @orders.reactor(compensate=undo)
        def it(x: Placed) -> Paid: ...


def test_a_schedule_is_data(orders: Choreography, monkeypatch: pytest.MonkeyPatch) -> None:
    orders.schedule(Placed(), name="night", cron="0 2 * * *", tz="Europe/Paris")
    (schedule,) = orders.schedules
    assert (schedule.name, schedule.start, schedule.tz, schedule.overlap) == ("night", Placed(), "Europe/Paris", "skip")
    assert orders.events["Placed"] is Placed


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"cron": "daily"}, "has not five fields"), ({"tz": "Mars/Base"}, "is not known here"), ({"name": ""}, "no name")],
)
def test_a_schedule_that_cannot_be_read_is_refused(orders: Choreography, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        orders.schedule(Placed(), **{"name": "night", "cron": "0 2 * * *", **wrong})
