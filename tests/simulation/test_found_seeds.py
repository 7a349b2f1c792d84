"""Worlds in which a promise was broken once. They stay, each with what was wrong.

A change of the simulation itself makes other worlds of the same seeds; so each fault has a switch too that brings it
back, and both are tested: that it is found there without its mend, and not with it.
"""

from typing import Any
from unittest.mock import patch

import pytest

from checker.contracts import Contract
from simulation import RULES, run_seed

EARLIER_SHAPE = RULES["steps of an earlier shape are not attempted"]
"""A step owed under an earlier contract was attempted with code that takes something else: a handler was called with an
event that it does not take, or the attempt failed, again and again, with an error that told nobody why."""
ORDER_OF_ADMISSION = RULES["a history in the order of admission"]
"""`run.events` showed what stood before the trigger in the log, and so a part of an outcome that became whole only after
the trigger: or not, if the handler was quick."""


def _as_it_is(contract: Contract, **changes: Any) -> Contract:
    """The contracts of one append came in two pieces. The checker took each to be in force from its own record on."""
    return contract


@pytest.mark.parametrize("seed", [23, 27, 47])
def test_a_handler_is_never_called_with_what_it_does_not_take(seed: int) -> None:
    assert run_seed(seed, off=EARLIER_SHAPE).problems
    assert not run_seed(seed).problems


@pytest.mark.parametrize("seed", [46, 51])
def test_a_history_is_the_same_whenever_its_handler_looks(seed: int) -> None:
    assert run_seed(seed, off=ORDER_OF_ADMISSION).problems
    assert not run_seed(seed).problems


@pytest.mark.parametrize("seed", [198])
def test_contracts_of_one_append_come_into_force_together(seed: int) -> None:
    with patch.object(Contract, "_replace", _as_it_is):
        assert run_seed(seed).problems
    assert not run_seed(seed).problems
