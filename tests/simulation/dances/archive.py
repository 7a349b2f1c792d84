"""What no open run needs any more leaves the log for files while all else goes on; some who archive die in the middle of it."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from farandole.projections.fold.checkpoint import Manifest, manifests_in
from farandole.reactors import Client, archive
from farandole.reactors.archive import Archived, archived_records
from farandole.reactors.keeping.checkpointing import Checkpointing

from .dance import Dance, Watcher

if TYPE_CHECKING:
    from simulation.play import Play
    from simulation.rules import Rule
    from simulation.world import World


def archive_the_log(play: "Play") -> None:
    """Somebody comes to archive it; mostly, the runs that keep it whole were cancelled before."""
    world, chance = play.world, play.chance
    if chance.random() < 0.7:
        for held in manifests_in(world.log.checkpoints).values():
            _cancel_before(play, held[:2][-1])
    world.later(chance.choice([0.0, 2.0, 6.0]), _visit, play)


def _cancel_before(play: "Play", checkpoint: Manifest) -> None:
    runs = play.world.log.transcripts[checkpoint.partition].fold.runs.values()
    for run in [run for run in runs if run.offset < checkpoint.position]:
        client = play.world.clients[0]
        client.do(client.run(run.id.decode()).cancel(), f"cancel {run.id.decode()}, which is old")


def _visit(play: "Play") -> None:
    world, chance = play.world, play.chance
    if play.over or world.calm:
        return
    visitor = world.start_visitor()
    if chance.random() < 0.3:
        visitor.process.fuse = chance.choice([30, 100, 200, 300, 400])
    visitor.do(_archive(world, visitor.client), "archive")


async def _archive(world: "World", client: Client) -> None:
    with TemporaryDirectory(prefix="farandole-sim-") as to:
        async for each in archive.archive(client, Path(to)):
            world.note(f"partition {each.partition} begins at {each.before}{f', for {each.why}' if each.why else ''}")
            if each.file is not None:
                world.problems += _wrong(world, each, each.file)


def _wrong(world: "World", done: Archived, file: Path) -> Iterator[str]:
    transcript = world.log.transcripts[done.partition]
    records = [line.record for line in transcript.lines[done.first : done.before]]
    if records != [record._replace(headers=tuple(record.headers)) for record in archived_records(file)]:
        yield f"the archive of partition {done.partition} does not hold what the log held"
    if any(run.offset < done.before for run in transcript.fold.runs.values()):
        yield f"what an open run of partition {done.partition} needs was archived"


class Beginning(Watcher):
    """With what the partition begins in the end."""

    def end(self) -> Iterator[str]:
        log, partition = self.judge.world.log, self.judge.transcript.fold.partition
        first, manifests = log.partitions[partition].first, manifests_in(log.checkpoints).get(partition, [])
        if first and not any(m.position == first and log.checkpoints.keys() >= {*m.parts} for m in manifests):
            yield f"no checkpoint is left at offset {first}, where the log begins since it was archived"


async def _nothing(self: Checkpointing, partition: int) -> set[int]:
    return set()


def _rules() -> "Sequence[Rule]":
    from simulation.rules import Rule

    def instead(where: object, name: str, what: object) -> Any:
        return partial(patch.object, where, name, what)

    return [
        Rule("what open runs need is not archived", "21", "needs was archived",
             [instead(archive, "_oldest", lambda fold: fold.position)]),
        Rule("the checkpoint with which an archived log begins stays", "21", "no checkpoint is left",
             [instead(Checkpointing, "_stay", _nothing)]),
    ]  # fmt: skip


ARCHIVE: Final = Dance("archive", actions=((archive_the_log, 6),), watchers=(Beginning,), switches=_rules)
"""Only where there are checkpoints."""
