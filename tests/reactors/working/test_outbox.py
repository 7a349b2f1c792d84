"""What steps made is appended in order, one append in flight for each partition, and never given up."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.reactors.working.controls import virtual

from farandole.eventstore import AppendUnknown, NotAppended, Record, StoreMisconfigured, TooLarge
from farandole.reactors.outbox import Outbox


class Log:
    """Takes appends, when and as the test lets it."""

    def __init__(self) -> None:
        self.appended: dict[int, list[bytes]] = {}
        self.appends = 0
        self.now = self.most = 0
        self.errors: list[Exception | None] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def append(self, partition: int, records: Sequence[Record]) -> int:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.gate.wait()
            self.appends += 1
            if any(len(r.value or b"") > 1000 for r in records):
                raise TooLarge("too large")
            error = self.errors.pop(0) if self.errors else None
            if error is None or isinstance(error, AppendUnknown):
                self.appended.setdefault(partition, []).extend(r.value or b"" for r in records)
            if error is not None:
                raise error
            return 0
        finally:
            self.now -= 1


def put(outbox: Outbox, value: bytes, partition: int = 0, refused: list[TooLarge] | None = None) -> None:
    told: list[TooLarge] = [] if refused is None else refused
    outbox.put(partition, (Record(b"k", value, ()),), len(value), told.append)


@virtual
async def test_in_order_and_what_waits_goes_together() -> None:
    log = Log()
    outbox = Outbox(log)  # type: ignore[arg-type]
    log.gate.clear()
    put(outbox, b"0")
    await asyncio.sleep(1)
    for n in range(1, 100):
        put(outbox, b"%d" % n)
    log.gate.set()
    await outbox.flush()
    assert log.appended[0] == [b"%d" % n for n in range(100)]
    assert (log.appends, log.most, outbox.records, outbox.bytes) == (2, 1, 100, 0)


@virtual
async def test_partitions_do_not_wait_for_each_other() -> None:
    log = Log()
    outbox = Outbox(log)  # type: ignore[arg-type]
    log.gate.clear()
    for partition in range(5):
        put(outbox, b"x", partition)
    await asyncio.sleep(1)
    assert log.now == 5
    log.gate.set()
    await outbox.flush()


@virtual
async def test_an_append_whose_fate_is_unknown_is_made_again_with_the_same_bytes_before_any_other() -> None:
    log = Log()
    log.errors = [AppendUnknown("?"), NotAppended("no"), AppendUnknown("?")]
    outbox = Outbox(log)  # type: ignore[arg-type]
    put(outbox, b"a")
    await asyncio.sleep(0.01)
    put(outbox, b"b")
    await outbox.flush()
    assert log.appended[0] == [b"a", b"a", b"a", b"b"]


@virtual
async def test_one_that_is_too_large_is_told_and_its_neighbours_go() -> None:
    log, refused = Log(), list[TooLarge]()
    outbox = Outbox(log)  # type: ignore[arg-type]
    for value in (b"a", b"x" * 2000, b"b"):
        put(outbox, value, refused=refused)
    await outbox.flush()
    assert log.appended[0] == [b"a", b"b"]
    assert (len(refused), outbox.bytes) == (1, 0)


@virtual
async def test_there_is_no_room_while_too_much_waits() -> None:
    log = Log()
    outbox = Outbox(log, most_bytes=100)  # type: ignore[arg-type]
    log.gate.clear()
    for _ in range(3):
        put(outbox, b"x" * 50)
    assert outbox.full
    room = asyncio.ensure_future(outbox.room())
    await asyncio.sleep(1)
    assert not room.done()
    log.gate.set()
    await room


@virtual
async def test_what_trying_again_does_not_mend_is_raised() -> None:
    log = Log()
    log.errors = [StoreMisconfigured("no permission")]
    outbox = Outbox(log)  # type: ignore[arg-type]
    put(outbox, b"a")
    with pytest.raises(StoreMisconfigured):
        await asyncio.wait_for(outbox.failure(), 10)


@virtual
async def test_closing_waits_for_nothing() -> None:
    log = Log()
    log.gate.clear()
    outbox = Outbox(log)  # type: ignore[arg-type]
    put(outbox, b"a")
    await asyncio.sleep(1)
    await asyncio.wait_for(outbox.close(), 1)
    assert log.appended == {}
