"""python -m checker --bootstrap host:port --choreography orders [--json] [--run ID]"""

import argparse
import asyncio
import json
import sys

from .examine import Examination
from .kafka import Topics
from .report import Report


def main() -> int:
    """Check a log on Kafka. 0: every promise is kept; 1: some are not; 2: there is no such log."""
    parser = argparse.ArgumentParser(prog="checker", description="Check the log of a choreography on Kafka.")
    parser.add_argument("--bootstrap", required=True, help="host:port of a broker")
    parser.add_argument("--choreography", required=True)
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--run", help="also the history of this run")
    parser.add_argument("--open", action="store_true", help="runs may still be open")
    args = parser.parse_args()
    try:
        found = asyncio.run(_read(args.bootstrap, args.choreography))
    except LookupError as e:
        print(e, file=sys.stderr)
        return 2
    found.conclude(complete=not args.open)
    report = Report.of(found)
    print(json.dumps(report.as_dict()) if args.json else report)
    if args.run:
        _show(found, args.run.encode())
    return 1 if report.problems else 0


async def _read(bootstrap: str, choreography: str) -> Examination:
    async with Topics(bootstrap, choreography) as topics:
        records = await topics.catch_up()
        found = Examination(topics.partitions, await topics.table())
        found.take(records)
        return found


def _show(found: Examination, key: bytes) -> None:
    for run in found.runs:
        if run.key == key:
            print(
                f"run {key.decode(errors='replace')}, partition offset {run.offset}: {run.state}, {run.result or 'no result yet'}"
            )
            for event in run.history:
                by = event.pair[1].decode(errors="replace") if event.pair else "outside"
                print(f"  {event.offset:>8} {event.type.decode(errors='replace')} by {by}")


if __name__ == "__main__":
    sys.exit(main())
