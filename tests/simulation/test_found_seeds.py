"""Worlds in which a promise was broken once. They stay, each with what was wrong.

A change of the simulation or of the product makes other worlds of the same seeds; so each fault has a switch that brings
it back, a world that shows it is looked for, and that same world must be sound without the fault.
"""

from collections.abc import Callable, Sequence

import pytest

from simulation import RULES, Outcome, Rule, run_seed

EARLIER_SHAPE = RULES["steps of an earlier shape are not attempted"]
"""A step owed under an earlier contract was attempted with code that takes something else: a handler was called with an
event that it does not take, or the attempt failed, again and again, with an error that told nobody why."""
ORDER_OF_ADMISSION = RULES["a history in the order of admission"]
"""`run.events` showed what stood before the trigger in the log, and so a part of an outcome that became whole only after
the trigger: or not, if the handler was quick."""

PUSHED_OUT = RULES["what was pushed out again"]
"""The first record of an outcome was pushed out by pieces of other appends before the second came: held, and nobody did
the step any more."""


def _found(broken: Callable[[int], Outcome], hints: Sequence[int], most: int) -> int:
    """A seed whose world shows the fault: one where it was seen last, or the first; other code makes other worlds."""
    for seed in (*hints, *range(most)):
        if broken(seed).problems:
            return seed
    pytest.fail(f"the fault, brought back, is seen in none of {most} worlds")


@pytest.mark.slow
@pytest.mark.computes
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("fault", "hints"),
    [(EARLIER_SHAPE, (13, 17)), (ORDER_OF_ADMISSION, (51,)), (PUSHED_OUT, (737, 850))],
    ids=lambda x: getattr(x, "name", ""),
)
def test_a_world_that_a_fault_broke_is_sound_without_it(fault: Rule, hints: Sequence[int]) -> None:
    seed = _found(lambda seed: run_seed(seed, off=fault), hints, 1000)
    assert not run_seed(seed).problems
