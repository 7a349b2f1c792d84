"""python -m simulation [--seeds N] [--from SEED] [--jobs N] [--generated] [--without RULE] [--json FILE] [--trace]"""

import argparse
import logging
import os
import sys
from pathlib import Path

from .campaign import campaign
from .dances import dances_of
from .generated.build import dances_of as generated
from .generated.strategies import drawn
from .rules import Rule
from .run import run_seed
from .switches import RULES


def main() -> int:
    """Simulate many seeds, or show one. 0: every promise was kept; 1: some were not."""
    parser = argparse.ArgumentParser(prog="simulation", description="Simulate worlds, each from a seed.")
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--generated", action="store_true", help="worlds of generated choreographies")
    parser.add_argument("--without", choices=sorted(RULES), help="a rule that does not hold")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary there")
    parser.add_argument("--trace", action="store_true", help="show all that happens in the first seed, and stop")
    args = parser.parse_args()
    off = RULES[args.without] if args.without else None
    if args.trace:
        return _show(args.first, off, args.generated)
    return campaign(range(args.first, args.first + args.seeds), args.jobs, args.without, args.json, args.generated)


def _show(seed: int, off: Rule | None, made_up: bool) -> int:
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", stream=sys.stdout)
    if made_up:
        print(drawn(seed))
    outcome = run_seed(seed, off=off, trace=print, dances=generated if made_up else dances_of)
    print(outcome)
    print(f"  log digest {outcome.digest}")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
