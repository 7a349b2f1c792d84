"""Whatever goes wrong, every promise is kept. ``SIM_SEEDS`` says how many worlds; see ``docs/simulation.md``."""

import os

import pytest

from simulation import run_seed
from simulation.campaign import again

BATCH = 50
SEEDS = int(os.environ.get("SIM_SEEDS", "1000"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_no_promise_is_broken_in_any_of_fifty_worlds(first: int) -> None:
    for seed in range(first, min(first + BATCH, SEEDS)):
        outcome = run_seed(seed)
        assert not outcome.problems, f"{_replayed(seed)}\n{outcome}\nagain, in tests/: {again(seed)}"


def _replayed(seed: int) -> str:
    lines: list[str] = []
    run_seed(seed, trace=lines.append)
    return "\n".join(lines)
