"""The five rules by which a signature is read, and the message of each."""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Generic, NewType, Optional, Protocol, TypeAlias, TypeVar, Union

import pytest
from pydantic import BaseModel
from typing_extensions import TypeAliasType

from farandole.projections import State, on
from farandole.reactors import After, Ask, Child, ChildDone, ChildFailed, Choreography, Failed, Run, Step
from farandole.reactors.annotations import Element, Member, Signature, read_signature
from farandole.schemas import Answer, DeclarationError, End, Event, Signal, Start

T = TypeVar("T")


class Placed(Start):
    amount: int = 0


class Paid(Event): ...


class Packed(Event): ...


class Base(Event, abstract=True):
    note: str = ""


class Got(Event, Generic[T]):
    value: T


class GotInt(Got[int]): ...


class Moved(Signal): ...


class Yes(Answer): ...


class No(Answer): ...


class Shipped(End): ...


class Plain(BaseModel): ...


class Bank: ...


class Model(Protocol):
    async def reply(self) -> str: ...


class OrderState(State):
    paid: bool = False

    @on
    def was_paid(self, event: Paid) -> None:
        self.paid = True


Url = NewType("Url", str)
PaidOrPacked: TypeAlias = Paid | Packed
Alias = TypeAliasType("Alias", Paid | Packed)
Maybe = TypeAliasType("Maybe", T | None, type_params=(T,))  # type: ignore[misc]


def read(fn: Callable[..., Any]) -> Signature:
    return read_signature(fn, "orders.it")


def message(fn: Callable[..., Any]) -> str:
    with pytest.raises(DeclarationError) as e:
        read(fn)
    text = str(e.value)
    assert text.startswith("orders.it: ")
    return text.removeprefix("orders.it: ")


def trigger(fn: Callable[..., Any]) -> tuple[str, tuple[Element, ...]]:
    (found,) = read(fn).triggers
    return found.form, found.elements


def gives(fn: Callable[..., Any]) -> tuple[Member, ...]:
    return read(fn).gives.members


class TestTriggers:
    def test_an_event_is_a_trigger(self) -> None:
        async def it(paid: Paid) -> None: ...

        signature = read(it)
        assert [(t.param, t.form, t.events) for t in signature.triggers] == [("paid", "event", (Paid,))]
        assert signature.is_async

    def test_a_plain_function_is_not_async(self) -> None:
        def it(paid: Paid) -> None: ...

        assert not read(it).is_async

    def test_a_plain_function_that_returns_an_awaitable_is_async(self) -> None:
        def it(paid: Paid) -> Awaitable[Packed]: ...

        signature = read(it)
        assert signature.is_async
        assert signature.gives.events == (Packed,)

    @pytest.mark.parametrize(
        "union",
        [Paid | Packed, Union[Paid, Packed], PaidOrPacked, Alias, Annotated[Paid | Packed, "x"], Paid | Alias],  # noqa: UP007
        ids=["bar", "Union", "TypeAlias", "TypeAliasType", "Annotated", "nested"],
    )
    def test_a_union_reacts_to_either(self, union: Any) -> None:
        def it(x) -> None: ...  # type: ignore[no-untyped-def]

        it.__annotations__["x"] = union
        assert trigger(it) == ("event", (Element("event", (Paid, Packed)),))

    def test_several_events_are_a_join(self) -> None:
        def it(paid: Paid, packed: Packed) -> None: ...

        assert [t.events for t in read(it).triggers] == [(Paid,), (Packed,)]

    def test_a_failure_names_the_event_that_the_step_took(self) -> None:
        def it(failed: Failed[Placed]) -> Shipped: ...

        assert trigger(it) == ("failed", (Element("failed", (Placed,)),))

    def test_a_bare_failure_is_of_any_step(self) -> None:
        def it(failed: Failed) -> None: ...
        def same(failed: Failed[Event]) -> None: ...

        assert trigger(it) == trigger(same) == ("failed", (Element("failed", ()),))

    def test_a_failure_of_either_event_may_be_written_both_ways(self) -> None:
        def it(failed: Failed[Paid | Packed]) -> None: ...
        def same(failed: Failed[Paid] | Failed[Packed]) -> None: ...

        assert trigger(it) == trigger(same) == ("failed", (Element("failed", (Paid, Packed)),))

    def test_a_list_is_a_fan_in(self) -> None:
        def it(parts: list[Paid | Failed[Placed]]) -> None: ...

        assert trigger(it) == ("list", (Element("event", (Paid,)), Element("failed", (Placed,))))

    def test_news_of_children_is_a_trigger(self) -> None:
        def it(done: ChildDone[Shipped]) -> None: ...
        def other(failed: ChildFailed[Placed]) -> None: ...
        def both(news: list[ChildDone[Shipped] | ChildFailed[Placed]]) -> None: ...

        assert trigger(it) == ("child_done", (Element("child_done", (Shipped,)),))
        assert trigger(other) == ("child_failed", (Element("child_failed", (Placed,)),))
        assert trigger(both) == ("list", (Element("child_done", (Shipped,)), Element("child_failed", (Placed,))))

    def test_an_event_or_a_failure_is_told_apart_from_both_forms_alone(self) -> None:
        def it(x: Paid | Failed[Placed]) -> None: ...

        assert trigger(it) == ("either", (Element("event", (Paid,)), Element("failed", (Placed,))))

    def test_a_class_of_a_generic_event_is_an_event(self) -> None:
        def it(x: GotInt) -> None: ...

        assert trigger(it)[1][0].events == (GotInt,)


