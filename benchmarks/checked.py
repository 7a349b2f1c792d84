"""What the independent checker says of a log. It is in ``tests/``, and shares no code with what it checks."""

import sys

from benchmarks.process import ROOT
from farandole.eventstore import EventStore

if (_TESTS := str(ROOT / "tests")) not in sys.path:
    sys.path.append(_TESTS)

from checker import Examination, Raw


async def broken_promises_in(store: EventStore) -> list[str]:
    """Promises that were broken in a log all of whose runs should have ended, one line each.

    One partition at a time, for the checker keeps every record that it folds.
    """
    table = await store.catalogue.load()
    ends = await store.ends(range(store.partitions))
    broken: list[str] = []
    for partition, end in ends.items():
        found = Examination(store.partitions, table)
        reader = store.reader()
        reader.follow({partition: 0})
        while reader.positions[partition] < end.next:
            found.take(Raw(*record) for batch in await reader.read() for record in batch)
        await reader.close()
        broken += found.conclude()
    return broken
