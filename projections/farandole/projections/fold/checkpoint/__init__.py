"""Checkpoints: the whole state of one prefix of a partition as bytes, and the fold of such bytes again."""

from collections.abc import Generator, Mapping
from hashlib import blake2b

from farandole.projections.fold import fold as rules
from farandole.projections.fold.fold import Fold

from .manifest import (
    CHUNKS,
    MANIFESTS,
    PIECES,
    Manifest,
    base_key,
    chunk_key,
    chunk_size,
    manifests_in,
    piece_key,
    position_in,
)
from .reading import BrokenCheckpoint, fold_from
from .records import FORMAT
from .saver import PER_OBJECT, Saver

__all__ = [
    "CHUNKS",
    "FORMAT",
    "MANIFESTS",
    "PER_OBJECT",
    "PIECES",
    "BrokenCheckpoint",
    "Manifest",
    "Saver",
    "base_key",
    "chunk_key",
    "chunk_size",
    "fold_of",
    "folding",
    "manifests_in",
    "of_the_future",
    "piece_key",
    "position_in",
]


def fold_of(manifest: Manifest, entries: Mapping[bytes, bytes]) -> Fold:
    """The fold that a manifest is of.

    Args:
        entries: of the log's checkpoints, those that the manifest names at least.

    Raises:
        BrokenCheckpoint: some are missing, or are not what they were, or not for this release.
    """
    steps = folding(manifest, entries)
    while True:
        try:
            next(steps)
        except StopIteration as e:
            fold: Fold = e.value
            return fold


def of_the_future(manifest: Manifest) -> str:
    """Why this release cannot read a checkpoint, however whole it is; empty if it can."""
    if not manifest.known:
        return "another release wrote it, in another form"
    if manifest.fold_version > rules.KNOWN_VERSION:
        return f"it follows fold version {manifest.fold_version}, which this release does not know"
    return ""


def folding(manifest: Manifest, entries: Mapping[bytes, bytes]) -> Generator[None, None, Fold]:
    """As `fold_of`, some runs at a time."""
    if unknown := of_the_future(manifest):
        raise BrokenCheckpoint(unknown)
    try:
        data = b"".join([entries[key] for key in manifest.chunks])
        pieces = {piece: entries[piece_key(manifest.partition, piece)] for piece in manifest.pieces}
    except KeyError as e:
        raise BrokenCheckpoint(f"it lacks {e.args[0].decode(errors='replace')}") from None
    if blake2b(data, digest_size=32).digest() != manifest.hash:
        raise BrokenCheckpoint("its bytes are not those that were written")
    for piece, held in pieces.items():
        if blake2b(held, digest_size=len(piece)).digest() != piece:
            raise BrokenCheckpoint("ids of closed runs are not those that were written")
    fold = yield from fold_from(data, pieces)
    said = (manifest.partition, manifest.position, manifest.digest, manifest.log_id)
    if (fold.partition, fold.position, fold.digest.to_bytes(8, "big"), fold.log_id or "") != said:
        raise BrokenCheckpoint("it is of another state than its manifest says")
    return fold
