"""A log of many runs of ten events each, as workers write them: orders that are delivered, a few of which are still on
their way, or have failed. The same for everybody who asks for as many.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Annotated, Final

from benchmarks.written_log import AT_WORK, append_to, id_of, prepare, run_in
from farandole.eventstore import EventStore, Record
from farandole.projections.fold import Pair
from farandole.reactors import Choreography
from farandole.reactors.scribe import Scribe
from farandole.schemas import End, Event, Search, Start

many = Choreography("many")


class Placed(Start):
    customer: Annotated[str, Search]
    note: str


class Checked(Event):
    note: str


class Charged(Event):
    note: str


class Picked(Event):
    note: str


class Packed(Event):
    note: str


class Labelled(Event):
    note: str


class Handed(Event):
    note: str


class Scanned(Event):
    note: str


class Carried(Event):
    note: str


class Delivered(End):
    note: str


STEPS: Final[tuple[type[Event], ...]] = (
    Checked, Charged, Picked, Packed, Labelled, Handed, Scanned, Carried, Delivered,
)  # fmt: skip
EVENTS: Final = 1 + len(STEPS)
"""Of a whole run."""
CUSTOMERS: Final = 10_000
COMMON: Final = "parcel"
"""A word that stands in every run."""
VOCABULARY: Final = tuple(
    f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("ora", "eni", "uti", "ala") for c in "nrslmtkd"
)
"""Words that stand in many."""
FAILED, UNDERWAY = 3, 3
"""Of a hundred runs."""
_SIZE: Final = 60

many.know(Placed, *STEPS)


@many.reactor
async def check(e: Placed) -> Checked: ...


@many.reactor
async def charge(e: Checked) -> Charged: ...


@many.reactor
async def pick(e: Charged) -> Picked: ...


@many.reactor
async def pack(e: Picked) -> Packed: ...


@many.reactor
async def label(e: Packed) -> Labelled: ...


@many.reactor
async def hand(e: Labelled) -> Handed: ...


@many.reactor
async def scan(e: Handed) -> Scanned: ...


@many.reactor
async def carry(e: Scanned) -> Carried: ...


@many.reactor
async def deliver(e: Carried) -> Delivered: ...


REACTORS: Final = tuple(fn.__name__.encode() for fn in (check, charge, pick, pack, label, hand, scan, carry, deliver))


def reference(number: int) -> str:
    """The word that stands in one run alone."""
    return f"ref{number:07}"


def customer(number: int) -> str:
    return f"customer-{number % CUSTOMERS}"


async def write(store: EventStore, runs: int) -> Scribe:
    """Begin the log, and write so many runs."""
    scribe = await prepare(store, many)
    parts = store.partitions
    for partition in range(parts):
        await append_to(store, partition, records_of(scribe, range(partition, runs, parts), partition, parts))
    return scribe


def records_of(
    scribe: Scribe, numbers: range, partition: int, partitions: int, fates: Counter[str] | None = None
) -> Iterator[Record]:
    """Runs of one partition, `AT_WORK` of them beside one another.

    Args:
        fates: counts what becomes of them, by status.
    """
    fates = Counter() if fates is None else fates
    chance = Random(partition)
    notes = [" ".join(chance.choices(VOCABULARY, k=_SIZE // 6)) for _ in range(500)]
    for first in range(0, len(numbers), AT_WORK):
        at: list[tuple[bytes, bytes, int]] = []
        for number in numbers[first : first + AT_WORK]:
            run, fate = run_in(partition, partitions), chance.randrange(100)
            last = chance.randrange(len(STEPS)) if fate < FAILED + UNDERWAY else len(STEPS)
            fates["failed" if fate < FAILED else "running" if fate < FAILED + UNDERWAY else "completed"] += 1
            said = f"{COMMON} {reference(number)} {chance.choice(notes)}"
            record = scribe.start(run, Placed(customer=customer(number), note=said))
            at.append((run, id_of(record), last if fate >= FAILED else -last - 1))
            yield record
        for step, event in enumerate(STEPS):
            following = []
            for run, trigger, last in at:
                pair = Pair(trigger, REACTORS[step], b"", (), (), 0)
                if last == step:
                    continue
                if last == -step - 1:
                    yield scribe.failure(run, pair, 1, _wrong(step), last=True)
                    continue
                (record,) = scribe.outcome(run, pair, [event(note=chance.choice(notes))]).records  # type: ignore[call-arg]
                yield record
                following.append((run, id_of(record), last))
            at = following


def _wrong(step: int) -> dict[str, str]:
    return {
        "error": "builtins.ValueError", "message": "the scales are stuck", "traceback": "Traceback (most recent call last)",
        "fingerprint": f"{step:032x}",
    }  # fmt: skip
