"""Whatever goes wrong, every promise is kept. ``SIM_SEEDS`` says how many worlds; see ``docs/simulation.md``."""

import os

import pytest

from simulation import run_seed
from simulation.campaign import simulate, told
from simulation.elsewhere import digests_elsewhere

SEEDS = int(os.environ.get("SIM_SEEDS", "1000"))
FEW = range(10)


@pytest.mark.parametrize("seed", FEW)
def test_no_promise_is_broken(seed: int) -> None:
    outcome = run_seed(seed)
    assert not outcome.problems, told(outcome)


@pytest.mark.slow
@pytest.mark.computes
@pytest.mark.timeout(max(600, SEEDS * 4))
def test_no_promise_is_broken_in_a_thousand_worlds_and_each_can_be_replayed() -> None:
    outcomes = {outcome.seed: outcome for outcome in simulate(range(SEEDS), os.cpu_count() or 1)}
    assert len(outcomes) == SEEDS
    bad = [outcome for _, outcome in sorted(outcomes.items()) if outcome.problems]
    assert not bad, "\n".join([*map(told, bad), *(_story(bad[0].seed) if bad else ())])
    # The last ones ran after hundreds of others in their processes; a process that runs nothing else has the same logs.
    last = range(max(SEEDS - 4, 0), SEEDS)
    assert digests_elsewhere(last) == [outcomes[seed].digest for seed in last]


def _story(seed: int) -> list[str]:
    """All that happened in the first bad world."""
    lines = [f"seed {seed}, from its beginning:"]
    run_seed(seed, trace=lines.append)
    return lines
