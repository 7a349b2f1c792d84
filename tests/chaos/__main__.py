"""python -m chaos [--seed N] [--small] [--keep] [--out FOLDER] [--list | --page FILE | CELL …]"""

import argparse
import json
import logging
import sys
from pathlib import Path

from . import cells
from .campaign import campaign
from .cell import CELLS, Cell
from .report import refresh

_OUT = Path(__file__).parents[2] / "test-output"


def main() -> int:
    """Play cells, all of them by default. 0: every promise was kept; 1: some were not, or were not shown to be."""
    parser = argparse.ArgumentParser(prog="chaos", description="Do harm to workers, brokers and networks, and judge.")
    parser.add_argument(
        "cells", nargs="*", metavar="CELL", help="which, tests by their path too; all of them by default"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="with the amounts of the tests")
    parser.add_argument("--keep", action="store_true", help="keep what workers logged, whatever came of it")
    parser.add_argument("--page", type=Path, help="put the report's table into this page, and stop")
    parser.add_argument("--list", action="store_true", help="name the cells, and stop")
    parser.add_argument("--out", type=Path, default=_OUT, help="where chaos.json and chaos.md are kept")
    args = parser.parse_args()
    if args.page:
        refresh(args.page, json.loads((args.out / "chaos.json").read_text()))
        return 0
    if args.list:
        for each in CELLS.values():
            print(f"{each.name:22} {each.about}")
        return 0
    for name in args.cells:
        if ".py" in name:
            CELLS[name] = Cell(name, "tests as they stand", cells.nodes.nodes, None, {"nodes": [name]}, on_kafka=False)
        elif name not in CELLS:
            parser.error(f"no such cell: {name}; there are {', '.join(CELLS)}, and tests/…/test_….py")
    # Clients of a log that was just made anew, or whose broker was just killed, have much to tell.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    chosen = [CELLS[name] for name in args.cells] if args.cells else list(CELLS.values())
    return campaign(chosen, args.seed, args.out, small=args.small, keep=args.keep)


if __name__ == "__main__":
    sys.exit(main())
