"""Archiving: what no open run needs any more leaves the log for files, and a checkpoint stands in its place.

A partition is cut at a checkpoint only, one that a newer one follows, below the start of every open run. The records go to
an Avro container file that any tool can read; it is read back and folded, and must come to the checkpoint's digest before
a single record is deleted.
"""

import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from fastavro import reader as read_container
from fastavro.write import Writer

from farandole.eventstore import Ends, EventStore, Stored
from farandole.projections.checkpoints import Checkpoints, begun
from farandole.projections.fold import Fold
from farandole.projections.fold.checkpoint import Manifest, base_key
from farandole.schemas.catalogue import PREFIX
from farandole.schemas.schema_numbers import NUMBERS

from .disk import names_to_disk
from .errors import ClientError

if TYPE_CHECKING:
    from .client import Client

SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "farandole.Archived",
    "doc": "A record of the log as it was.",
    "fields": [
        {"name": "partition", "type": "int"},
        {"name": "offset", "type": "long"},
        {"name": "time", "type": "long", "doc": "When the log took it, in milliseconds since 1970 UTC."},
        {"name": "key", "type": ["null", "bytes"]},
        {"name": "value", "type": ["null", "bytes"]},
        {
            "name": "headers",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "farandole.Header",
                    "fields": [{"name": "name", "type": "string"}, {"name": "value", "type": "bytes"}],
                },
            },
        },
    ],
}


class ArchiveFailed(ClientError):
    """A file does not hold what the log held; nothing was deleted."""


@dataclass(frozen=True, slots=True)
class Archived:
    """What can leave a partition, or has left it.

    Attributes:
        first: the offset of the first record.
        before: the offset of the first one that stays.
        file: where the records are; None if they are still in the log only.
        why: why nothing can leave it, if so.
    """

    partition: int
    first: int
    before: int
    file: Path | None = None
    why: str = ""


async def archive(
    client: "Client", to: Path, *, until: int | None = None, dry: bool = False
) -> AsyncIterator[Archived]:
    """Archive each partition, as far as it can be.

    Args:
        to: a directory for the files.
        until: archive no record that is younger than this log time, in milliseconds since 1970 UTC.
        dry: tell what would be done, and do nothing.

    Raises:
        ArchiveFailed: a file does not hold what it should.
        StoreMisconfigured: this user may not delete records.
        StoreError: the log cannot be reached.
    """
    store = client.store
    partitions = range(store.partitions)
    await client.follower.up_to_date(partitions)
    checkpoints = Checkpoints(store)
    await checkpoints.look()
    ends = await store.ends(partitions)
    for partition in partitions:
        first = ends[partition].first
        found = _cut(checkpoints, client.follower.fold(partition), ends[partition], until)
        if isinstance(found, str):
            yield Archived(partition, first, first, why=found)
        elif dry:
            yield Archived(partition, first, found.position)
        else:
            await _keep_schemas(store, to, client.scribe.choreography)
            yield await _archive(store, checkpoints, found, first, to, client.scribe.choreography)


def _cut(checkpoints: Checkpoints, fold: Fold, ends: Ends, until: int | None) -> Manifest | str:
    """Where a partition can be cut, or why it cannot."""
    if len(checkpoints.of(fold.partition)) < 2:
        return "it has no two checkpoints yet"
    oldest = _oldest(fold)
    below = [
        m
        for m in checkpoints.of(fold.partition)[1:]
        if ends.first < m.position and (until is None or m.log_time < until)
    ]
    if not below:
        return "nothing is old enough"
    found = next((m for m in below if m.position <= oldest), None)
    return found or f"an open run began at offset {oldest}, before the checkpoints that are kept"


def _oldest(fold: Fold) -> int:
    """The lowest offset whose record may be needed again."""
    offsets = [run.offset for run in fold.runs.values()]
    for schedule in fold.schedules.values():
        offsets += [child.offset for child in (schedule.children or {}).values()]
        offsets += [message.offset for message in (schedule.messages or {}).values() if message.offset >= 0]
        offsets += [schedule.waiting[2]] if schedule.waiting is not None else []
    return min(offsets, default=fold.position)


