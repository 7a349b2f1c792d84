"""Signatures are read alike where annotations are strings, and where aliases are lazy."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

from farandole.reactors import Choreography, Failed, Step
from farandole.schemas import DeclarationError, End, Event, Start

if TYPE_CHECKING:
    from decimal import Decimal


class Placed(Start): ...


class Refused(End): ...


def test_events_of_the_module_and_of_the_function_resolve() -> None:
    orders = Choreography("orders")

    class Local(Event): ...

    @orders.reactor
    async def bare(placed: Placed, step: Step) -> Local: ...

    @orders.reactor(of=bare)
    async def with_options(failed: Failed[Local]) -> Refused: ...

    bare_, with_ = orders.reactors
    assert bare_.signature.gives.events == (Local,)
    assert with_.signature.triggers[0].events == (Local,)


def test_an_import_for_type_checkers_only_is_named() -> None:
    orders = Choreography("orders")
    with pytest.raises(DeclarationError, match=r"^orders\.it: annotation 'Decimal' is not defined here yet; declare"):

        @orders.reactor
        def it(placed: Placed, amount: Decimal) -> None: ...


def test_functions_that_enclose_and_are_over_leave_one_clear_error() -> None:
    orders = Choreography("orders")

    def outer() -> Any:
        class Local(Event): ...

        def inner() -> None:
            @orders.reactor
            def it(x: Local) -> None: ...

        return inner

    with pytest.raises(DeclarationError, match="annotation 'Local' is not defined here yet"):
        outer()()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type statements are of Python 3.12")
def test_type_statements_are_seen_through(monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
from farandole.reactors import Choreography
from farandole.schemas import Event, Start
orders = Choreography("orders")
class A(Start): ...
class B(Event): ...
type Either = A | B
type Maybe[T] = T | None
type Later = Missing
@orders.reactor
def it(x: Either) -> Maybe[B]: ...
"""
    module = types.ModuleType("a_module")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(source, vars(module))
    (it,) = module.orders.reactors
    assert [e.__name__ for e in it.signature.triggers[0].events] == ["A", "B"]
    assert it.signature.gives.text == "B | None"
    assert [m.shape for m in it.signature.gives.members] == ["one", "none"]
    with pytest.raises(DeclarationError, match="annotation 'Missing' is not defined here yet"):
        exec("@orders.reactor\ndef other(x: A) -> Later: ...", vars(module))
