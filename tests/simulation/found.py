"""python -m simulation.found [NAME…]: look for a world in which each rule is missed, and write the table anew."""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from .found_in import FOUND_IN
from .run import run_seed
from .switches import RULES

TABLE = Path(__file__).with_name("found_in.py")


def first_seed(name: str, most: int) -> int | None:
    """The first world without the rule in which the judge says so: where it was found last, or the first of all."""
    rule = RULES[name]
    for seed in (FOUND_IN.get(name, 0), *range(most)):
        if any(rule.finds in problem for problem in run_seed(seed, off=rule).problems):
            return seed
    return None


def main() -> int:
    """Look for all, or for those named; 1 if one was not found."""
    parser = argparse.ArgumentParser(prog="simulation.found", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="rules; all of them, if none is named")
    parser.add_argument("--most", type=int, default=1000, help="how many worlds to look in")
    args = parser.parse_args()
    names = args.names or list(RULES)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = {}
        for name, seed in zip(names, pool.map(partial(first_seed, most=args.most), names), strict=True):
            found[name] = seed
            print(f"{len(found)} of {len(names)}: {name}: {'not found' if seed is None else seed}", flush=True)
    seeds = {name: found.get(name, FOUND_IN.get(name)) for name in RULES}
    lines = [f'    "{name}": {seed},' for name, seed in seeds.items() if seed]
    head, _, rest = TABLE.read_text().partition("FOUND_IN: Final[Mapping[str, int]] = {\n")
    _, _, tail = rest.partition("\n}\n")
    TABLE.write_text(head + "FOUND_IN: Final[Mapping[str, int]] = {\n" + "\n".join(lines) + "\n}\n" + tail)
    return 1 if None in found.values() else 0


if __name__ == "__main__":
    raise SystemExit(main())