class TestContextAndDependencies:
    def test_step_run_and_state_are_context(self) -> None:
        def it(paid: Paid, step: Step, run: Run[Placed], state: OrderState) -> None: ...

        signature = read(it)
        assert {name: (c.kind, c.of) for name, c in signature.context.items()} == {
            "step": ("step", ()),
            "run": ("run", (Placed,)),
            "state": ("state", (OrderState,)),
        }
        assert not signature.provided

    def test_a_bare_run_is_of_any_start(self) -> None:
        def it(paid: Paid, run: Run) -> None: ...

        assert read(it).context["run"].of == ()

    def test_the_rest_is_provided(self) -> None:
        def it(paid: Paid, bank: Bank, model: Model, url: Url, alias: "Annotated[Bank | None, 1]") -> None: ...

        assert dict(read(it).provided) == {"bank": Bank, "model": Model, "url": Url, "alias": Bank | None}

    def test_it_names_all_its_events(self) -> None:
        def it(paid: Paid, run: Run[Placed], state: OrderState) -> Packed | After[Shipped] | Ask[Yes | No]: ...

        assert set(read(it).events()) == {Paid, Placed, Packed, Shipped, Yes, No}


class TestReturns:
    def test_one_of_several_or_nothing(self) -> None:
        def it(paid: Placed) -> Paid | Packed | None: ...

        assert gives(it) == (Member("one", (Paid,)), Member("one", (Packed,)), Member("none"))

    def test_optional_and_generic_aliases_are_seen_through(self) -> None:
        def it(paid: Placed) -> Optional[Paid]: ...  # noqa: UP045
        def same(paid: Placed) -> Maybe[Paid]: ...

        assert gives(it) == gives(same) == (Member("one", (Paid,)), Member("none"))

    def test_nothing(self) -> None:
        def it(paid: Paid) -> None: ...

        assert read(it).gives.nothing

    def test_a_tuple_is_all_of_them(self) -> None:
        def it(placed: Placed) -> tuple[Paid, Packed | After[Shipped]]: ...

        assert gives(it) == (
            Member(
                "tuple", places=((Member("one", (Paid,)),), (Member("one", (Packed,)), Member("after", (Shipped,))))
            ),
        )

    def test_a_list_is_a_fan_out(self) -> None:
        def it(placed: Placed) -> list[Paid | Child[Placed]] | Shipped: ...

        assert gives(it) == (
            Member("list", places=((Member("one", (Paid,)), Member("child", (Placed,))),)),
            Member("one", (Shipped,)),
        )

    def test_timers_decisions_and_children_stand_where_an_event_does(self) -> None:
        def it(placed: Placed) -> After[Paid | Packed] | Ask[Yes | No | Paid] | Child[Placed]: ...

        assert gives(it) == (
            Member("after", (Paid, Packed)),
            Member("ask", (Yes, No, Paid)),
            Member("child", (Placed,)),
        )


