"""Saves the state of one prefix while the fold goes on: a little at a time, and each run before it changes.

So no reader stands still for it, and nobody copies the whole state at once.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from farandole.projections.fold.closed import Bucket
from farandole.projections.fold.run import Run

from .manifest import Manifest, chunk_key, piece_key
from .records import FORMAT, partition_bytes, run_bytes
from .writing import partition_fields, run_fields

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold

_HASH: Final = 16
_AT_ONCE: Final = 256
PER_OBJECT: Final = 100
"""How many ids of closed runs weigh as much as an open run."""


class Saver:
    """Saves a fold as it is when this is made. Set it as the fold's `saver` at once, and take it away when it is done.

    Args:
        fold: what to save.
        last_append: the append of the last record folded.
        chunk: bytes of a chunk.
    """

    def __init__(self, fold: "Fold", last_append: bytes, chunk: int) -> None:
        self.position = fold.position
        self._chunk = chunk
        self._fields = partition_fields(fold)
        self._last_append = last_append
        buckets = list(fold.closed)
        self._buckets = [*buckets[:-1], *(bucket.copy() for bucket in buckets[-1:])]
        self._runs = list(fold.runs.values())
        self._from = 0
        """Offset of the first run that is not saved yet; -1: there is none."""
        self._early: dict[Run, bytes] = {}
        """Runs that changed before their turn came."""
        self._pieces: list[bytes] = []
        self._buffer = bytearray()
        self._made: list[tuple[bytes, bytes]] = []
        self._hash: Any = blake2b(digest_size=32)
        self._length = 0
        self._chunks = 0
        self._objects = sum(map(len, buckets)) // PER_OBJECT
        self._steps = self._save()
        self.done = False

    def before(self, run: Run) -> None:
        """The run is about to change: save it now, if it is not saved yet."""
        if 0 <= self._from <= run.offset < self.position and run not in self._early:
            self._early[run] = self._bytes(run)

    def finish(self) -> None:
        """All runs are about to change: save what is left."""
        for run in self._runs:
            self.before(run)

    def work(self, steps: int) -> bool:
        """Save so many runs at most; whether all is saved."""
        while not self.done and steps > 0:
            self.done = next(self._steps, self) is self
            steps -= 1
        return self.done

    def take(self) -> list[tuple[bytes, bytes]]:
        """Entries that are ready to be put, each once."""
        made, self._made = self._made, []
        return made

    @property
    def manifest(self) -> Manifest:
        """What to put once all entries are there."""
        if not self.done:
            raise RuntimeError("not all is saved yet")
        fields = self._fields
        return Manifest(
            partition=fields["partition"],
            position=self.position,
            log_id=fields["log_id"],
            log_time=fields["log_time"],
            fold_version=fields["version"],
            format=FORMAT,
            chunk=self._chunk,
            length=self._length,
            hash=self._hash.digest(),
            digest=fields["digest"],
            last_append=self._last_append,
            pieces=tuple(self._pieces),
            objects=self._objects,
        )

    def _save(self) -> Iterator[None]:
        closed = self._fields["closed"] = []
        for bucket in self._buckets:
            before = len(self._pieces)
            yield from self._save_bucket(bucket)
            closed.append(
                {
                    "opened": bucket.opened,
                    "newest": bucket.newest,
                    "count": len(bucket),
                    "pieces": self._pieces[before:],
                }
            )
        self._buckets.clear()
        self._put(partition_bytes(self._fields))
        yield
        for run in self._runs:
            self._from = run.offset
            data = self._early.pop(run, None)
            self._put(self._bytes(run) if data is None else data)
            self._from = run.offset + 1
            yield
        self._from = -1
        self._runs.clear()
        if self._buffer:
            self._cut(len(self._buffer))

    def _save_bucket(self, bucket: Bucket) -> Iterator[None]:
        """In ascending order, for the order in its table is not state; sorted by the first byte before the rest."""
        parts: list[list[bytes]] = [[] for _ in range(256)]
        for number, hash in enumerate(bucket):
            parts[hash[0]].append(hash)
            if number % _AT_ONCE == 0:
                yield
        size = self._chunk // _HASH * _HASH
        piece = bytearray()
        for part in parts:
            part.sort()
            piece += b"".join(part)
            while len(piece) >= size:
                self._add_piece(bytes(piece[:size]))
                del piece[:size]
            yield
        if piece:
            self._add_piece(bytes(piece))

    def _add_piece(self, data: bytes) -> None:
        name = blake2b(data, digest_size=_HASH).digest()
        self._pieces.append(name)
        self._made.append((piece_key(self._fields["partition"], name), data))

    def _bytes(self, run: Run) -> bytes:
        self._objects += 1 + len(run.owed) + len(run.kept or ())
        return run_bytes(run_fields(run))

    def _put(self, data: bytes) -> None:
        self._buffer += len(data).to_bytes(4, "big")
        self._buffer += data
        while len(self._buffer) >= self._chunk:
            self._cut(self._chunk)

    def _cut(self, size: int) -> None:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._hash.update(data)
        self._length += size
        key = chunk_key(self._fields["partition"], self.position, self._chunk, self._chunks)
        self._made.append((key, data))
        self._chunks += 1
