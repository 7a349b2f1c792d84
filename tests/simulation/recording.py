"""python -m simulation.recording: keep logs, and what the fold of this release makes of each of their records.

A log that was written once is folded alike by every later release. So the logs of a few worlds are kept for each release, in
`recorded/`, and are never recorded anew: a fold that makes something else of it has other rules, which need a fold version
of their own and hold from its record on.
"""

import argparse
import json
import lzma
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from farandole.eventstore import Stored
from farandole.projections.fold import KNOWN_VERSION, Verdict

from .dances import FIRST, MORE, Dance
from .run import run_seed
from .transcript import Line, Transcript
from .world import World

FOLDER: Final = Path(__file__).with_name("recorded")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A log that was kept.

    Attributes:
        records: partition by partition.
        made: for each record, the verdict and what else it did, in short.
        digests: of each partition at its end.
    """

    release: str
    fold_version: int
    digests: tuple[int, ...]
    records: tuple[Stored, ...]
    made: tuple[str, ...]

    @property
    def partitions(self) -> int:
        return len(self.digests)

    @classmethod
    def read(cls, path: Path) -> "Recorded":
        head, *lines = map(json.loads, lzma.decompress(path.read_bytes()).splitlines())
        records = tuple(_record(*line[:-1]) for line in lines)
        made = tuple(line[-1] for line in lines)
        return cls(head["release"], head["fold_version"], tuple(head["digests"]), records, made)

    def write(self, path: Path) -> None:
        head = {"release": self.release, "fold_version": self.fold_version, "digests": self.digests}
        lines = ([*_plain(record), made] for record, made in zip(self.records, self.made, strict=True))
        text = "\n".join(json.dumps(line, separators=(",", ":")) for line in (head, *lines))
        path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))

    def fold(self) -> list[Transcript]:
        """What the fold of today makes of it."""
        transcripts = [Transcript(p, self.partitions) for p in range(self.partitions)]
        for record in self.records:
            transcripts[record.partition].take(record)
        return transcripts


def made_of(transcripts: Iterable[Transcript]) -> tuple[str, ...]:
    """Of each record its verdict, and a hash of all that it did."""
    return tuple(f"{line.verdict.name} {_did(line)}" for transcript in transcripts for line in transcript.lines)


def _did(line: Line) -> str:
    admitted = [(fact.id, fact.type, fact.offset, fact.flags, fact.hops) for fact in line.admitted]
    contracts = [contract.id for contract in line.contracts]
    whole = (line.log_time, admitted, *map(tuple, (line.owed, line.settled, line.parked, line.closed)), contracts)
    return blake2b(repr((whole, line.result.name)).encode(), digest_size=5).hexdigest()


def _plain(record: Stored) -> list[Any]:
    headers = [[name, value.hex()] for name, value in record.headers]
    key, value = (None if each is None else each.hex() for each in (record.key, record.value))
    return [record.partition, record.offset, record.time, key, value, headers]


def _record(
    partition: int, offset: int, time: int, key: str | None, value: str | None, headers: list[tuple[str, str]]
) -> Stored:
    held = tuple((name, bytes.fromhex(value)) for name, value in headers)
    key_bytes, value_bytes = (None if each is None else bytes.fromhex(each) for each in (key, value))
    return Stored(partition, offset, time, key_bytes, value_bytes, held)


Various = frozenset[tuple[int, Verdict]]
"""Which kinds of records a log has, with which verdicts."""


def _candidates(most: int) -> list[tuple[Various, Recorded]]:
    """Logs of sound worlds that keep to the rules of this release."""
    found: list[tuple[Various, Recorded]] = []

    def keep(world: World) -> None:
        transcripts = world.log.transcripts
        if world.problems or any(transcript.fold.version > KNOWN_VERSION for transcript in transcripts):
            return
        lines = [line for transcript in transcripts for line in transcript.lines]
        various = frozenset((line.envelope.kind if line.envelope else 0, line.verdict) for line in lines)
        digests = tuple(transcript.fold.digest for transcript in transcripts)
        records = tuple(line.record for line in lines)
        found.append((various, Recorded(_release(), KNOWN_VERSION, digests, records, made_of(transcripts))))

    for seed in range(most):
        run_seed(seed, dances=_all, seen=keep)
    return found


def _release() -> str:
    return version("farandole")


def _all(seed: int) -> tuple[Dance, ...]:
    return (FIRST, *MORE)


def main() -> int:
    """Keep logs for this release; 1 if there are some."""
    parser = argparse.ArgumentParser(prog="simulation.recording", description=main.__doc__)
    parser.add_argument("--of", type=int, default=150, help="those in which most happens, of so many worlds")
    parser.add_argument("--logs", type=int, default=3, help="how many")
    args = parser.parse_args()
    if list(FOLDER.glob(f"{_release()}-*")):
        print(f"those of {_release()} are there, and stay as they are: another release keeps logs of its own")
        return 1
    FOLDER.mkdir(exist_ok=True)
    candidates, had = _candidates(args.of), Various()
    for n in range(args.logs):
        various, log = max(candidates, key=lambda candidate: len(candidate[0] - had))
        had |= various
        path = FOLDER / f"{_release()}-{n + 1}.jsonl.xz"
        log.write(path)
        print(f"{path}: {len(log.records)} records, {path.stat().st_size} bytes")
    print(f"{len(had)} kinds of records with their verdicts")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
