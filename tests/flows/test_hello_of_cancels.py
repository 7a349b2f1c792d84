"""What other frameworks say hello with: a run that is cancelled while a step works, by its example."""

from examples.hello import cancellation

from farandole.testing import Scenario


async def test_cancellation() -> None:
    p = cancellation
    async with Scenario(p.greetings) as s:
        stage = p.Stage()
        s.replace(p.stage, stage)
        await s.when(p.GreetingWanted(name="World"), after="1m")
        assert stage.said == ["curtain up"]
        await s.cancel("it rains", after="1m")
        assert stage.said == ["curtain up", "curtain down: it rains"]
        s.then_only()
        assert s.status.status == "cancelled"
