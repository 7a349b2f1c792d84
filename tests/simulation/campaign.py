"""Many seeds, in several processes."""

import multiprocessing
import sys
import time
from collections import Counter
from functools import partial

from .run import Outcome, run_seed
from .switches import RULES


def campaign(seeds: range, jobs: int, without: str | None) -> int:
    """Simulate all seeds, show how it goes, and name those that broke a promise; 1 if there are any."""
    began, done, bad = time.monotonic(), 0, []
    total: Counter[str] = Counter()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for outcome in pool.imap_unordered(partial(_one, without), seeds, chunksize=5):
            done += 1
            total.update(runs=outcome.runs, records=outcome.records, executions=outcome.executions)
            total.update({"admitted": outcome.verdicts["ADMITTED"]})
            if outcome.problems:
                bad.append(outcome)
                print(f"\r{outcome}\n  again: {again(outcome.seed, without)}")
            if sys.stderr.isatty() or not done % 500:
                spent = time.monotonic() - began
                left = spent / done * (len(seeds) - done)
                print(f"\r{done}/{len(seeds)} seeds, {len(bad)} bad, {left:.0f} s left ", end="", file=sys.stderr)
    spent = time.monotonic() - began
    print(f"\r{done} seeds in {spent:.1f} s: {', '.join(f'{n} {what}' for what, n in total.items())}; {len(bad)} bad")
    return 1 if bad else 0


def _one(without: str | None, seed: int) -> Outcome:
    return run_seed(seed, off=RULES[without] if without else None)


def again(seed: int, without: str | None = None) -> str:
    """The command that replays a seed."""
    return f"python -m simulation --from {seed} --trace" + (f" --without '{without}'" if without else "")
