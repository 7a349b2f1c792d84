"""All benchmarks, one after the other, and the tables of ``docs/performance.md`` from their figures.

    python -m benchmarks                      # all but agents and the soak, on a broker of their own: about 25 minutes
    python -m benchmarks chain restore        # some
    python -m benchmarks --page docs/performance.md --only-page

Figures go to ``test-output/benchmarks/``, a JSON file each; with ``--page``, also beside the page, in ``figures/``, from
which its tables are made. Nothing else should run on the machine meanwhile.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.page import fill, keep
from benchmarks.process import ROOT
from benchmarks.show import say

OUT = ROOT / "test-output/benchmarks"
RUNS: dict[str, tuple[str, ...]] = {
    "chain": ("chain", "--store", "kafka"),
    "chain-flush": ("chain", "--store", "kafka", "--flush", "--runs", "3000", "--latency-runs", "100"),
    "chain-sqlite": ("chain", "--store", "sqlite", "--runs", "3000"),
    "chain-memory": ("chain", "--store", "memory"),
    "long-run": ("long_run", "--store", "kafka", "--rounds", "1"),
    "restore": ("restore", "--store", "kafka"),
    "checkpoint": ("checkpoint", "--store", "kafka"),
    "old-log": ("old_log", "--store", "sqlite"),
    "idle": ("idle", "--store", "kafka", "--runs", "100000"),
    "timers": ("timers", "--store", "kafka"),
    "fanout": ("fanout", "--store", "kafka"),
    "gather": ("gather", "--store", "kafka"),
    "scale": ("scale", "--store", "kafka"),
    "rebuild": ("rebuild", "--store", "kafka", "--db", "postgres", "--processes", "2", "--runs", "103000"),
    "rebuild-sqlite": ("rebuild", "--store", "kafka", "--db", "sqlite"),
    "live": ("live", "--store", "kafka", "--db", "postgres", "--rate", "1000", "--browser"),
    "questions": ("questions", "--store", "sqlite", "--db", "postgres", "--runs", "103000"),
    "agents": ("agents", "--store", "kafka"),
    "soak": ("soak", "--minutes", "60", "--rate", "100"),
}
"""Name of each result, the module that makes it, and its options."""
COMMANDS = {name: f"python -m benchmarks.{' '.join(run)}" for name, run in RUNS.items()}
USUAL = tuple(name for name in RUNS if name not in ("agents", "soak"))
"""The soak takes an hour, and agents need environments with other systems in them: these are run when they are named."""


def main() -> int:
    """Run benchmarks, and put their figures on a page. 1 if one of them failed."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which: {', '.join(RUNS)} (default: all but agents and the soak)"
    )
    options.add_argument("--page", type=Path, help="put the tables on this page")
    options.add_argument(
        "--only-page", action="store_true", help="run nothing: the figures are in test-output, or beside the page"
    )
    given = options.parse_args()
    if unknown := set(given.names) - set(RUNS):
        options.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(RUNS)}")
    OUT.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in () if given.only_page else given.names or USUAL:
        module, *its = RUNS[name]
        say(f"== {name}")
        command = [sys.executable, "-m", f"benchmarks.{module}", *its, "--json", str(OUT / f"{name}.json")]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
    if given.page:
        ran = given.names or (RUNS if given.only_page else USUAL)
        keep(given.page, OUT, [name for name in ran if name not in failed])
        fill(given.page, COMMANDS)
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
