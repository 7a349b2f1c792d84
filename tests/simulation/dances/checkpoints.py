"""Checkpoints every few records, so that whoever restores begins with one; some are broken, or of another log."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from farandole.projections.checkpoints import Checkpoints, Every
from farandole.projections.fold import Fold, closed
from farandole.projections.fold.checkpoint import MANIFESTS, Saver, manifests_in, reading
from farandole.projections.fold.commands import CommandIds
from farandole.reactors import pasts
from farandole.reactors.history import HistoryIndex

from .dance import Dance

if TYPE_CHECKING:
    from simulation.play import Play
    from simulation.rules import Rule

OFTEN: Final = Every(grid=16, least=24, times=0, look=4.0, rank=2.0)
CHUNK: Final = 4096


def break_a_checkpoint(play: "Play") -> None:
    """A chunk of the newest one is lost, or a bit of it turns."""
    entries, chance = play.world.log.checkpoints, play.chance
    found = [manifests[0] for manifests in manifests_in(entries).values() if manifests]
    spared = _spared(play)
    keys = [key for key in chance.choice(found).parts if key in entries and key not in spared] if found else []
    if keys:
        key = chance.choice(keys)
        play.world.note(f"{key.decode()} of the checkpoints breaks")
        value = entries.pop(key)
        if value and chance.random() < 0.5:
            at = chance.randrange(len(value))
            entries[key] = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


def lose_a_manifest(play: "Play") -> None:
    entries, spared = play.world.log.checkpoints, _spared(play)
    if manifests := sorted(key for key in entries if key.startswith(MANIFESTS) and key not in spared):
        del entries[play.chance.choice(manifests)]


def _spared(play: "Play") -> set[bytes]:
    """What nobody may lose: the checkpoints with which archived partitions begin, and all while one is being archived."""
    log = play.world.log
    if any(visitor.alive and visitor.tasks for visitor in play.world.visitors):
        return {*log.checkpoints}
    firsts = {(p, held.first) for p, held in enumerate(log.partitions) if held.first}
    manifests = [m for found in manifests_in(log.checkpoints).values() for m in found]
    begun = [m for m in manifests if (m.partition, m.position) in firsts]
    return {key for manifest in begun for key in (manifest.key, *manifest.parts)}


def mix_logs_up(play: "Play") -> None:
    """A checkpoint of another log, which had all records but one, comes to lie among ours."""
    world, chance = play.world, play.chance
    transcript = chance.choice(world.log.transcripts)
    lines = [line for line in transcript.lines if line.admitted or line.owed]
    if not lines:
        return
    without = chance.choice(lines).record.offset
    other = Fold(transcript.fold.partition, world.partitions)
    for line in transcript.lines:
        if line.record.offset != without:
            other.apply(line.record)
    if other.position != transcript.fold.position:
        return
    saver = Saver(other, chance.randbytes(16), CHUNK)
    while not saver.work(1000):
        pass
    world.note(f"a checkpoint of another log comes to lie at {saver.manifest.key.decode()}")
    world.log.checkpoints.update(saver.take())
    world.log.checkpoints[saver.manifest.key] = saver.manifest.encode()


async def _any_log(self: Checkpoints, *_: object) -> None:
    """Whatever stands before a checkpoint."""


def _rules() -> "Sequence[Rule]":
    from simulation.rules import Rule

    def instead(where: object, name: str, what: object) -> Any:
        return partial(patch.object, where, name, what)

    return [
        Rule("closed ids in the checkpoint", "21", "differs in closed ids",
             [instead(closed.ClosedIds, "restore", lambda *_: None)]),
        Rule("closed ids in the checkpoint, for starts", "21", "has another digest",
             [instead(closed.ClosedIds, "restore", lambda *_: None)]),
        Rule("a checkpoint is of a whole prefix", "21", "has another digest",
             [instead(reading._Reading, "_frames", lambda *_: {})]),
        Rule("ids of commands in the checkpoint", "21", "differs in command ids",
             [instead(reading, "CommandIds", lambda _: CommandIds())]),
        Rule("kept events in the checkpoint", "21", "has another digest",
             [instead(reading._Reading, "run", _keeping_nothing)]),
        Rule("a history from before the checkpoint", "reactors", "looked back and saw",
             [instead(pasts.RestoredHistory, "offsets", HistoryIndex.offsets)]),
        Rule("the last record is compared", "21", "has another digest",
             [instead(Checkpoints, "_is_of_this_log", _any_log)]),
    ]  # fmt: skip


def _keeping_nothing(self: reading._Reading, fields: Any) -> Any:
    return _run(self, {**fields, "kept": []})


_run = reading._Reading.run

CHECKPOINTS: Final = Dance(
    "checkpoints",
    actions=((break_a_checkpoint, 2), (lose_a_manifest, 1), (mix_logs_up, 2)),
    switches=_rules,
)
