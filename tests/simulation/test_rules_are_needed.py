"""Each rule, switched off, is missed: the judge finds what the rule prevents. So it is known to be able to find it."""

import pytest

from simulation import RULES, run_seed
from simulation.switches import NO_DIGEST


@pytest.mark.parametrize("name", RULES)
def test_without_a_rule_its_anomaly_is_found(name: str) -> None:
    rule = RULES[name]
    for seed in range(rule.seeds):
        if any(rule.finds in problem for problem in run_seed(seed, off=rule).problems):
            return
    pytest.fail(f"without {name!r} nothing like {rule.finds!r} is found in {rule.seeds} seeds")


def test_a_reader_that_went_wrong_is_not_noticed_without_the_digest() -> None:
    noticed = [problem for seed in range(10) for problem in run_seed(seed, off=NO_DIGEST).problems]
    assert not any(NO_DIGEST.finds in problem for problem in noticed)
