"""The supervisor of the examples, on virtual time: it finds a service by its contract, and hands over what it heard."""

from examples.agents.supervisor import Answered, Asked, PoetryWanted, office, supervisor
from examples.research.finding import library

from farandole.testing import Scenario


async def test_a_supervisor_has_runs_of_others_side_by_side_and_hands_over() -> None:
    async with Scenario(office, library) as s:
        await s.when(Asked(question="figs and plums"))
        s.then(PoetryWanted(about="2 findings"), Answered(text="Figs are sweet. / Plums are sweet."))
        returned = [e for e in s.history if isinstance(e, supervisor.events.ToolReturned)]
        assert [e.outcome for e in returned] == ["success"] * 2


async def test_each_run_has_a_budget_of_its_own() -> None:
    async with Scenario(office, library) as s:
        await s.when(Asked(question=" and ".join(f"fruit {n}" for n in range(6))))
        # Six runs of two calls each: none of them comes near the supervisor's five, nor it by theirs.
        s.then(PoetryWanted(about="6 findings"))
        assert s.failures() == []
