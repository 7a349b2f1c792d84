"""One run that fans out: 1,000 independent steps at once.

    python -m benchmarks.fanout --store kafka --width 1000

One step emits so many events in one outcome, and each of them is a step of its own. Timed from the append of the start
to the last of their outcomes, as a reader of its own sees them. Worker and reader are one process.
"""

import statistics
import time
from typing import Any

from benchmarks.options import measured, parser
from benchmarks.show import say, tell
from benchmarks.watch import Watch
from farandole.eventstore import connect
from farandole.reactors import Choreography
from farandole.schemas import Event, EventTypes, Start


class Split(Start):
    text: str


class Part(Event):
    n: int
    text: str


class PartDone(Event, wants_reactor=False):
    n: int


def splitting(name: str, width: int) -> Choreography:
    """A choreography whose first step emits ``width`` events."""
    made = Choreography(name)

    async def split(e: Split) -> Any:
        return tuple(Part(n=n, text=e.text) for n in range(width))

    split.__annotations__["return"] = tuple[(Part,) * width]  # type: ignore[misc]
    made.reactor(split)

    @made.reactor
    async def work(e: Part) -> PartDone:
        return PartDone(n=e.n)

    return made


async def fanout(url: str, width: int, rounds: int) -> dict[str, Any]:
    """Seconds of each round, the first left out; and steps a second."""
    name = f"fanout_{time.time_ns():x}"
    url = f"memory://{name}" if url.startswith("memory:") else url
    took = []
    async with (
        splitting(name, width).work(url) as client,
        await connect(url, name) as store,
        await Watch.of(url, store, EventTypes(name, [PartDone]), PartDone) as watch,
    ):
        for n in range(rounds + 1):
            say(f"round {n} of {rounds}" if n else "warming up")
            began = time.perf_counter()
            await client.start(Split(text="x" * 100))
            took.append(await watch.ends(width, 120) - began)
    return {
        "store": url.partition(":")[0],
        "width": width,
        "rounds": rounds,
        "s_p50": statistics.median(took[1:]),
        "s_most": max(took[1:]),
        "steps_per_s": width / statistics.median(took[1:]),
    }


def main() -> None:
    options = parser("benchmarks.fanout", __doc__)
    options.add_argument("--width", type=int, default=1000, help="steps beside one another (default 1,000)")
    options.add_argument("--rounds", type=int, default=10, help="runs, one after the other (default 10)")
    given, result = measured(options, lambda url, given: fanout(url, given.width, given.rounds))
    tell(result, given.json, title=f"Fan-out of {given.width:,} steps in one run")


if __name__ == "__main__":
    main()
