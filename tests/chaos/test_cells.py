"""A share of the fault campaign, with small amounts. Each cell asserts what the campaign asserts: no promise broken.

How long recovery takes is told and not asserted, but for the half minute after which nothing may be owed any more: how
fast this machine is just now is nothing that a test should fail for.
"""

from typing import Final

import pytest

from farandole.testing.plugin import need

from . import cells
from .cell import CELLS
from .cells.clocks import CLOCK_CELLS, LIBRARY
from .conftest import Play
from .team_steps import STEPS

__all__ = ["cells"]

BY_NAME: Final = {"agents", "zombie", "kill-and-restart", "kill-and-take-over"}
"""Those that have a test of their own name below."""
TESTED: Final = [each for name, each in CELLS.items() if each.tested is not None and name not in BY_NAME]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.mark.kafka
@pytest.mark.parametrize("name", [each.name for each in TESTED if each.on_kafka])
async def test_every_promise_is_kept_on_kafka_through(name: str, played: Play, kafka_tools: None) -> None:
    if name in CLOCK_CELLS:
        need("libfaketime", [] if LIBRARY else ["libfaketime"], of="faketime", required="FARANDOLE_REQUIRE_FAKETIME")
    await played(name)


@pytest.mark.parametrize("name", [each.name for each in TESTED if not each.on_kafka])
async def test_every_promise_is_kept_without_a_broker_through(name: str, played: Play) -> None:
    await played(name)


@pytest.mark.kafka
async def test_the_outcome_of_a_zombie_is_in_the_log_and_refused_and_the_history_has_one(
    played: Play, kafka_tools: None
) -> None:
    trial = await played("zombie")
    [zombie] = trial.notes["zombies"]
    assert len(zombie["ended"]) == 2, "both did the step to its end, the zombie last"
    assert zombie["verdicts"][0] == "ADMITTED"
    assert zombie["verdicts"][1:] in (["NO_RUN"], ["NOT_OWED"])


@pytest.mark.kafka
async def test_a_worker_that_was_killed_comes_back_under_its_name_and_does_what_it_owes(
    played: Play, kafka_tools: None
) -> None:
    trial = await played("kill-and-restart")
    assert len(trial.recoveries["killed and restarted"]) == trial.amounts["kills"]


@pytest.mark.kafka
async def test_another_worker_takes_over_what_a_killed_one_owed_within_moments_of_the_session(
    played: Play, kafka_tools: None
) -> None:
    trial = await played("kill-and-take-over")
    [took] = trial.recoveries["killed, session 3 s"]
    assert took > 2, "the group waits for the session, give or take a heartbeat"


@pytest.mark.kafka
async def test_a_team_of_agents_publishes_one_text_though_each_worker_is_killed_at_each_of_its_steps(
    played: Play, kafka_tools: None
) -> None:
    trial = await played("agents")
    every_step = sum(map(len, STEPS.values()))
    assert trial.figures["steps_died_at"] == every_step
    # Nothing is proven of calls that are not made again unless some were, whose workers died before anybody knew.
    assert trial.figures["calls_made"] > trial.figures["recorded_calls"]