class TestRule1NamesResolve:
    def test_what_is_not_defined_yet_is_named(self) -> None:
        def it(x: "Failed[Later]") -> None: ...  # type: ignore[name-defined] # noqa: F821

        assert message(it) == (
            "annotation 'Later' is not defined here yet; declare events above the reactors that use them, "
            "and import them outside `if TYPE_CHECKING:`"
        )

    def test_names_of_the_enclosing_function_resolve(self) -> None:
        class Local(Event): ...

        def it(x: "Local") -> "None": ...

        assert trigger(it)[1][0].events == (Local,)

    def test_strings_within_brackets_resolve(self) -> None:
        class Local(Event): ...

        def it(x: Failed["Local"], step: Step) -> list["Local"] | None: ...

        assert trigger(it)[1][0].events == read(it).gives.events == (Local,)

    def test_names_of_all_running_enclosing_functions_resolve(self) -> None:
        class Local(Event): ...

        def deeper() -> Signature:
            def it(x: "Local") -> None: ...

            return read(it)

        assert deeper().triggers[0].events == (Local,)

    def test_locals_of_whoever_else_calls_do_not_leak_in(self) -> None:
        def caller() -> str:
            class Later(Event): ...

            return message(elsewhere)

        assert "annotation 'Later' is not defined here yet" in caller()

    def test_wraps_is_seen_through(self) -> None:
        def logged(fn: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(fn)
            def inner(*args: Any, **kwargs: Any) -> Any:
                return fn(*args, **kwargs)

            return inner

        @logged
        async def it(paid: Paid, bank: Bank) -> Packed: ...

        signature = read(it)
        assert signature.triggers[0].events == (Paid,)
        assert signature.is_async

    def test_an_annotation_that_is_no_type_is_an_error(self) -> None:
        def it(x: "Paid[") -> None: ...  # type: ignore[valid-type] # noqa: F722

        assert message(it).startswith("an annotation cannot be read as a type: ")


def elsewhere(x: "Later") -> None: ...  # type: ignore[name-defined] # noqa: F821


class TestRule2Parameters:
    def test_each_has_an_annotation(self) -> None:
        def it(paid: Paid, x) -> None: ...  # type: ignore[no-untyped-def]

        assert message(it) == "parameter 'x' has no annotation"

    def test_each_can_be_passed_by_keyword(self) -> None:
        def args(paid: Paid, *x: Any) -> None: ...
        def kwargs(paid: Paid, **x: Any) -> None: ...
        def slash(paid: Paid, /) -> None: ...

        for fn in (args, kwargs, slash):
            assert message(fn) == "reactors are called by keyword; no *args, **kwargs or /"

    def test_a_wrapper_without_wraps_is_noticed(self) -> None:
        def it(*args, **kwargs): ...  # type: ignore[no-untyped-def]

        assert message(it) == "reactors are called by keyword; no *args, **kwargs or /"

    def test_a_reactor_is_no_method(self) -> None:
        class Shop:
            def it(self, paid: Paid) -> None: ...
            @staticmethod
            def alone(paid: Paid) -> None: ...

        for fn in (Shop.it, Shop().it, Shop.alone, vars(Shop)["alone"]):
            assert message(fn) == "a reactor is a function, not a method"

    def test_a_reactor_is_no_other_callable(self) -> None:
        def it(paid: Paid) -> None: ...

        assert message(functools.partial(it)) == "a reactor is a function, not a partial"

    def test_a_reactor_has_no_yield(self) -> None:
        async def it(paid: Paid) -> AsyncIterator[Packed]:
            yield Packed()

        assert message(it) == "a reactor returns its events all at once; it has no yield"


class TestRule3TheRestIsProvided:
    @pytest.mark.parametrize(
        ("annotation", "text"),
        [(int, "int"), (list[int], "list[int]"), (dict, "dict"), (Any, "Any"), (int | None, "int | None")],
    )
    def test_a_builtin_is_an_error(self, annotation: Any, text: str) -> None:
        def it(paid: Paid, x) -> None: ...  # type: ignore[no-untyped-def]

        it.__annotations__["x"] = annotation
        assert (
            message(it)
            == f"'x' is {text}, neither an event nor anything that can be provided; give what @provide makes a class or a NewType of its own"
        )

    def test_what_nobody_provides_is_found_when_loaded(self) -> None:
        orders = Choreography("orders")

        @orders.reactor
        def pay(placed: Placed, bank: Bank) -> None: ...

        with pytest.raises(
            DeclarationError, match=r"^orders\.pay: nothing provides Bank \(for 'bank'\); write @orders\.provide "
        ):
            orders.load()

    def test_context_stands_alone(self) -> None:
        def it(paid: Paid, step: Step | None) -> None: ...

        assert message(it) == "'step' is Step | None; Step, Run and State stand alone"

    def test_a_run_names_a_start(self) -> None:
        def it(paid: Paid, run: Run[Paid]) -> None: ...  # type: ignore[type-var]

        assert message(it) == "Run[Paid] names no Start; write the event that opens the run"


class TestRule4Triggers:
    @pytest.mark.parametrize(
        ("annotation", "name"),
        [
            (Base, "Base"),
            (Event, "Event"),
            (Start, "Start"),
            (Got[int], "Got[int]"),
            (Got, "Got"),
            (Failed[Base], "Base"),
        ],
    )
    def test_they_are_concrete(self, annotation: Any, name: str) -> None:
        def it(x) -> None: ...  # type: ignore[no-untyped-def]

        it.__annotations__["x"] = annotation
        assert message(it) == f"{name} is not an event of its own; name the events, as A | B"

    def test_each_is_in_one_parameter(self) -> None:
        def it(a: Paid, b: Packed | Paid) -> None: ...

        assert message(it) == "'a' and 'b' both take Paid; a join needs different events"

    def test_none_is_optional(self) -> None:
        def it(x: Paid | None) -> None: ...
        def default(x: Paid, y: Packed | None = None) -> None: ...
        def failed(x: Failed[Paid] | None) -> None: ...

        for fn in (it, default, failed):
            assert message(fn) == "an event cannot be None"

    def test_there_is_at_least_one(self) -> None:
        def it(step: Step, bank: Bank) -> None: ...

        assert message(it) == "takes no event, so nothing would ever start it"

    def test_a_model_that_forgot_to_be_an_event_is_named(self) -> None:
        def it(x: Plain) -> None: ...

        assert message(it) == "takes no event, so nothing would ever start it (Plain is a model, but no Event)"

    def test_a_union_does_not_mix_events_with_anything_else(self) -> None:
        def it(x: Paid | Plain) -> None: ...
        def fan_in(x: Paid | list[Packed]) -> None: ...

        assert message(it) == "'x' is Paid | Plain, but Plain is no event"
        assert message(fan_in) == "'x' is Paid | list[Packed]; a fan-in is a reactor of its own"

    def test_a_failure_names_no_reactor(self) -> None:
        def it(failed: Failed[elsewhere]) -> None: ...  # type: ignore[valid-type]

        assert message(it) == (
            "Failed[elsewhere] names no event; write the one that the step took, "
            "and of= for the reactor, as @reactor(of=take_payment)"
        )

    def test_news_of_a_child_is_about_its_end_or_its_start(self) -> None:
        def it(done: ChildDone[Paid]) -> None: ...  # type: ignore[type-var]
        def other(failed: ChildFailed[Paid]) -> None: ...  # type: ignore[type-var]

        assert message(it) == "ChildDone[Paid] is about a child's End, not Paid"
        assert message(other) == "ChildFailed[Paid] is about a child's Start, not Paid"


class TestRule5Returns:
    def test_the_annotation_is_there(self) -> None:
        def it(paid: Paid): ...  # type: ignore[no-untyped-def]

        assert message(it) == "says not what it returns; write -> None if nothing"

    def test_a_start_is_wrapped(self) -> None:
        def it(paid: Paid) -> Placed: ...

        assert message(it) == "returns Placed, which is of kind Start; wrap it: Child(Placed(...))"

    def test_signals_and_answers_are_not_returned(self) -> None:
        def it(paid: Paid) -> Moved: ...
        def other(paid: Paid) -> Yes: ...

        assert message(it) == "returns Moved, which is of kind Signal; signals come from outside, by run.send"
        assert message(other) == "returns Yes, which is of kind Answer; people give it: Ask[Yes]"

    def test_who_takes_an_end_returns_none(self) -> None:
        def it(end: Shipped) -> Paid: ...
        def maybe(end: Paid | Shipped) -> Packed | None: ...
        def well(end: Shipped) -> None: ...

        assert message(it) == message(maybe) == "takes Shipped, an End, so it may only return None"
        read(well)

    @pytest.mark.parametrize("annotation", [int, Plain, list[list[Paid]], tuple, list, Failed[Paid], Any])
    def test_only_outcomes_are_returned(self, annotation: Any) -> None:
        def it(paid: Paid): ...  # type: ignore[no-untyped-def]

        it.__annotations__["return"] = annotation
        assert message(it).endswith(
            "which is no outcome; return events, None, or a tuple, list, After, Ask or Child of events"
        )

    def test_abstract_events_are_not_returned(self) -> None:
        def it(paid: Paid) -> list[Base]: ...

        assert message(it) == "Base is not an event of its own; name the events, as A | B"

    def test_a_tuple_has_a_length(self) -> None:
        def it(placed: Placed) -> tuple[Paid, ...]: ...

        assert message(it) == "returns tuple[Paid, ...]; a tuple names each event, a fan-out is a list"

    def test_none_stands_alone(self) -> None:
        def it(placed: Placed) -> tuple[Paid, Packed | None]: ...

        assert message(it).startswith("returns tuple[Paid, Packed | None]; None stands alone")

    def test_wrappers_name_events(self) -> None:
        def bare(placed: Placed) -> After: ...  # type: ignore[type-arg]
        def child(placed: Placed) -> Child[Paid]: ...  # type: ignore[type-var]
        def ask(placed: Placed) -> Ask[Paid]: ...
        def timer(placed: Placed) -> After[Yes]: ...

        assert message(bare) == "says not what its After emits; write After[A]"
        assert message(child) == "returns Child[Paid], but Paid is no Start; a child run begins with one"
        assert message(ask) == "returns Ask[Paid], in which there is no Answer for people to give"
        assert message(timer) == "returns Yes, which is of kind Answer; people give it: Ask[Yes]"
