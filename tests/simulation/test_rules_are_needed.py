"""Each rule, switched off, is missed: the judge finds what the rule prevents. So it is known to be able to find it."""

import os
from pathlib import Path

import pytest

from simulation import RULES, Outcome, Rule, run_seed
from simulation.campaign import without_each
from simulation.switches import NO_DIGEST, NO_VERDICTS

PAGE = Path(__file__).parents[2] / "docs/simulation.md"


@pytest.fixture(scope="module")
def missed() -> dict[str, Outcome | None]:
    """A world in which each rule is missed, without it."""
    return without_each(os.cpu_count() or 1)


@pytest.mark.slow
@pytest.mark.computes
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("name", RULES)
def test_without_a_rule_its_anomaly_is_found(name: str, missed: dict[str, Outcome | None]) -> None:
    rule = RULES[name]
    assert missed[name] is not None, f"without {name!r} nothing like {rule.finds!r} is found in {rule.seeds} seeds"


@pytest.mark.slow
@pytest.mark.computes
@pytest.mark.parametrize("blind", [NO_DIGEST, NO_VERDICTS], ids=lambda rule: rule.name)
def test_a_reader_that_went_wrong_is_not_noticed_without_a_digest_of_what_it_made_of_the_log(blind: Rule) -> None:
    noticed = [problem for seed in range(5) for problem in run_seed(seed, off=blind).problems]
    assert not any(blind.finds in problem for problem in noticed)


def test_every_rule_that_can_be_switched_off_is_in_the_table() -> None:
    page = PAGE.read_text()
    assert [rule.name for rule in RULES.values() if f"| {rule.name} | … {rule.finds} … |" not in page] == []
