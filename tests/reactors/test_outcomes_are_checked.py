"""What a handler returned is checked against what it declares."""

from collections.abc import Callable
from typing import Any

import pytest

from farandole.reactors import After, Ask, Child, ReactorError, UndeclaredOutcome
from farandole.reactors.annotations import Outputs, read_signature
from farandole.schemas import Answer, End, Event, Start


class Placed(Start): ...


class Paid(Event): ...


class Packed(Event): ...


class Other(Event): ...


class Yes(Answer): ...


class No(Answer): ...


class Shipped(End): ...


def gives(fn: Callable[..., Any]) -> Outputs:
    return read_signature(fn, "orders.pay").gives


def refused(outputs: Outputs, result: object) -> str:
    with pytest.raises(UndeclaredOutcome) as e:
        outputs.check(result)
    assert isinstance(e.value, ReactorError)
    return str(e.value)


def test_a_declared_event_is_emitted() -> None:
    def pay(x: Placed) -> Paid | Packed: ...

    paid = Paid()
    assert [*gives(pay).check(paid)] == [paid]


def test_none_emits_nothing_where_it_is_declared() -> None:
    def pay(x: Placed) -> Paid | None: ...
    def must(x: Placed) -> Paid: ...
    def nothing(x: Placed) -> None: ...

    assert [*gives(pay).check(None)] == [*gives(nothing).check(None)] == []
    assert refused(gives(must), None) == (
        "orders.pay: returned None, but it is declared -> Paid; name in the annotation all that it returns"
    )


def test_an_undeclared_event_is_refused_with_both_names() -> None:
    def pay(x: Placed) -> Paid | Packed | None: ...

    assert refused(gives(pay), Other()) == (
        "orders.pay: returned Other, but it is declared -> Paid | Packed | None; "
        "name in the annotation all that it returns"
    )


def test_an_event_is_not_a_list_of_one() -> None:
    def pay(x: Placed) -> Paid: ...

    assert "returned [Paid]" in refused(gives(pay), [Paid()])
    assert "returned (Paid)" in refused(gives(pay), (Paid(),))
    assert "returned coroutine" in refused(gives(pay), _closed(later()))


async def later() -> Paid:
    return Paid()


def _closed(coroutine: Any) -> Any:
    coroutine.close()
    return coroutine


def test_a_tuple_is_checked_place_by_place() -> None:
    def pay(x: Placed) -> tuple[Paid, Packed | After[Shipped]] | None: ...

    outputs = gives(pay)
    timer = After("1d", Shipped())
    assert [*outputs.check((Paid(), Packed()))] == [Paid(), Packed()]
    assert [*outputs.check((Paid(), timer))] == [Paid(), timer]
    assert [*outputs.check(None)] == []
    assert "returned (Packed, Paid)" in refused(outputs, (Packed(), Paid()))
    assert "returned (Paid)" in refused(outputs, (Paid(),))
    assert "returned (Paid, Packed, Packed)" in refused(outputs, (Paid(), Packed(), Packed()))
    assert "returned [Paid, Packed]" in refused(outputs, [Paid(), Packed()])


def test_a_list_is_checked_item_by_item() -> None:
    def pay(x: Placed) -> list[Paid | Packed] | Shipped: ...

    outputs = gives(pay)
    assert [*outputs.check([])] == []
    assert [*outputs.check([Paid(), Packed(), Paid()])] == [Paid(), Packed(), Paid()]
    assert [*outputs.check(Shipped())] == [Shipped()]
    assert "returned [Paid, Other]" in refused(outputs, [Paid(), Other()])
    assert "returned Paid" in refused(outputs, Paid())


def test_a_timer_holds_what_it_is_declared_to_hold() -> None:
    def pay(x: Placed) -> After[Paid]: ...

    assert len(gives(pay).check(After(1, Paid()))) == 1
    assert "returned After[Packed]" in refused(gives(pay), After(1, Packed()))
    assert "returned Paid" in refused(gives(pay), Paid())


def test_a_decision_offers_only_the_declared_answers() -> None:
    def pay(x: Placed) -> Ask[Yes | No | Paid]: ...
    def narrow(x: Placed) -> Ask[Yes]: ...

    asked = Ask("well?", Yes, No, within="1d", otherwise=Paid())
    assert [*gives(pay).check(asked)] == [asked]
    assert "returned Ask[Yes | No | Paid]" in refused(gives(narrow), asked)


def test_a_child_begins_with_the_declared_start() -> None:
    def pay(x: Placed) -> Child[Placed] | None: ...

    assert len(gives(pay).check(Child(Placed()))) == 1
    assert "returned Child[Strange]" in refused(gives(pay), Child(Strange()))


class Strange(Start): ...


def test_a_class_whose_cell_ran_again_is_still_declared() -> None:
    def define() -> type[Event]:
        class Again(Event): ...

        return Again

    first, second = define(), define()

    def pay(x): ...  # type: ignore[no-untyped-def]

    pay.__annotations__.update({"x": Placed, "return": first})
    assert len(gives(pay).check(second())) == 1
