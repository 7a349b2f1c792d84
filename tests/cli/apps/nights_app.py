"""A choreography with a schedule, for the tests of the command line."""

from farandole.reactors import Choreography
from farandole.schemas import End, Start

nights = Choreography("nights")


class NightStarted(Start): ...


class NightDone(End): ...


@nights.reactor
async def work(night: NightStarted) -> NightDone:
    return NightDone()


nights.schedule(NightStarted(), name="night", cron="0 2 29 2 *")
