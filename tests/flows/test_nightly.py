"""The night of the examples, on virtual time."""

from datetime import UTC, datetime

from examples.nightly import NightFell, NightReported, takings

from farandole.testing import Scenario


async def test_the_night_falls_at_two_in_paris_and_counts_every_till() -> None:
    async with Scenario(takings, at=datetime(2026, 1, 10, 23, tzinfo=UTC)) as s:
        await s.passes("3h")
        night = s.run("nightly@2026-01-11T01:00:00Z")
        gone = [13, 113, 213, 313, 413]
        cents = 100 * (sum(range(500)) - sum(gone))
        night.then(NightFell(), NightReported(counted=495, cents=cents, missing=gone))
