"""Worlds in which a promise was broken once. They stay, each with what was wrong.

A change of the simulation itself makes other worlds of the same seeds; so each fault has a rule of its own too, whose
switch brings it back, and both are tested: that it is found there without its mend, and not with it.
"""

import pytest

from simulation import RULES, run_seed

EARLIER_SHAPE = RULES["steps of an earlier shape are not attempted"]
"""A step owed under an earlier contract was attempted with code that takes something else: a handler was called with an
event that it does not take, or the attempt failed, again and again, with an error that told nobody why."""


@pytest.mark.parametrize("seed", [4, 13, 18, 22])
def test_a_handler_is_never_called_with_what_it_does_not_take(seed: int) -> None:
    assert run_seed(seed, off=EARLIER_SHAPE).problems
    assert not run_seed(seed).problems
