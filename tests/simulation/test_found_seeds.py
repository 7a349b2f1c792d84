"""Worlds in which a promise was broken once. They stay, each with what was wrong.

A change of the simulation or of the product makes other worlds of the same seeds; so each fault has a switch that brings
it back, a world that shows it is looked for, and that same world must be sound without the fault.
"""

import pytest

from simulation import RULES, Rule, run_seed
from simulation.found_in import FOUND_IN

EARLIER_SHAPE = RULES["steps of an earlier shape are not attempted"]
"""A step owed under an earlier contract was attempted with code that takes something else: a handler was called with an
event that it does not take, or the attempt failed, again and again, with an error that told nobody why."""
ORDER_OF_ADMISSION = RULES["a history in the order of admission"]
"""`run.events` showed what stood before the trigger in the log, and so a part of an outcome that became whole only after
the trigger: or not, if the handler was quick."""

PUSHED_OUT = RULES["what was pushed out again"]
"""The first record of an outcome was pushed out by pieces of other appends before the second came: held, and nobody did
the step any more."""

DROPPED = RULES["nobody waits for what is not read"]
"""A handler that recorded a sub-step after the state of its partition was dropped waited for ever, and its worker claimed
the step for ever."""


def _found(fault: Rule, most: int) -> int:
    """A seed whose world shows the fault: where it was found last, or the first; other code makes other worlds."""
    for seed in (FOUND_IN.get(fault.name, 0), *range(most)):
        if any(fault.finds in problem for problem in run_seed(seed, off=fault).problems):
            return seed
    pytest.fail(f"the fault, brought back, is seen in none of {most} worlds")


@pytest.mark.slow
@pytest.mark.computes
@pytest.mark.timeout(2400)
@pytest.mark.parametrize(
    "fault", [EARLIER_SHAPE, ORDER_OF_ADMISSION, PUSHED_OUT, DROPPED], ids=lambda fault: fault.name
)
def test_a_world_that_a_fault_broke_is_sound_without_it(fault: Rule) -> None:
    assert not run_seed(_found(fault, 1000)).problems
