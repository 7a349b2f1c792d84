"""Choreographies of parents and children for tests."""

from collections.abc import Sequence

from farandole.reactors import Child, ChildDone, ChildFailed, Choreography, GiveUp
from farandole.schemas import End, Event, Signal, Start


class Ordered(Start):
    topics: Sequence[str] = ("tea",)


class Asked(Start):
    """Opens a child run, here or elsewhere."""

    topic: str


class Found(End):
    topic: str
    pages: int = 1


class Wanted(Event):
    topic: str


class Hint(Signal):
    pages: int


class Heard(Event):
    said: str


class Reported(End):
    said: str = ""


orders = Choreography("orders")
research = Choreography("research")


@orders.reactor
async def ask(ordered: Ordered) -> tuple[Child[Asked]]:
    return (Child(Asked(topic=ordered.topics[0])),)


@orders.reactor
async def search(asked: Asked) -> Found | None:
    if asked.topic == "nonsense":
        raise GiveUp("nobody knows")
    return None if asked.topic == "wait" else Found(topic=asked.topic)


@orders.reactor
async def hint(hinted: Hint) -> Found:
    return Found(topic="hinted", pages=hinted.pages)


@orders.reactor
async def report(done: ChildDone[Found]) -> Reported:
    return Reported(said=f"{done.end.topic}: {done.end.pages} by {done.choreography}")


@orders.reactor
async def regret(failed: ChildFailed[Asked]) -> Reported:
    return Reported(said=f"{failed.start.topic}: {failed.error}{' (cancelled)' if failed.cancelled else ''}")


class Detached(Start):
    topic: str


@orders.reactor
async def let_go(detached: Detached) -> Child[Asked]:
    return Child(Asked(topic=detached.topic), detach=True)


ask_elsewhere = Choreography("elsewhere")


@ask_elsewhere.reactor(name="ask")
async def asks_elsewhere(ordered: Ordered) -> Child[Asked]:
    return Child(Asked(topic=ordered.topics[0]), choreography="research")


@ask_elsewhere.reactor(name="report")
async def reports_elsewhere(done: ChildDone[Found] | ChildFailed[Asked]) -> Reported:
    if isinstance(done, ChildFailed):
        return Reported(said=f"{done.start.topic}: {done.error}")
    return Reported(said=f"{done.end.topic}: {done.end.pages} by {done.choreography}")


@research.reactor(name="search")
async def searches_there(asked: Asked) -> Found:
    if asked.topic == "nonsense":
        raise GiveUp("not here either")
    return Found(topic=asked.topic, pages=9)


named = Choreography("named")


@named.reactor(name="ask")
async def asks_by_name(ordered: Ordered) -> Child[Asked]:
    return Child(Asked(topic=ordered.topics[0]), run_id="r-1")


@named.reactor(name="search")
async def searches_by_name(asked: Asked) -> Found | None:
    return None if asked.topic == "wait" else Found(topic=asked.topic)


@named.reactor(name="report")
async def reports_by_name(done: ChildDone[Found] | ChildFailed[Asked]) -> Reported:
    if isinstance(done, ChildDone):
        return Reported(said=f"{done.end.topic} from {done.run_id}")
    return Reported(said=f"{done.start.topic}: {done.error}")


twice = Choreography("twice")


@twice.reactor(name="ask")
async def asks_twice(ordered: Ordered) -> tuple[Child[Asked], Child[Asked]]:
    return Child(Asked(topic=ordered.topics[0])), Child(Asked(topic=ordered.topics[1]))


@twice.reactor(name="search")
async def searches_twice(asked: Asked) -> Found:
    return Found(topic=asked.topic)


@twice.reactor(name="hear")
async def hears_twice(done: ChildDone[Found]) -> Heard:
    return Heard(said=done.end.topic)


gone = Choreography("gone")


@gone.reactor(name="deeper")
async def deeper(ordered: Ordered) -> Child[Ordered]:
    return Child(ordered)


@gone.reactor(name="up")
async def up(failed: ChildFailed[Ordered] | ChildDone[Reported]) -> Reported:
    return Reported(said=failed.error if isinstance(failed, ChildFailed) else failed.end.said)
