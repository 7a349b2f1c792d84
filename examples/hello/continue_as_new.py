"""A run that lives for years, waking each hour until it is told to stop. It need not begin anew.

Nothing is replayed, and of what is past the fold keeps nothing: the run of a million hours weighs what that of one does.
"""

from farandole.reactors import After, Choreography, Run
from farandole.schemas import End, Event, Signal, Start

sentry = Choreography("sentry")


class WatchBegan(Start): ...


class HourStruck(Event): ...


class WatchCalled(Event, wants_reactor=False):
    text: str


class RelieveSentry(Signal): ...


class SentryRelieved(End):
    hours: int


@sentry.reactor(unless=RelieveSentry)
async def wait_an_hour(since: WatchBegan | HourStruck) -> After[HourStruck]:
    return After("1h", HourStruck())


@sentry.reactor
async def call(struck: HourStruck) -> WatchCalled:
    return WatchCalled(text="All is well")


@sentry.reactor
async def relieve(told: RelieveSentry, run: Run[WatchBegan]) -> SentryRelieved:
    return SentryRelieved(hours=len(await run.events(HourStruck)))
