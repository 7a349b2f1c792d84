"""One run of 10,000 steps: is the last step as cheap as the first?

    python -m benchmarks.long_run --store kafka --steps 10000

Four handlers: one that sees its event only; one that looks back at one event of the run (`run.events(Mark)`); one
that takes a `State` of all events; one that reads the whole run at each step (`run.events(Tick)`), which must grow with what it reads, so its run is shorter.
Worker and client are one process; time and CPU of the last 100 steps are compared with those of the first 100.
"""

import itertools
import statistics
import time
from typing import Any

import uvloop

from benchmarks.options import opened, parser
from benchmarks.rounds import medians, spread
from benchmarks.show import ranged, say, tell
from farandole.projections import State, on
from farandole.reactors import Choreography, Run
from farandole.schemas import End, Event, Start

WINDOW = 100
WHOLE = 1000
"""Steps of the run that reads itself whole at each step: half a million events read in all."""


class Begin(Start):
    steps: int
    text: str


class Mark(Event, wants_reactor=False):
    text: str


class Tick(Event):
    i: int
    steps: int
    text: str


class Done(End):
    i: int


class Ticked(State):
    ticks: int = 0

    @on
    def tick(self, e: Tick) -> None:
        self.ticks += 1


Stamps = list[tuple[float, float]]
"""Time and CPU seconds of the process, when each step begins."""


def ticking(name: str, looks: str, stamps: Stamps) -> Choreography:
    """A choreography whose run goes on by itself.

    Args:
        looks: what its handler looks at: ``event``, ``mark``, ``state`` or ``run``.
    """
    chain = Choreography(name)
    chain.know(Mark)

    @chain.reactor
    async def begin(e: Begin) -> tuple[Mark, Tick]:
        return Mark(text=e.text), Tick(i=1, steps=e.steps, text=e.text)

    def following(e: Tick) -> Tick | Done:
        stamps.append((time.perf_counter(), time.process_time()))
        return Done(i=e.i) if e.i > e.steps else Tick(i=e.i + 1, steps=e.steps, text=e.text)

    if looks == "event":

        @chain.reactor
        async def tick(e: Tick) -> Tick | Done:
            return following(e)

    elif looks == "state":

        @chain.reactor(name="tick")
        async def tick_with_state(e: Tick, state: Ticked) -> Tick | Done:
            if state.ticks != e.i:
                raise ValueError(f"step {e.i} has a state of {state.ticks} events")
            return following(e)

    else:

        @chain.reactor(name="tick")
        async def tick_looking(e: Tick, run: Run[Begin]) -> Tick | Done:
            found = await (run.events(Mark) if looks == "mark" else run.events(Tick))
            if len(found) != (1 if looks == "mark" else e.i):
                raise ValueError(f"step {e.i} sees {len(found)} events")
            return following(e)

    return chain


async def one_run(url: str, looks: str, steps: int) -> dict[str, float]:
    """Warm up by a short run, then do the long one."""
    stamps: Stamps = []
    name = f"long_{looks}_{time.time_ns():x}"
    url = f"memory://{name}" if url.startswith("memory:") else url
    async with ticking(name, looks, stamps).work(url) as client:
        for length in (min(500, steps), steps):
            stamps.clear()
            run = await client.start(Begin(steps=length, text="x" * 100))
            await run.result(Done, timeout=f"{60 + length // 20}s")
    wall = [b[0] - a[0] for a, b in itertools.pairwise(stamps)]
    first, last = statistics.median(wall[:WINDOW]), statistics.median(wall[-WINDOW:])
    first_cpu, last_cpu = (
        (part[-1][1] - part[0][1]) / WINDOW for part in (stamps[: WINDOW + 1], stamps[-WINDOW - 1 :])
    )
    return {
        "steps": steps,
        "first_ms": first * 1000,
        "last_ms": last * 1000,
        "last_to_first": last / first,
        "first_cpu_us": first_cpu * 1e6,
        "last_cpu_us": last_cpu * 1e6,
        "cpu_last_to_first": last_cpu / first_cpu,
        "cpu_us_per_event_behind": (last_cpu - first_cpu) / (steps - WINDOW) * 1e6,
    }


async def long_run(url: str, steps: int, rounds: int) -> dict[str, Any]:
    """All four handlers; medians of the rounds."""
    seen: dict[str, list[dict[str, float]]] = {"event": [], "mark": [], "state": [], "run": []}
    say("warming up")
    await one_run(url, "mark", min(2000, steps))
    for n in range(rounds):
        for looks, found in seen.items():
            length = min(steps, WHOLE) if looks == "run" else steps
            say(f"round {n + 1} of {rounds}: {length} steps of a handler that looks at its {looks}")
            found.append(await one_run(url, looks, length))
    return {
        "store": url.partition(":")[0],
        "rounds": rounds,
        **{looks: medians(found) for looks, found in seen.items()},
        "spread": {looks: spread(found) for looks, found in seen.items()},
    }


def main() -> None:
    options = parser("benchmarks.long_run", __doc__)
    options.add_argument("--steps", type=int, default=10_000, help="steps of the run (default 10,000)")
    options.add_argument("--rounds", type=int, default=3, help="rounds (default 3)")
    given = options.parse_args()
    if given.steps < 2 * WINDOW:
        options.error(f"--steps: at least {2 * WINDOW}")
    with opened(given.store) as url:
        result = uvloop.run(long_run(url, given.steps, given.rounds))
    shown = {
        f"sees its {looks}": {key: ranged(result[looks][key], *its) for key, its in result["spread"][looks].items()}
        for looks in ("event", "mark", "state", "run")
    }
    tell(result, given.json, title=f"One long run on {result['store']}", columns=shown)


if __name__ == "__main__":
    main()
