"""Fan-out and fan-in: a run that splits into 1,000 branches of one step each, and is put together again.

    python -m benchmarks.gather --store kafka --branches 1000

Client and worker are one process. A run takes from its start to its result. The fold is measured by itself: CPU per
branch of a run with as many branches and of one with ten times as many, and memory per open branch beyond its pair.
"""

import gc
import statistics
import time
import tracemalloc
from typing import Any

from benchmarks.options import measured, parser
from benchmarks.show import say, tell
from farandole.eventstore import Stored
from farandole.projections.fold import Fold
from farandole.projections.fold.branches import Branch, FanOut
from farandole.projections.fold.run import Run
from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start, system_records
from farandole.schemas.envelope import Flag, Kind, pack
from farandole.schemas.ids import derived_id

gathering = Choreography("gathering")


class Split(Start):
    width: int


class Part(Event):
    n: int


class Worked(Event):
    n: int


class Together(End):
    n: int


@gathering.reactor
async def split(begun: Split) -> list[Part]:
    return [Part(n=n) for n in range(begun.width)]


@gathering.reactor
async def work(part: Part) -> Worked:
    return Worked(n=part.n)


@gathering.reactor
async def together(parts: list[Worked]) -> Together:
    return Together(n=sum(part.n for part in parts))


async def gather(url: str, branches: int, runs: int) -> dict[str, Any]:
    name = f"gather_{time.time_ns():x}"
    gathering.name = gathering.service = name
    took: list[float] = []
    async with gathering.work(f"memory://{name}" if url.startswith("memory:") else url, partitions=1) as client:
        say(f"{runs} runs of {branches:,} branches")
        for n in range(runs + 1):
            began = time.perf_counter()
            run = await client.start(Split(width=branches))
            end = await run.result(Together, timeout=120)
            if end.n != sum(range(branches)):
                raise SystemExit("a branch was lost, or gathered twice")
            if n:
                took.append(time.perf_counter() - began)
    few, many = cpu_per_branch(branches), cpu_per_branch(10 * branches)
    return {
        "store": url.partition(":")[0],
        "branches": branches,
        "run_p50_s": statistics.median(took),
        "run_worst_s": max(took),
        "fold_us_per_branch": few * 1e6,
        "fold_us_per_branch_of_ten_times_as_many": many * 1e6,
        "bytes_per_open_branch": bytes_per_branch(branches),
    }


def cpu_per_branch(width: int) -> float:
    """CPU seconds of the fold for each branch of a run, from its first record to its fan-in."""
    fold, records = Fold(0, 1), _records(width)
    gc.collect()
    began = time.process_time()
    for offset, (key, value, headers) in enumerate(records):
        fold.apply(Stored(0, offset, 1_000_000, key, value, headers))
    took = time.process_time() - began
    (pair,) = fold.runs[b"r"].owed.values()
    if pair.reactor != b"together" or len(pair.inputs) != width:
        raise SystemExit("the fan-in is not owed what it should be")
    return took / width


def bytes_per_branch(width: int) -> float:
    """What a branch costs in memory by itself."""
    fanout = FanOut(Run(b"r", b"x", 0, 0), b"f", (), width, (0,), 0, None)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    fanout.branches = [Branch(fanout, n, 1_000_000 + n, b"t") for n in range(width)]
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / width


def _records(width: int) -> list[tuple[bytes | None, bytes, Any]]:
    common: dict[str, Any] = {"source": b"/g/g", "sent": 0}
    records: list[tuple[bytes | None, bytes, Any]] = []
    for index, (reactor, form, takes, gives) in enumerate(
        (
            ("split", "event", "g.A", [{"form": "list", "types": ["g.B"]}]),
            ("work", "event", "g.B", []),
            ("together", "list", "g.C", []),
        )
    ):
        content = {"reactor": reactor, "service": "g", "takes": [[takes]], "forms": [form], "gives": gives}
        content["each"] = "g.B" if form == "list" else ""
        head = pack(kind=Kind.CONTRACT, id=b"x%d" % index, type=b"c", append=bytes(16), index=index, count=3, **common)
        records.append((None, system_records.CONTRACT.encode(content), head))
    records.append((b"r", b"", pack(kind=Kind.START, id=b"xr", type=b"g.A", append=bytes(16), **common)))
    outcome = {"kind": Kind.OUTCOME, "generation": b"", **common}
    for n in range(width):
        head = pack(
            id=derived_id(b"xr", b"split", b"", n), type=b"g.B", append=b"s" * 16, index=n, count=width,
            flags=int(Flag.FANOUT), branch=b"" if n else b"g.B", causation=b"xr", reactor=b"split", **outcome,
        )  # fmt: skip
        records.append((b"r", b"", head))
    for n in range(width):
        part = derived_id(b"xr", b"split", b"", n)
        head = pack(
            id=derived_id(part, b"work", b"", 0), type=b"g.C", append=n.to_bytes(16, "big"), count=1, causation=part,
            reactor=b"work", **outcome,
        )  # fmt: skip
        records.append((b"r", b"", head))
    return records


def main() -> None:
    options = parser("benchmarks.gather", __doc__)
    options.add_argument("--branches", type=int, default=1000, help="branches of a run (default 1,000)")
    options.add_argument("--runs", type=int, default=10, help="runs that are measured (default 10)")
    given, result = measured(options, lambda url, given: gather(url, given.branches, given.runs))
    tell(result, given.json, title=f"Fan-out and fan-in of {result['branches']:,} branches")


if __name__ == "__main__":
    main()
