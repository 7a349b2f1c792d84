"""What was said live is kept for an hour, also where nobody speaks any more."""

import sqlite3
from contextlib import closing
from pathlib import Path

from farandole.eventstore import Record, connect
from farandole.eventstore.contract import LIVE_KEPT


class Hands:
    """A clock that is set by hand, in milliseconds since 1970 UTC."""

    def __init__(self) -> None:
        self.time = 1_700_000_000_000

    def now(self) -> int:
        return self.time


async def test_what_is_too_old_goes_when_somebody_listens(tmp_path: Path) -> None:
    url, clock = f"sqlite:///{tmp_path}/log.db", Hands()
    async with await connect(url, "speech", partitions=1, clock=clock) as store:
        await store.live.append(0, [Record(b"run", b"said", ())])
    clock.time += LIVE_KEPT + 1
    async with await connect(url, "speech", clock=clock) as store:
        await store.live.since(0, 0)
    with closing(sqlite3.connect(tmp_path / "log.db-live")) as file:
        assert file.execute("SELECT count(*) FROM said").fetchone() == (0,)
