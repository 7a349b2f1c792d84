"""The workflow patterns of docs/patterns.md that are said by fanning out and in."""

from examples.patterns import (
    discriminator,
    instances_known_at_design_time,
    instances_known_at_run_time,
    instances_not_known_before,
    instances_without_synchronization,
    synchronizing_merge,
)

from farandole.testing import Scenario


async def test_synchronizing_merge() -> None:
    p = synchronizing_merge
    for alarm, closed in (
        (p.AlarmRaised(fire=True, hurt=2), p.AlarmClosed(carried=2, engines=True)),
        (p.AlarmRaised(hurt=2), p.AlarmClosed(carried=2, engines=False)),
        (p.AlarmRaised(), p.AlarmClosed(carried=0, engines=False)),
    ):
        async with Scenario(p.alarms) as s:
            await s.when(alarm)
            s.then(closed)


async def test_discriminator() -> None:
    p = discriminator
    async with Scenario(p.quotes) as s:
        await s.when(p.QuoteWanted(insurers=["Aviation", "Axa", "Helvetia"]), after="3s")
        s.then(p.QuoteChosen(name="Axa"))
        s.owes(p.ask, p.ask)
        await s.passes("10s")
        s.then_only(p.Quoted, p.Quoted)
        assert s.status.status == "completed"


async def test_instances_without_synchronization() -> None:
    p = instances_without_synchronization
    async with Scenario(p.news) as s:
        await s.when(p.NewsletterWritten(to=["ann", "ben", "cleo"]))
        for name in ("ann", "ben", "cleo"):
            s.then(p.LetterSent(to=name))
        s.then(p.NewsletterOut())
        assert s.status.status == "completed"


async def test_instances_known_at_design_time() -> None:
    p = instances_known_at_design_time
    async with Scenario(p.journal) as s:
        await s.when(p.PaperSubmitted(title="On dances"))
        s.then(p.PaperDecided(accepted=True, by=["ann", "ben", "cleo"]))


async def test_instances_known_at_run_time() -> None:
    p = instances_known_at_run_time
    async with Scenario(p.texts) as s:
        await s.when(p.TextGiven(pages=["one", "one two three", "one two"]))
        s.then(p.TextCounted(words=[1, 3, 2]))
    async with Scenario(p.texts) as s:
        await s.when(p.TextGiven(pages=[]))
        s.then_only(p.TextCounted(words=[]))


async def test_instances_not_known_before() -> None:
    p = instances_not_known_before
    async with Scenario(p.police) as s:
        await s.when(p.InquiryOpened(witness="ann"))
        assert sorted(s.last(p.InquiryClosed).witnesses) == ["ann", "ben", "cleo", "dan"]
        assert sum(isinstance(event, p.InquiryClosed) for event in s.history) == 1
