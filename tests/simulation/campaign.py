"""Many seeds, in several processes."""

import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .dances import dances_of
from .found_in import FOUND_IN
from .generated.build import dances_of as generated
from .run import Outcome, run_seed
from .switches import RULES


@dataclass(slots=True)
class Summary:
    """What came of a campaign so far.

    Attributes:
        seconds: that it took.
        simulated: seconds of virtual time, in all worlds together.
        bad: the seeds that broke a promise.
    """

    seeds: range
    without: str | None = None
    made_up: bool = False
    done: int = 0
    runs: int = 0
    records: int = 0
    executions: int = 0
    seconds: float = 0.0
    simulated: float = 0.0
    verdicts: Counter[str] = field(default_factory=Counter)
    bad: list[int] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.done += 1
        self.runs += outcome.runs
        self.records += outcome.records
        self.executions += outcome.executions
        self.simulated += outcome.seconds
        self.verdicts += outcome.verdicts
        if outcome.problems:
            self.bad.append(outcome.seed)

    def as_json(self) -> dict[str, Any]:
        """For reports; ``to`` is the last seed."""
        return {
            "from": self.seeds.start,
            "to": self.seeds.stop - 1,
            "without": self.without,
            "generated": self.made_up,
            "seeds": self.done,
            "runs": self.runs,
            "records": self.records,
            "executions": self.executions,
            "verdicts": dict(sorted(self.verdicts.items())),
            "seconds": round(self.seconds, 1),
            "simulated_seconds": round(self.simulated),
            "bad": sorted(self.bad),
        }

    def __str__(self) -> str:
        return (
            f"{self.done} seeds in {self.seconds:.1f} s: {self.runs} runs, {self.records} records, "
            f"{self.executions} executions, {self.verdicts['ADMITTED']} admitted; {len(self.bad)} bad"
        )


def simulate(seeds: range, jobs: int, without: str | None = None, made_up: bool = False) -> Iterator[Outcome]:
    """What comes of each seed, in the order in which they are done.

    Args:
        made_up: whether the choreographies are generated.
    """
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(partial(_one, without, made_up), seeds, chunksize=5)


def without_each(jobs: int) -> dict[str, Outcome | None]:
    """What comes without each rule, of a seed in which it is missed: where it was last, or the first; None if in none."""
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        return dict(pool.imap_unordered(_without, RULES))


def campaign(seeds: range, jobs: int, without: str | None, report: Path | None = None, made_up: bool = False) -> int:
    """Simulate all seeds, show how it goes, and name those that broke a promise; 1 if there are any."""
    began, summary = time.monotonic(), Summary(seeds, without, made_up)
    for outcome in simulate(seeds, jobs, without, made_up):
        summary.add(outcome)
        summary.seconds = time.monotonic() - began
        if outcome.problems:
            print(f"\r{told(outcome, without, made_up)}")
        if sys.stderr.isatty() or not summary.done % 500:
            left = summary.seconds / summary.done * (len(seeds) - summary.done)
            how = f"{summary.done}/{len(seeds)} seeds, {len(summary.bad)} bad, {left:.0f} s left "
            print(f"\r{how}", end="", file=sys.stderr)
    print(f"\r{summary}")
    if report is not None:
        report.write_text(json.dumps(summary.as_json(), indent=2) + "\n")
    return 1 if summary.bad else 0


def told(outcome: Outcome, without: str | None = None, made_up: bool = False) -> str:
    """What came of a seed, and how to see it again."""
    return f"{outcome}\n  again, in tests/: {again(outcome.seed, without, made_up)}"


def again(seed: int, without: str | None = None, made_up: bool = False) -> str:
    """The command that replays a seed."""
    options = (" --generated" if made_up else "") + (f" --without '{without}'" if without else "")
    return f"python -m simulation --from {seed} --trace{options}"


def _without(name: str) -> tuple[str, Outcome | None]:
    # A change of the simulation or of the product makes other worlds of the same seeds.
    rule = RULES[name]
    for seed in (FOUND_IN.get(name, 0), *range(rule.seeds)):
        outcome = run_seed(seed, off=rule)
        if any(rule.finds in problem for problem in outcome.problems):
            return name, outcome
    return name, None


def _one(without: str | None, made_up: bool, seed: int) -> Outcome:
    return run_seed(seed, off=RULES[without] if without else None, dances=generated if made_up else dances_of)
