"""What other frameworks say hello with: a run by the clock, by its example."""

from datetime import UTC, datetime

from examples.hello import cron

from farandole.testing import Scenario


async def test_cron() -> None:
    """Two o'clock in Paris is one in UTC in winter, and midnight in summer."""
    async with Scenario(cron.greetings, at=datetime(2026, 1, 10, 12, tzinfo=UTC)) as s:
        await s.passes("1d")
        s.run("nightly@2026-01-11T01:00:00Z").then_only(cron.NightFell, cron.Greeted(text="Good night, Arles!"))
    async with Scenario(cron.greetings, at=datetime(2026, 7, 10, 12, tzinfo=UTC)) as s:
        await s.passes("1d")
        s.run("nightly@2026-07-11T00:00:00Z").then_only(cron.NightFell, cron.Greeted(text="Good night, Arles!"))
