"""States: folded from events, by methods that say what they take."""

from typing import Any, Generic, TypeVar

import pytest
from pydantic import Field

from farandole.projections import State, fold_state, on
from farandole.schemas import DeclarationError, Event, Start

T = TypeVar("T")


class Placed(Start):
    address: str


class Moved(Event):
    address: str


class Paid(Event): ...


class Got(Event, Generic[T]):
    value: T


class OrderState(State):
    addresses: list[str] = Field(default_factory=list)
    paid: int = 0

    @on
    def lives(self, event: Placed | Moved) -> None:
        self.addresses.append(event.address)

    @on
    def was_paid(self, event: Paid) -> None:
        self.paid += 1


def test_it_is_made_of_the_events_that_its_methods_take() -> None:
    state = fold_state(OrderState, [Placed(address="a"), Paid(), Moved(address="b"), Paid()])
    assert state == OrderState(addresses=["a", "b"], paid=2)
    assert set(OrderState.folds()) == {Placed, Moved, Paid}


def test_other_events_are_passed_over() -> None:
    class Other(Event): ...

    assert fold_state(OrderState, [Other()]) == OrderState()


def test_folding_on_leaves_the_state_as_it_was() -> None:
    before = fold_state(OrderState, [Placed(address="a")])
    after = before.folded([Moved(address="b")])
    assert before.addresses == ["a"]
    assert after.addresses == ["a", "b"]


def test_states_share_nothing() -> None:
    fold_state(OrderState, [Placed(address="a")])
    assert OrderState().addresses == []


def test_folding_in_parts_is_folding_at_once() -> None:
    events = [Placed(address="a"), Paid(), Moved(address="b")]
    state = OrderState()
    for event in events:
        state.apply([event])
    assert state == fold_state(OrderState, events)


def test_a_subclass_inherits_and_its_own_methods_go_first() -> None:
    class Louder(OrderState):
        @on
        def shouted(self, event: Paid) -> None:
            self.paid += 10

    state = fold_state(Louder, [Placed(address="a"), Paid()])
    assert (state.addresses, state.paid) == (["a"], 10)
    assert fold_state(OrderState, [Paid()]).paid == 1


def test_events_are_matched_by_name() -> None:
    def define() -> type[Event]:
        class Again(Event): ...

        return Again

    first, second = define(), define()

    class Counted(State):
        count: int = 0

        @on
        def again(self, event: first) -> None:  # type: ignore[valid-type]
            self.count += 1

    assert fold_state(Counted, [second()]).count == 1


def test_events_local_to_a_function_may_be_named_by_strings() -> None:
    class Local(Event): ...

    class Counted(State):
        count: int = 0

        @on
        def local(self, event: "Local") -> None:
            self.count += 1

    assert fold_state(Counted, [Local()]).count == 1


def test_the_method_stays_what_it_was() -> None:
    state = OrderState()
    state.was_paid(Paid())
    assert state.paid == 1


def declare(annotation: Any, name: str = "took") -> type[State]:
    def method(self: State, event: Any) -> None: ...

    method.__annotations__["event"] = annotation
    method.__name__, method.__qualname__ = name, f"Wrong.{name}"
    return type("Wrong", (State,), {name: on(method), "__module__": __name__})


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (Event, "Wrong.took: Event is not an event of its own; name the events, as A | B"),
        (Got[int], "Wrong.took: Got[int] is not an event of its own; name the events, as A | B"),
        (int, "Wrong.took: takes int, but int is no event"),
        (Paid | None, "Wrong.took: takes Paid | None, but None is no event"),
        ("Later", "Wrong.took: annotation 'Later' is not defined here yet; declare events above"),
    ],
)
def test_a_method_that_takes_no_event_is_refused(annotation: Any, message: str) -> None:
    with pytest.raises(DeclarationError) as e:
        declare(annotation)
    assert str(e.value).startswith(message)


def test_a_method_says_what_it_takes() -> None:
    with pytest.raises(DeclarationError, match=r"took: parameter 'event' has no annotation"):

        @on
        def took(self, event) -> None: ...  # type: ignore[no-untyped-def]

    with pytest.raises(DeclarationError, match=r"nothing: takes no event; write it as def nothing\(self, event: A\)"):

        @on
        def nothing(self: Any) -> None: ...


def test_two_methods_of_one_event_are_refused() -> None:
    with pytest.raises(DeclarationError, match=r"^Twice: 'a' and 'b' both take Paid$"):

        class Twice(State):
            @on
            def a(self, event: Paid | Moved) -> None: ...
            @on
            def b(self, event: Paid) -> None: ...


def test_a_state_begins_empty() -> None:
    with pytest.raises(DeclarationError, match=r"^Full: field 'address' has no default, but a state begins empty$"):

        class Full(State):
            address: str


def test_folding_is_not_async() -> None:
    with pytest.raises(
        DeclarationError, match=r"^Slow\.took: it is async, but a state is folded from its events alone"
    ):

        class Slow(State):
            @on
            async def took(self, event: Paid) -> None: ...