async def _archive(
    store: EventStore, checkpoints: Checkpoints, cut: Manifest, first: int, to: Path, choreography: str
) -> Archived:
    partition = cut.partition
    # Keepers let no checkpoint go that stands here; those that are newer by now come while records are copied.
    await store.checkpoints.put(base_key(partition), b"%d" % cut.position)
    ends = {partition: Ends(first, (await store.ends((partition,)))[partition].next)}
    whole = await checkpoints.restore(ends, {partition: cut.position})
    if partition not in whole or whole[partition].manifest != cut:
        raise ArchiveFailed(f"the checkpoint of partition {partition} at offset {cut.position} cannot be read")
    fold = (await begun(store, checkpoints, [partition], newest=False))[partition]
    if fold.position > first:
        raise ArchiveFailed(
            f"partition {partition} begins at offset {fold.position} by now: somebody else archived it; nothing was deleted"
        )
    file = _made(to) / f"{choreography}.{partition}.{first}-{cut.position}.avro"
    part = file.with_suffix(".avro.part")
    written = await _export(store, fold, first, cut.position, part)
    if fold.digest.to_bytes(8, "big") != cut.digest:
        raise ArchiveFailed(f"partition {partition} has another digest at offset {cut.position} than its checkpoint")
    if _read_back(part) != written:
        raise ArchiveFailed(f"{part} does not hold what was written to it; nothing was deleted")
    part.replace(file)
    names_to_disk(to)
    parts = (cut.key, *cut.parts)
    if len(await store.checkpoints.pick(parts)) < len(parts):
        raise ArchiveFailed(
            f"the checkpoint of partition {partition} at offset {cut.position} is gone meanwhile; nothing was deleted. Try again"
        )
    await store.truncate(partition, cut.position)
    return Archived(partition, first, cut.position, file)


async def _export(store: EventStore, fold: Fold, first: int, before: int, file: Path) -> tuple[int, bytes]:
    """Write records to a file, and fold them. How many there are, and their hash."""
    count, hash = 0, blake2b(digest_size=32)
    reader = store.reader()
    try:
        reader.follow({fold.partition: first})
        with file.open("wb") as out:
            writer = Writer(out, SCHEMA, codec="deflate")
            while fold.position < before:
                for batch in await reader.read():
                    for record in batch:
                        if fold.position <= record.offset < before:
                            fold.apply(record)
                            fields = _fields(record)
                            writer.write(fields)
                            hash.update(repr(fields).encode())
                            count += 1
            writer.flush()
            out.flush()
            os.fsync(out.fileno())
    finally:
        await reader.close()
    return count, hash.digest()


def _read_back(file: Path) -> tuple[int, bytes]:
    count, hash = 0, blake2b(digest_size=32)
    with file.open("rb") as source:
        for fields in _records(source):
            hash.update(repr(fields).encode())
            count += 1
    return count, hash.digest()


def _records(source: BinaryIO) -> Iterator[dict[str, Any]]:
    for fields in read_container(source):
        if isinstance(fields, dict):
            yield fields


def schemas_file(directory: Path, choreography: str) -> Path:
    """Where the schemas are by which archived values are read."""
    return directory / f"{choreography}.schemas.json"


async def _keep_schemas(store: EventStore, to: Path, choreography: str) -> None:
    found = {**await store.catalogue.scan(PREFIX), **await store.catalogue.scan(NUMBERS)}
    schemas = {key.decode(): json.loads(value) for key, value in sorted(found.items())}
    file = schemas_file(_made(to), choreography)
    part = file.with_suffix(".json.part")
    with part.open("w") as out:
        json.dump(schemas, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)


def archived_records(file: Path) -> Iterator[Stored]:
    """The records of an archive file, in their order."""
    with file.open("rb") as source:
        for f in _records(source):
            headers = [(header["name"], header["value"]) for header in f["headers"]]
            yield Stored(f["partition"], f["offset"], f["time"], f["key"], f["value"], headers)


def _fields(record: Stored) -> dict[str, Any]:
    return {
        "partition": record.partition,
        "offset": record.offset,
        "time": record.time,
        "key": record.key,
        "value": record.value,
        "headers": [{"name": name, "value": value} for name, value in record.headers],
    }


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory
