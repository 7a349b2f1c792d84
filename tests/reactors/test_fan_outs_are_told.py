"""Of a list that a handler returned it is known which of the declared ones it is."""

from typing import Any

import pytest

from farandole.reactors import After
from farandole.reactors.annotations.returns import read_returns
from farandole.schemas import Event


class A(Event):
    pass


class B(Event):
    pass


class C(Event):
    pass


@pytest.mark.parametrize(
    ("annotation", "result", "types"),
    [
        (list[A], [A(), A()], (A,)),
        (list[A], [], (A,)),
        (list[A | B], [B()], (A, B)),
        (list[A] | list[B], [B()], (B,)),
        (list[A] | C, C(), None),
        (tuple[A, B], (A(), B()), None),
        (list[A] | None, None, None),
        (list[A | After[B]], [After("1s", B())], (A, B)),
    ],
)
def test_the_types_of_a_fan_out(annotation: Any, result: object, types: tuple[type[Event], ...] | None) -> None:
    outputs = read_returns(annotation, "t.fan")
    outputs.check(result)
    assert outputs.fan_out(result) == types
