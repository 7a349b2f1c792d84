"""Ten thousand ways to write a bad record, from a seed.

Left out is only what whoever may write the log may do by right: stop the service by a newer fold version, or take its
reactors away by a contract.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from farandole.eventstore import Record, Stored, partition_of
from farandole.projections.fold import Pair
from farandole.reactors import Choreography
from farandole.reactors.scribe import Scribe
from farandole.reactors.service import types_of
from farandole.schemas import system_records
from farandole.schemas.envelope import Header, Kind, pack, unpack
from farandole.schemas.errors import FarandoleError

from .dance import PARTITIONS, REACTORS, Begun, Nudged, Went

BOMB = b'{"type":"record","name":"%s.Begun","fields":[{"name":"word","type":"string"},{"name":"numbers","type":{"type":"array","items":"null"}}]}'
"""A schema by which five bytes are 67 million items."""
MINUTE = 60_000


class Bad(NamedTuple):
    """A hostile record and the partition that it is written to."""

    partition: int
    record: Record


class Corpus:
    """Hostile records.

    Args:
        choreography: whose log they are for.
        seed: equal seeds make equal records.
        now: milliseconds since 1970 UTC.
        bomb: the fingerprint of `BOMB` in the catalogue.
    """

    def __init__(self, choreography: Choreography, seed: int, now: int, bomb: bytes) -> None:
        self._random = random = Random(seed)
        self._now = now
        self._bomb = bomb
        self._types = types_of(choreography)
        self._scribe = Scribe(
            choreography.name, "stranger", self._types, lambda: now * 1000,
            new_append=lambda: random.randbytes(16), new_id=lambda: b"x" + random.randbytes(8).hex().encode(),
        )  # fmt: skip
        self._number = 0
        self._pairs: list[tuple[bytes, Pair]] = []
        self._ghosts: list[tuple[bytes, Pair]] = []
        self._makers: tuple[tuple[int, Callable[[], Record]], ...] = (
            (8, self._noise),
            (16, self._mutant),
            (10, self._headers),
            (22, self._value),
            (10, self._framing),
            (5, self._kind),
            (6, self._control),
            (10, self._command),
            (6, self._forgery),
        )

    def take(self, count: int) -> Iterator[Bad]:
        """So many records."""
        weights, makers = zip(*self._makers, strict=True)
        while count:
            record = self._random.choices(makers, weights)[0]()
            if _by_right(record):
                continue
            yield Bad(self._partition(record), record)
            count -= 1

    def _partition(self, record: Record) -> int:
        if record.key is None or self._random.random() < 0.05:
            return self._random.randrange(PARTITIONS)
        return partition_of(record.key, PARTITIONS)

    def _run(self) -> bytes:
        self._number += 1
        return b"bad-%d" % self._number

    def _valid(self) -> Record:
        """A record of a kind that clients and workers write; of a run of its own, or of an earlier one."""
        r, scribe = self._random, self._scribe
        if not self._pairs or r.random() < 0.4:
            key = self._run()
            record = scribe.start(key, Begun(word="w" * r.randrange(20), numbers=[1, 2]))
            id = dict(record.headers)["ce_id"]
            self._pairs.append((key, Pair(id, b"go", b"", (0,), (b"x.Begun",), 0)))
            return record
        key, pair = r.choice(self._pairs)
        choice = r.randrange(4)
        if choice == 0:
            return r.choice(scribe.outcome(key, pair, [Went(n=1)] * r.choice((0, 1, 1, 2, 3))).records)
        if choice == 1:
            content = {"error": "E", "message": "m"}
            return scribe.failure(key, pair, r.choice((1, 1, 2)), content, last=r.random() < 0.5)
        return scribe.signal(key, Nudged(note="n"), self._now + 10 * MINUTE)

    def _noise(self) -> Record:
        r = self._random
        headers: list[Header] = [
            (r.choice(("fa", "ce_id", "ce_type", "ce_source", "x", "")), r.randbytes(r.randrange(120)))
            for _ in range(r.randrange(8))
        ]
        key = r.choice((None, b"", r.randbytes(r.randrange(40))))
        return Record(key, r.choice((None, r.randbytes(r.randrange(200)))), headers)

    def _mutant(self) -> Record:
        """A record with bytes turned over, put in or taken out, mostly of ``fa``."""
        key, value, headers = self._valid()
        headers = list(headers)
        for _ in range(self._random.choice((1, 1, 2, 4))):
            at = 4 if self._random.random() < 0.7 else self._random.randrange(len(headers))
            headers[at] = (headers[at][0], self._damaged(headers[at][1]))
        return Record(self._damaged(key or b"") if self._random.random() < 0.1 else key, value, headers)

    def _headers(self) -> Record:
        """Headers that are missing, repeated, empty, huge or of other people."""
        r = self._random
        key, value, headers = self._valid()
        headers = list(headers)
        at = r.randrange(len(headers))
        name, content = headers[at]
        choice = r.randrange(6)
        if choice == 0:
            del headers[at]
        elif choice == 1:
            headers.append((name, self._damaged(content)))
        elif choice == 2:
            headers[at] = (name, b"")
        elif choice == 3:
            headers[at] = (name, content + bytes(r.choice((300, 70_000, 300_000 if r.random() < 0.02 else 1000))))
        elif choice == 4:
            headers += [(f"other-{n}", r.randbytes(9)) for n in range(r.choice((3, 300)))]
        else:
            headers = [(name.upper(), content) for name, content in headers]
        return Record(key, value, headers)

    def _value(self) -> Record:
        """A start that is admitted, with a value that cannot be decoded, or only at a price."""
        r = self._random
        key = self._run()
        record = self._scribe.start(key, Begun(word="word", numbers=list(range(20))))
        value = record.value or b""
        head, body = value[:10], value[10:]
        bombs = (
            head + b"\x00" + b"\x80\x80\x80\x40",  # 67 million numbers that are not there
            head + b"\x00\x00" + b"\x02" * 20_000,  # a knot 20,000 deep
            b"\xc3\x01" + self._bomb + b"\x00" + b"\x80\x80\x80\x40\x00",
            head + b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f",
            head + body + bytes(200_000 if r.random() < 0.05 else 1),
        )
        spoilt = (
            r.choice(bombs),
            value[: r.randrange(len(value))],
            r.randbytes(r.randrange(300)),
            b"\x00\x00\x00\x00\x07" + body,
            b"\xc3\x01" + r.randbytes(8) + body,
            head + self._damaged(body),
            None,
        )
        return Record(key, r.choice(spoilt), record.headers)

    def _framing(self) -> Record:
        """Parts of appends that never become whole, or claim to be of four thousand million."""
        r = self._random
        known = self._ghosts if self._ghosts and r.random() < 0.5 else self._pairs
        key, pair = r.choice(known) if known else (self._run(), Pair(b"x", b"go", b"", (0,), (b"t",), 0))
        e = unpack(self._scribe.outcome(key, pair, [Went()]).records[0].headers)
        count = r.choice((0, 2, 3, 1000, 2**32 - 1))
        index = r.choice((0, 1, 5, max(count - 1, 0), 2**32 - 1))
        append = r.choice((e.append, bytes(16), b"\x01" * 16))
        return Record(key, b"", e._replace(index=index, count=count, append=append).headers())

    def _kind(self) -> Record:
        """Kinds that no fold knows, and those that are kept for later."""
        r = self._random
        key, value, headers = self._valid()
        e = unpack(headers)
        kind = r.choice((0, 5, *range(12, 32), 36, 38, 255))
        id = b"x" + e.id if r.random() < 0.8 else e.id
        return Record(key, value, e._replace(kind=kind, id=id).headers())

    def _control(self) -> Record:
        """What governs a partition, spoilt, and contracts of reactors that nobody has."""
        r = self._random
        contract = {"reactor": f"ghost-{r.randrange(9)}", "service": "s", "takes": [], "forms": ["event"], "gives": []}
        contract["takes"] = r.choice(([["ghost.Seen"]], [["a"] * 500], [[]], [[f"t{n}" for n in range(3000)]]))
        contents = (
            (Kind.GENESIS, {"log_id": "x" * 90, "partitions": 0, "fold_version": 9, "settings": {"drain": -1}}),
            (Kind.SETTING, {"name": r.choice(("kept", "join_most", "?")), "value": r.choice((-1, 7)), "replaces": 64}),
            (Kind.VERSION, {"version": r.choice((-1, 0, 1))}),
            (Kind.CONTRACT, contract),
            (Kind.CONTRACT, {**contract, "reactor": "g" * r.choice((0, 300, 60_000))}),
            (Kind.RELEASED, {"member": "m" * 1000}),
        )
        kind, content = r.choice(contents)
        [record] = self._scribe.control(kind, [content])
        key = r.choice((None, b"bad-key"))
        return Record(key, record.value if r.random() < 0.3 else self._damaged(record.value or b""), record.headers)

    def _command(self) -> Record:
        """Commands for what is not there, of long ago or far ahead; steps owed for records that are something else."""
        r = self._random
        key, pair = r.choice(self._pairs) if self._pairs else (self._run(), Pair(b"x", b"go", b"", (0,), (b"t",), 0))
        kind = r.choice((Kind.RETRY, Kind.RESUME, Kind.PAUSE, Kind.CANCEL, Kind.OWE, Kind.OWE, Kind.OWE))
        not_after = self._now + r.choice((0, -MINUTE, 10 * MINUTE, 10 * MINUTE, 2**62))
        content: dict[str, object] = {"reason": "r"}
        if kind is Kind.RETRY:
            content["failure_id"] = "f"
        if kind is Kind.OWE:
            content |= {"trigger": "t", "offset": 0, "reactor": "go"}
        offset = r.choice((0, 1, r.randrange(1000), 10**9, 2**63, 2**64 - 1))
        type = r.choice((f"{self._types.prefix}.Begun".encode(), b"\xff\xfe", b"ghost.Seen"))
        extra = b"" if r.random() < 0.1 else offset.to_bytes(8, "big") + type
        more = {"causation": r.choice((b"", pair.trigger, r.randbytes(9))), "reactor": r.choice((*REACTORS, b"ghost"))}
        return self._scribe.command(kind, key, content, not_after, extra=extra, **more)

    def _forgery(self) -> Record:
        """What follows the grammar to the letter, with names and numbers as odd as they can be."""
        r = self._random
        kind = r.choice((Kind.START, Kind.SIGNAL))
        key, _ = r.choice(self._pairs) if self._pairs and kind is Kind.SIGNAL else (self._run(), None)
        key += r.choice((b"", b"\xff", b"\x1b[2J\nTraceback", b"k" * 3000))
        if kind is Kind.START:
            self._pairs.append((key, Pair(b"x1", b"go", b"", (0,), (b"t",), 0)))
        type = r.choice((b"ghost.Seen", b"\xff\xfe", b"t" * 5000, f"{self._types.prefix}.Nudged".encode()))
        id = b"x" + r.randbytes(r.choice((1, 100, 254, 300)))
        self._ghosts.append((key, Pair(id[:255], b"ghost-%d" % r.randrange(9), b"", (0,), (type,), 0)))
        headers = pack(
            kind=kind, id=id, type=type, source=r.randbytes(9),
            append=r.randbytes(16), sent=-(2**63), not_after=r.choice((0, 2**63 - 1, self._now + MINUTE)),
            delay=r.choice((-(2**63), 2**63 - 1)), flags=r.choice((0, 16, 32, 64, 0xFF00)),
            attempt=2**32 - 1, branch=bytes(r.choice((0, 2000))), generation=bytes(r.choice((0, 255))),
        )  # fmt: skip
        return Record(key, r.randbytes(5), headers)

    def _damaged(self, data: bytes) -> bytes:
        """The bytes with some turned over, put in, taken out or cut off."""
        r = self._random
        at = r.randrange(len(data) + 1)
        choice = r.randrange(5)
        if choice == 0:
            return data[:at] + r.randbytes(r.randrange(1, 9)) + data[at:]
        if choice == 1:
            return data[:at] + data[at + r.randrange(1, 9) :]
        if choice == 2:
            return data[:at]
        some = r.choice((b"\xff", b"\x00", b"\x80", r.randbytes(1))) * r.choice((1, 1, 4, 8))
        return data[:at] + some + data[at + len(some) :]


def _by_right(record: Record) -> bool:
    """Whether the record stops the service, or takes a reactor of it away, as whoever may write may do."""
    try:
        e = unpack(record.headers)
        if e.kind == Kind.VERSION:
            return int(system_records.VERSION.decode(record.value)["version"]) > 1
        if e.kind == Kind.CONTRACT:
            content = system_records.CONTRACT.decode(record.value)
            named = {content["reactor"].encode(), content["renames"].encode()}
            return not named.isdisjoint(REACTORS)
    except FarandoleError:
        pass
    return False


def original(record: Stored) -> Record:
    """A copy in the topic of rejected records, as it was."""
    ours = [name for name, _ in record.headers].index("fa_rejected_reason")
    return Record(record.key, record.value, list(record.headers[:ours]))
