"""What other frameworks say hello with: runs that start runs, by their examples."""

from examples.hello import child_workflow, child_workflow_cancellation

from farandole.testing import Scenario


async def test_child_workflow() -> None:
    p = child_workflow
    async with Scenario(p.greetings, p.poems) as s:
        await s.when(p.GreetingWanted(name="Ann"), after="1m")
        s.then(p.Greeted(text="Shall I compare Ann to a summer's day?"))


async def test_child_workflow_cancellation() -> None:
    p = child_workflow_cancellation
    async with Scenario(p.tours) as s:
        await s.when(p.TourPlanned(towns=("Arles", "Nimes")), after="1m")
        await s.cancel("it rains", after="1m")
        assert s.status.status == "cancelled"
        assert [s.run(town).status.status for town in ("Arles", "Nimes")] == ["cancelled", "cancelled"]
        assert s.run("poster").status.status != "cancelled"
