"""What failed for good, grouped by cause; and retrying all of one cause at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from farandole.eventstore import Record, Stored
from farandole.projections.fold import Applied, Pair, Run, Verdict
from farandole.schemas import UndecodableValue
from farandole.schemas.envelope import Kind

from .follower import Follower
from .shown import text

if TYPE_CHECKING:
    from .client import Client

_AT_ONCE: Final = 500
"""Records that are fetched or appended together."""
OVERFLOWED: Final = "overflowed"
"""The fingerprint of events for which a join had no room."""


@dataclass(frozen=True, slots=True)
class ParkedStep:
    """A step that failed for good, and that nobody has dealt with."""

    run_id: str
    reactor: str
    partition: int
    failure_id: str
    """By which it is retried."""
    at: int
    """When it was parked, in milliseconds since 1970 UTC."""
    fingerprint: str
    """The same for failures of one cause: of one kind of error, raised in one place of the code."""
    error: str
    message: str
    undoes: bool = False
    """Whether it is a compensation."""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Parked steps of one reactor that failed by one cause."""

    fingerprint: str
    reactor: str
    error: str
    """The error's class, with its module."""
    message: str
    """That of the latest of them."""
    runs: tuple[str, ...]
    """Ids of the runs, the one that failed last first."""
    steps: int
    first: int
    """When the first of them was parked, in milliseconds since 1970 UTC."""
    last: int
    undoes: bool = False
    """Whether it is compensations that failed, and not the steps that they undo."""


class ParkedSteps:
    """Reads a log to its end for what is parked. Close it when done."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._follower = Follower(client.store)
        self._follower.listener = self._note
        self._parked: dict[bytes, Stored] = {}
        """The record that parked each, by its id; those of what goes on again are let go."""
        self._asked: dict[bytes, Verdict | None] = {}
        """What became of the retries that were sent."""

    async def read(self) -> list[ParkedStep]:
        """All steps that are parked now, oldest first.

        Raises:
            StoreError: the log cannot be read.
        """
        store = self._client.store
        await self._follower.up_to_date(range(store.partitions))
        found = []
        for partition in range(store.partitions):
            for run in self._follower.fold(partition).runs.values():
                found += [self._step(partition, run, pair) for pair in run.owed.values() if pair.parked]
        return sorted(found, key=lambda step: (step.at, step.run_id, step.failure_id))

    async def retry(self, steps: Iterable[ParkedStep], *, why: str, by: str) -> int:
        """Make parked steps owed again.

        Returns:
            How many are; others went on, ended or were retried by somebody else meanwhile.

        Raises:
            AppendError: a record could not be appended within half a minute; those before it were.
        """
        client = self._client
        wanted: dict[int, list[Record]] = {}
        seen = set[tuple[str, str]]()
        for step in steps:
            if (step.run_id, step.failure_id) in seen:
                continue  # events that overflowed from several joins are retried together
            seen.add((step.run_id, step.failure_id))
            content = {"failure_id": step.failure_id, "reason": why, "by": by}
            record = client.scribe.command(
                Kind.RETRY, step.run_id.encode(), content, client.not_after("10m"), causation=step.failure_id.encode()
            )
            self._asked[dict(record.headers)["ce_id"]] = None
            wanted.setdefault(step.partition, []).append(record)
        for partition, records in wanted.items():
            for begin in range(0, len(records), _AT_ONCE):
                await client.append_to(partition, records[begin : begin + _AT_ONCE])
        if wanted:
            await self._follower.up_to_date(tuple(wanted))
        return sum(verdict is Verdict.ADMITTED for verdict in self._asked.values())

    async def close(self) -> None:
        await self._follower.close()

    def _note(self, record: Stored, out: Applied) -> None:
        e = out.envelope
        if e is None:
            return
        for run, pair in out.settled:
            if pair.parked and run.owed.get(pair.key) is pair:
                self._parked[pair.parked] = record
            else:
                self._parked.pop(pair.parked, None)
        if e.kind == Kind.RETRY:
            if out.verdict is Verdict.ADMITTED:
                self._parked.pop(e.causation, None)
            if e.id in self._asked:
                self._asked[e.id] = Verdict(out.verdict)

    def _step(self, partition: int, run: Run, pair: Pair) -> ParkedStep:
        record = self._parked.get(pair.parked)
        error, message, fingerprint, at = "", "", "", pair.since
        if pair.overflowed:
            fingerprint = error = OVERFLOWED
            message = f"a join of {text(pair.reactor)} holds too many events that wait for others"
        if record is not None:
            at = record.time
            if not pair.overflowed:
                try:
                    content = self._client.failure(record)
                    error, message, fingerprint = content["error"], content["message"], content["fingerprint"]
                except UndecodableValue as e:
                    message = f"what it failed with cannot be read here: {e}"
        return ParkedStep(
            text(run.id), text(pair.reactor), partition, text(pair.parked), at, fingerprint, error, message, pair.undoes
        )  # fmt: skip


def grouped(steps: Sequence[ParkedStep]) -> list[FailureGroup]:
    """Parked steps by reactor and cause, the largest group first."""
    groups: dict[tuple[str, str, bool], list[ParkedStep]] = {}
    for step in steps:
        groups.setdefault((step.fingerprint, step.reactor, step.undoes), []).append(step)
    found = []
    for (fingerprint, reactor, undoes), parked in groups.items():
        newest = max(parked, key=lambda step: step.at)
        runs = dict.fromkeys(step.run_id for step in sorted(parked, key=lambda step: -step.at))
        first = min(step.at for step in parked)
        found.append(
            FailureGroup(
                fingerprint, reactor, newest.error, newest.message, tuple(runs), len(parked), first, newest.at, undoes
            )
        )
    return sorted(found, key=lambda group: (-group.steps, group.reactor, group.fingerprint))


async def failures(client: "Client") -> list[FailureGroup]:
    """What is parked in a log, by cause."""
    parked = ParkedSteps(client)
    try:
        return grouped(await parked.read())
    finally:
        await parked.close()


async def retry_all(
    client: "Client", *, fingerprint: str | None, reactor: str | None, limit: int | None, why: str, by: str
) -> int:
    """Make parked steps owed again, the oldest first: those of a cause, of a reactor, or all.

    Args:
        fingerprint: its beginning will do, if it is that of one cause.
        limit: at most so many.

    Returns:
        How many steps are owed again.

    Raises:
        ValueError: several causes begin with ``fingerprint``.
    """
    parked = ParkedSteps(client)
    try:
        steps = [s for s in await parked.read() if reactor in (None, s.reactor)]
        if fingerprint is not None:
            meant = {s.fingerprint for s in steps if s.fingerprint.startswith(fingerprint)}
            if len(meant) > 1:
                raise ValueError(f"several causes begin with {fingerprint}: {', '.join(sorted(meant))}")
            steps = [s for s in steps if s.fingerprint in meant]
        return await parked.retry(steps[:limit], why=why, by=by)
    finally:
        await parked.close()
