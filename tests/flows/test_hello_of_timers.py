"""What other frameworks say hello with: a run that wakes and waits, by its example."""

from examples.hello import continue_as_new

from farandole.testing import Scenario


async def test_continue_as_new() -> None:
    p = continue_as_new
    async with Scenario(p.sentry) as s:
        await s.when(p.WatchBegan(), after="7d")
        assert sum(isinstance(event, p.WatchCalled) for event in s.history) == 7 * 24
        await s.when(p.RelieveSentry())
        s.then_only(p.SentryRelieved(hours=7 * 24))
        assert s.status.status == "completed"
        await s.passes("7d")
        s.then_only()
