"""The workflow pattern of docs/patterns.md that is said by a child run."""

from examples.patterns import cancel_activity

from farandole.testing import Scenario


async def test_cancel_activity() -> None:
    p = cancel_activity
    async with Scenario(p.trips) as s:
        await s.when(p.TripPlanned(to="Samarkand"), after="1m")
        await s.run("visa for Samarkand").cancel("too late anyway", after="1m")
        s.then(p.TripReady(visa="none"))
        assert s.run("visa for Samarkand").status.status == "cancelled"


async def test_an_activity_that_is_not_cancelled_is_heard_of() -> None:
    p = cancel_activity
    async with Scenario(p.trips) as s:
        await s.when(p.TripPlanned(to="Samarkand"), after="2h")
        s.then(p.TripReady(visa="Samarkand-1"))
