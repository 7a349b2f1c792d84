"""Each rule, switched off, is missed: the judge finds what the rule prevents. So it is known to be able to find it."""

import os
from itertools import islice
from pathlib import Path

import pytest

from simulation import RULES, Outcome, Rule, run_seed
from simulation.campaign import without_each
from simulation.switches import NO_DIGEST, NO_VERDICTS

WORLDS = 4
DOCS = Path(__file__).parents[2] / "docs"


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


@pytest.fixture(scope="module")
def corrupted() -> list[int]:
    """Worlds in which a state that went wrong is noticed by its digest, with all rules in force."""
    sound = RULES["a sound state"]
    seeds = (seed for seed in range(100) if _says(sound, seed))
    return list(islice(seeds, WORLDS))


@pytest.mark.slow
@pytest.mark.computes
@pytest.mark.parametrize("blind", [NO_DIGEST, NO_VERDICTS], ids=lambda rule: rule.name)
def test_a_reader_that_went_wrong_is_noticed_by_a_digest_of_what_it_made_of_the_log_and_not_without(
    blind: Rule, corrupted: list[int]
) -> None:
    assert len(corrupted) == WORLDS
    assert blind.prepare is RULES["a sound state"].prepare
    assert [seed for seed in corrupted if _says(blind, seed)] == []


def _says(off: Rule, seed: int) -> bool:
    return any(off.finds in problem for problem in run_seed(seed, off=off).problems)


def test_every_rule_that_can_be_switched_off_is_in_the_table() -> None:
    page = (DOCS / "simulation.md").read_text()
    assert f"Each of {len(RULES)} rules" in (DOCS / "reliability.md").read_text()
    assert [rule.name for rule in RULES.values() if f"| {rule.name} | … {rule.finds} … |" not in page] == []
