"""Looking into an archive: one run, from the files that `archive` wrote, without the log that they are from."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from farandole.eventstore import Stored, partition_of
from farandole.projections.fold import Fold, RunStatus, status_of
from farandole.schemas import UndecodableValue, UnreadableHeaders, system_records
from farandole.schemas.envelope import Kind, unpack

from .archive import archived_records, schemas_file
from .errors import ClientError
from .shown import text
from .view import View


class ArchiveIncomplete(ClientError):
    """The files that a run may be in are not there, or not all of them."""


@dataclass(frozen=True, slots=True)
class ArchivedRun:
    """A run as the archive has it.

    Attributes:
        view: all its records, and what became of each; none if the archive does not know it.
        fold: its partition at the end of the archive.
    """

    view: View
    fold: Fold

    @property
    def status(self) -> RunStatus:
        """Its state at the end of the archive."""
        if self.view.run is None:
            return RunStatus(text(self.view.run_id), "absent", self.view.partition, self.fold.position)
        return status_of(self.fold, self.view.run)


class _File(NamedTuple):
    partition: int
    first: int
    before: int
    path: Path


def archived_run(directory: Path, choreography: str, run_id: str) -> ArchivedRun:
    """Fold what was archived of the partition that a run is in. Reads all of it, and keeps the run.

    Raises:
        ArchiveIncomplete: there are no such files, or what came before one of them is missing.
    """
    files = _files(directory, choreography)
    key = run_id.encode()
    partitions = _partitions(files, directory)
    partition = partition_of(key, partitions)
    view, fold = View(key, partition), Fold(partition, partitions)
    for file in files:
        if file.partition != partition or file.before <= fold.position:
            continue
        if file.first > fold.position:
            raise ArchiveIncomplete(
                f"{file.path.name} begins at offset {file.first}, and the file with what came before, from offset "
                f"{fold.position} on, is not in {directory}"
            )
        for record in archived_records(file.path):
            if record.offset >= fold.position:
                out = fold.apply(record)
                if record.key == key:
                    view.note(record, out, keep=True)
        # Of a log that leaves offsets out, the last ones may hold no record.
        fold.position = max(fold.position, file.before)
    return ArchivedRun(view, fold)


def archived_before(directory: Path, choreography: str, partition: int) -> Iterator[Stored]:
    """What was archived of a partition, from its first record on, as far as the files follow one another."""
    at = 0
    for file in _files(directory, choreography):
        if file.partition == partition and file.first <= at < file.before:
            yield from (record for record in archived_records(file.path) if record.offset >= at)
            at = file.before


def archived_schemas(directory: Path, choreography: str) -> Mapping[bytes, bytes]:
    """The catalogue's schemas, as they were when the archive was written last; empty if they are not there."""
    try:
        found = json.loads(schemas_file(directory, choreography).read_text())
    except FileNotFoundError:
        return {}
    return {key.encode(): json.dumps(value).encode() for key, value in found.items()}


def _files(directory: Path, choreography: str) -> Sequence[_File]:
    name = re.compile(rf"{re.escape(choreography)}\.(\d+)\.(\d+)-(\d+)\.avro")
    found = ((name.fullmatch(path.name), path) for path in directory.glob("*.avro"))
    return sorted(_File(int(m[1]), int(m[2]), int(m[3]), path) for m, path in found if m is not None)


def _partitions(files: Sequence[_File], directory: Path) -> int:
    """How many partitions the log has: the genesis of each says it."""
    for file in files:
        if file.first == 0:
            genesis = next(archived_records(file.path), None)
            try:
                if genesis is not None and unpack(genesis.headers).kind == Kind.GENESIS:
                    return int(system_records.GENESIS.decode(genesis.value)["partitions"])
            except (UnreadableHeaders, UndecodableValue):
                continue
    what = "the beginning of no partition" if files else "no archive of this choreography"
    raise ArchiveIncomplete(
        f"{directory} has {what}; its files are named <choreography>.<partition>.<first>-<before>.avro"
    )
