"""What other frameworks say hello with: steps of an hour, and of several parts, by their examples."""

from examples.hello import activity_heartbeat, local_activity

from farandole.testing import Scenario


class Away(local_activity.Registry):
    """Knows names, and the first time no titles."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def name_of(self, customer: int) -> str:
        self.asked.append("name")
        return await super().name_of(customer)

    async def title_of(self, name: str) -> str:
        self.asked.append("title")
        if self.asked.count("title") == 1:
            raise ConnectionError("no answer")
        return await super().title_of(name)


async def test_local_activity() -> None:
    p = local_activity
    async with Scenario(p.greetings) as s:
        away = Away()
        s.replace(p.registry, away)
        await s.when(p.GreetingWanted(customer=7), after="1m")
        s.then_only(p.Greeted(text="Hello, Dr. customer 7!"))
        assert away.asked == ["name", "title", "title"]


async def test_activity_heartbeat() -> None:
    p = activity_heartbeat
    async with Scenario(p.greetings) as s:
        await s.when(p.LetterWanted(lines=10), after="30m")
        s.owes(p.write)
        assert s.status.owed[0].claimed_until
        await s.passes("30m")
        s.then_only(p.LetterWritten(lines=10))
        assert s.failures() == []
