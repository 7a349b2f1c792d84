"""What says that a checkpoint is complete, and the keys under which it lies in the checkpoints of a log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from farandole.schemas import UndecodableValue

from .records import FORMAT, MANIFEST

CHUNK: Final = 512 * 1024
"""Bytes of a chunk, where the log takes so many."""
MANIFESTS: Final = b"m/"
"""How the keys of all manifests begin."""
CHUNKS: Final = b"c/"
PIECES: Final = b"b/"
_BASE: Final = b"base/"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One complete checkpoint."""

    partition: int
    position: int
    """It is the state of the records below this offset."""
    log_id: str
    log_time: int
    fold_version: int
    format: bytes
    chunk: int
    length: int
    hash: bytes
    digest: bytes
    last_append: bytes
    """The append of the record before the position, by which the log is known again."""
    pieces: tuple[bytes, ...]
    """Hashes of the pieces that hold ids of closed runs."""
    objects: int
    """How much it holds: runs, what they owe and keep."""

    @property
    def key(self) -> bytes:
        return b"%s%d/%020d" % (MANIFESTS, self.partition, self.position)

    @property
    def chunks(self) -> tuple[bytes, ...]:
        """Keys of its chunks, in their order."""
        number = -(-self.length // self.chunk)
        return tuple(chunk_key(self.partition, self.position, self.chunk, i) for i in range(number))

    @property
    def parts(self) -> tuple[bytes, ...]:
        """Keys of all that it refers to."""
        return (*self.chunks, *(piece_key(self.partition, piece) for piece in self.pieces))

    @property
    def known(self) -> bool:
        """Whether this release can read what it refers to."""
        return self.format == FORMAT

    def encode(self) -> bytes:
        return MANIFEST.encode({name: getattr(self, name) for name in self.__slots__})


def manifests_in(entries: Mapping[bytes, bytes]) -> dict[int, list[Manifest]]:
    """By partition, the manifests among some entries, the highest first. What is none is passed over."""
    found: dict[int, list[Manifest]] = {}
    for key, value in entries.items():
        if not key.startswith(MANIFESTS):
            continue
        try:
            fields = MANIFEST.decode(value)
        except UndecodableValue:
            continue
        manifest = Manifest(**{**fields, "pieces": tuple(fields["pieces"])})
        if manifest.key == key and manifest.chunk > 0 and manifest.length > 0:
            found.setdefault(manifest.partition, []).append(manifest)
    for manifests in found.values():
        manifests.sort(key=lambda manifest: -manifest.position)
    return found


def chunk_key(partition: int, position: int, size: int, index: int) -> bytes:
    return b"%s%d/%020d/%d/%d" % (CHUNKS, partition, position, size, index)


def piece_key(partition: int, piece: bytes) -> bytes:
    return b"%s%d/%s" % (PIECES, partition, piece.hex().encode())


def base_key(partition: int) -> bytes:
    """Under which the position stands below which the log was archived."""
    return b"%s%d" % (_BASE, partition)


def position_in(key: bytes) -> int | None:
    """The position in the key of a manifest or a chunk; None if it is none."""
    parts = key.split(b"/")
    return int(parts[2]) if len(parts) > 2 and parts[2].isdigit() and key[:2] != PIECES else None


def chunk_size(most: int) -> int:
    """How large chunks are in a log that takes records of so many bytes: keepers that agree on it share their chunks."""
    size = CHUNK
    while size > 16 and size + 1024 > most:
        size //= 2
    return size


def newest_known(manifests: Iterable[Manifest]) -> Manifest | None:
    return next((manifest for manifest in manifests if manifest.known), None)
