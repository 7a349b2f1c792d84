"""Whatever somebody may choreograph, every promise is kept. ``SIM_GENERATED`` says how many worlds."""

import os

import pytest

from simulation import run_seed
from simulation.campaign import simulate, told
from simulation.elsewhere import digests_elsewhere
from simulation.generated.build import dances_of

SEEDS = int(os.environ.get("SIM_GENERATED", "150"))
FOUND = (202, 814, 1770)
"""Worlds in which the checker's fold, or a judge, once saw something else than the product; they stay."""
FEW = (*range(5), *FOUND)


@pytest.mark.parametrize("seed", FEW)
def test_no_promise_is_broken_in_a_generated_choreography(seed: int) -> None:
    outcome = run_seed(seed, dances=dances_of)
    assert not outcome.problems, told(outcome, made_up=True)


@pytest.mark.slow
@pytest.mark.computes
@pytest.mark.timeout(max(600, SEEDS * 4))
def test_no_promise_is_broken_in_many_generated_choreographies_and_each_can_be_replayed() -> None:
    outcomes = {outcome.seed: outcome for outcome in simulate(range(SEEDS), os.cpu_count() or 1, made_up=True)}
    assert len(outcomes) == SEEDS
    bad = [outcome for _, outcome in sorted(outcomes.items()) if outcome.problems]
    assert not bad, "\n".join(told(outcome, made_up=True) for outcome in bad)
    last = range(max(SEEDS - 4, 0), SEEDS)
    assert digests_elsewhere(last, made_up=True) == [outcomes[seed].digest for seed in last]
