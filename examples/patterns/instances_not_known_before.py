"""Multiple instances whose number is not known before the last one is done: each may make more.

How wide a fan-out is, is fixed when it fans out. So here each step says how many it gave rise to, and whoever comes
last finds that all are there: each trigger sees the history up to itself, so exactly one of them is the last.
"""

from farandole.reactors import Choreography, Run
from farandole.schemas import End, Event, Start

police = Choreography("police")

KNOWS = {"ann": ["ben", "cleo"], "ben": [], "cleo": ["dan"], "dan": []}


class InquiryOpened(Start):
    witness: str


class WitnessNamed(Event):
    name: str


class Interviewed(Event):
    name: str
    named: list[str]


class InquiryClosed(End):
    witnesses: list[str]


@police.reactor
async def interview(who: InquiryOpened | WitnessNamed) -> Interviewed:
    name = who.name if isinstance(who, WitnessNamed) else who.witness
    return Interviewed(name=name, named=KNOWS[name])


@police.reactor
async def follow_up(done: Interviewed) -> list[WitnessNamed]:
    return [WitnessNamed(name=name) for name in done.named]


@police.reactor
async def close(done: Interviewed, run: Run[InquiryOpened]) -> InquiryClosed | None:
    all_done = await run.events(Interviewed)
    expected = 1 + sum(len(each.named) for each in all_done)
    return InquiryClosed(witnesses=[each.name for each in all_done]) if len(all_done) == expected else None
