"""A whole program is read as it was meant."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from farandole.reactors import Choreography, choreography
from farandole.schemas import DeclarationError

APPS = Path(__file__).parents[1] / "typing" / "apps"


@pytest.fixture
def run_program(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Imports a program by its name, afresh."""

    def run(name: str) -> Any:
        spec = importlib.util.spec_from_file_location(f"{name}_of_this_test", APPS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return run


def test_the_order_program_is_read(run_program: Callable[[str], Any]) -> None:
    order = run_program("a01_order")
    order.orders.load()
    found = {
        r.name: (
            [(t.param, t.form, [e.__name__ for e in t.events]) for t in r.signature.triggers],
            {param: context.kind for param, context in r.signature.context.items()},
            {param: wanted.__name__ for param, wanted in r.signature.provided.items()},
            r.signature.gives.text,
            r.signature.is_async,
            r.options.of,
        )
        for r in order.orders.reactors
    }
    placed = ("order", "event", ["OrderPlaced"])
    assert found == {
        "take_payment": ([placed], {"step": "step"}, {"bank": "Bank"}, "PaymentTaken", True, None),
        "pack": ([placed], {}, {}, "OrderPacked", False, None),
        "ship": (
            [("paid", "event", ["PaymentTaken"]), ("packed", "event", ["OrderPacked"])],
            {"run": "run"},
            {},
            "OrderShipped",
            True,
            None,
        ),
        "refuse": ([("failed", "failed", ["OrderPlaced"])], {}, {}, "OrderRefused", True, "take_payment"),
        "thank": ([("end", "event", ["OrderShipped"])], {}, {}, "None", True, None),
    }


@pytest.mark.parametrize("program", ["a02_approval", "a03_map_reduce", "a07_agent", "b_state"])
def test_programs_that_need_more_are_refused_for_that_alone(program: str, run_program: Callable[[str], Any]) -> None:
    with pytest.raises(DeclarationError, match="is not supported yet"):
        run_program(program)


@pytest.mark.parametrize(
    ("program", "reactors"),
    [("a02_approval", 4), ("a03_map_reduce", 3), ("a05_saga", 4), ("a07_agent", 4), ("b_state", 2)],
)
def test_programs_that_need_more_are_read_all_the_same(
    program: str, reactors: int, run_program: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choreography, "refuse_unsupported", lambda where, used: None)
    (found,) = (value for value in vars(run_program(program)).values() if isinstance(value, Choreography))
    found.load()
    assert len(found.reactors) == reactors
