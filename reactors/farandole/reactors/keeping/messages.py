"""What runs and schedules owe to other partitions is brought there, and sent again until it is known to be judged.

Two tasks that meet only in the log. One sends what is owed here; the other tells senders what became of that which came
here. Neither remembers anything that it could not lose: what was not acknowledged is sent again, the copy is refused and
acknowledged again.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from farandole.eventstore import AppendError, EventStore, Record, Stored, StoreError, StoreMisconfigured, TooLarge
from farandole.projections.fold import FIRST_NEWS, Applied, Message, Run, Schedule, Verdict
from farandole.reactors.about import of_run
from farandole.reactors.abroad import Abroad
from farandole.reactors.shown import text
from farandole.reactors.written import size_of
from farandole.schemas import UndecodableValue
from farandole.schemas.envelope import Kind, unpack
from farandole.schemas.kinship import PARKED, Birth, Sender

from .due import Due
from .duty import NEWS, RANK_WAIT, Duty, rank
from .letters import Letters, sender_of

if TYPE_CHECKING:
    from farandole.reactors.partition import Serving
    from farandole.reactors.scribe import Scribe

log = logging.getLogger("farandole.keeper")

_AT_ONCE: Final = 500
_AGAIN: Final = 5_000
"""Milliseconds until a message is sent a second time; then twice as long each time."""
_MOST_AGAIN: Final = 300_000


class _Letter(NamedTuple):
    """A message on its way."""

    serving: "Serving"
    sender: bytes
    message: Message
    sent: int
    """How often it was sent from here."""


class _Post(NamedTuple):
    """A record on its way to a log."""

    choreography: str
    record: Record
    instead: "Callable[[], _Post] | None" = None
    """What goes in its place if that log does not take a record of this size."""


class Messages(Duty):
    """Brings messages to their partitions.

    Args:
        abroad: the logs of other choreographies.
    """

    def __init__(self, store: EventStore, scribe: "Scribe", service: str, abroad: Abroad) -> None:
        self._store = store
        self._scribe = scribe
        self._service = service
        self._abroad = abroad
        self._letters = Letters(scribe)
        self._due: Due[_Letter] = Due(self._now)
        self._behind: dict[tuple[int, bytes], list[_Letter]] = {}
        """Messages that wait for an earlier one to the same run, by partition and sender."""
        self._missing: set[str] = set()
        """Choreographies of which it was said that they are not there."""
        self._answers: list[_Post] = []
        self._answering = asyncio.Event()

    # ── what is noted ────────────────────────────────────────────────────────────────────────────────────────────────

    def note(self, serving: "Serving", record: Stored, out: Applied) -> None:
        if not serving.restored:
            return
        for sender, message in out.messages:
            self._add(serving, sender, message)
        e = out.envelope
        if e is None or not e.causation or e.kind not in NEWS:
            return
        if e.kind == Kind.DELIVERED:
            for letter in self._behind.pop((serving.fold.partition, record.key or b""), ()):
                self._due.add(self._now(), letter)
        elif rank(serving, self._service) < max(e.attempt, 1):
            self._answer(record, out)

    def restored(self, serving: "Serving") -> None:
        self._drop(serving.fold.partition)
        for sender, messages in _owed(serving):
            for message in messages:
                self._add(serving, sender, message)

    def forget(self, partition: int) -> None:
        self._drop(partition)

    def _drop(self, partition: int) -> None:
        self._due.drop(lambda letter: letter.serving.fold.partition == partition)
        for place in [place for place in self._behind if place[0] == partition]:
            del self._behind[place]

    def _add(self, serving: "Serving", sender: bytes, message: Message) -> None:
        wait = int(rank(serving, self._service) * RANK_WAIT * 1000)
        self._due.add(self._now() + wait, _Letter(serving, sender, message, 0))

    def _answer(self, record: Stored, out: Applied) -> None:
        e = out.envelope
        verdict = Verdict(out.verdict)
        if e is None or (e.kind == Kind.CANCEL and verdict is Verdict.TOO_LATE):
            return  # it has not acted, and is sent again
        to = sender_of(record, e)
        if to is None:
            return
        if verdict is Verdict.RUN_EXISTS and out.run is not None and out.run.start == e.id:
            verdict = Verdict.ADMITTED  # a copy of the start that opened it
        choreography, key, id, n, offset, of_schedule = to
        self._answers.append(_Post(choreography, self._letters.delivered(key, id, n, verdict, offset, of_schedule)))
        self._answering.set()

    # ── what is done ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self, partitions: "Mapping[int, Serving]") -> None:
        await asyncio.gather(self._send_what_is_due(partitions), self._say_what_became_of_it())

    async def _send_what_is_due(self, partitions: "Mapping[int, Serving]") -> None:
        while True:
            letters = await self._due.next(_AT_ONCE)
            by_serving: dict[int, list[_Letter]] = {}
            for letter in letters:
                serving = letter.serving
                kept = serving.active and serving.restored and serving.stopped is None
                if kept and partitions.get(serving.fold.partition) is serving:
                    by_serving.setdefault(serving.fold.partition, []).append(letter)
            await asyncio.gather(*(self._send(group) for group in by_serving.values()))

    async def _say_what_became_of_it(self) -> None:
        while True:
            await self._answering.wait()
            self._answering.clear()
            answers, self._answers = self._answers, []
            await asyncio.gather(*(self._append(*each) for each in _together(answers)))

    async def _send(self, letters: Sequence[_Letter]) -> None:
        """Send messages of one partition, each unless it is owed no longer or an earlier one goes to the same run."""
        serving = letters[0].serving
        firsts: dict[int, Mapping[tuple[bytes, bytes], Message]] = {}
        going: list[tuple[_Letter, Run | Schedule]] = []
        for letter in letters:
            message, sender = letter.message, _sender(letter)
            if sender is None:
                continue
            if not _goes_first(message, sender, firsts):
                self._behind.setdefault((serving.fold.partition, letter.sender), []).append(letter)
                continue
            going.append((letter, sender))
            wait = min(_AGAIN << min(letter.sent, 16), _MOST_AGAIN)
            self._due.add(self._now() + wait, letter._replace(sent=letter.sent + 1))
        if not going:
            return
        written: list[_Post | None] = []
        try:
            found = await self._fetch(serving.fold.partition, going)
        except StoreError as e:
            partition = serving.fold.partition
            log.warning("messages of partition %d are put off: %s", partition, e, extra={"partition": partition})
            return
        for letter, sender in going:
            try:
                written.append(await self._write(letter, sender, found))
            except (AppendError, StoreError) as e:
                to = text(letter.message.to)
                log.warning("a message to choreography '%s' is put off: %s", to, e, extra=_about(letter, sender))
        await asyncio.gather(*(self._append(*each) for each in _together([w for w in written if w is not None])))

    async def _fetch(self, partition: int, going: Sequence[tuple[_Letter, "Run | Schedule"]]) -> Mapping[int, Stored]:
        """The records that these messages are made of."""
        offsets = set()
        for letter, sender in going:
            offsets.add(letter.message.offset)
            if isinstance(sender, Run) and letter.message.n >= FIRST_NEWS:
                offsets.add(sender.offset)
        return {record.offset: record for record in await self._store.fetch(partition, sorted(offsets))}

    async def _write(self, letter: _Letter, sender: "Run | Schedule", found: Mapping[int, Stored]) -> _Post | None:
        """The record of a message; or, if it can never come to where it should, the word that it was not delivered."""
        message, settle = letter.message, letter.serving.fold.settings.settle
        to, attempt = text(message.to), self._attempt(letter)
        try:
            most = (await self._abroad.store(to)).max_record_bytes
        except StoreMisconfigured as e:
            if self._now() - message.since < settle:
                level = logging.INFO if to in self._missing else logging.WARNING
                self._missing.add(to)
                log.log(level, "a message to choreography '%s' is put off: %s", to, e, extra=_about(letter, sender))
                return None
            return self._undelivered(letter, sender, str(e))
        record = self._record(letter, sender, attempt, found)
        name = message.name
        instead = partial(self._instead, letter, sender, attempt, found)
        if size_of(record) > most:
            return instead()
        if name and message.kind in (Kind.START, Kind.CHILD_ENDED):
            try:
                await self._abroad.carry(text(name), unpack(record.headers).schema, to)
            except UndecodableValue as e:
                log.warning(
                    "the schema of %s cannot be brought to choreography '%s': %s", text(name), to, e,
                    extra=_about(letter, sender),
                )  # fmt: skip
        return _Post(to, record, instead)

    def _instead(self, letter: _Letter, sender: "Run | Schedule", attempt: int, found: Mapping[int, Stored]) -> _Post:
        """What goes in the place of a message that is too large where it should go: it is never not told at all."""
        message, to = letter.message, text(letter.message.to)
        larger = f"larger than the log of '{to or self._scribe.choreography}' takes"
        if message.kind != Kind.CHILD_ENDED or not isinstance(sender, Run):
            return self._undelivered(letter, sender, f"it is {larger}")
        record = self._letters.failed(message, sender, attempt, _type(found, sender), f"its End is {larger}")
        return _Post(to, record)

    def _record(self, letter: _Letter, sender: "Run | Schedule", attempt: int, found: Mapping[int, Stored]) -> Record:
        message, letters, source = letter.message, self._letters, found[letter.message.offset]
        if message.kind == Kind.START:
            return letters.start(message, self._signed(letter, sender, source), attempt, source)
        if message.kind == Kind.CANCEL:
            signed = self._signed(letter, sender, source)
            return letters.cancel(message, signed, attempt, letter.serving.fold.log_time)
        if not isinstance(sender, Run):
            raise TypeError(f"schedule '{text(sender.name)}' has no parent to tell")
        if message.kind == Kind.CHILD_ENDED:
            return letters.ended(message, sender, attempt, source)
        why = letters.why(source, parked=bool(message.flags & PARKED))
        return letters.failed(message, sender, attempt, _type(found, sender), *why)

    def _signed(self, letter: _Letter, sender: "Run | Schedule", bearing: Stored) -> Sender:
        """Who sends a start or a cancel."""
        message = letter.message
        home = b"" if self._abroad.is_home(text(message.to)) else self._scribe.choreography.encode()
        if isinstance(sender, Schedule):
            return Sender(True, False, 0, message.offset, home, letter.sender)
        birth = Birth.read(unpack(bearing.headers).extra)
        parent = sender.pending.parent if sender.pending is not None else None
        depth = 1 if parent is None else parent.depth + 1
        return Sender(False, birth is not None and birth.detach, depth, message.offset, home, letter.sender)

    def _undelivered(self, letter: _Letter, sender: "Run | Schedule", error: str) -> _Post:
        message = letter.message
        record = self._letters.delivered(
            letter.sender,
            message.id,
            message.n,
            Verdict.UNREADABLE,
            message.offset,
            isinstance(sender, Schedule),
            error,
        )
        return _Post("", record)

    async def _append(self, choreography: str, posts: Sequence[_Post]) -> None:
        """Append records to a log, each to the partition of its key. What fails is sent again one day."""
        try:
            store = await self._abroad.store(choreography)
            by_partition: dict[int, list[_Post]] = {}
            for post in posts:
                by_partition.setdefault(store.partition_of(post.record.key or b""), []).append(post)
            for partition, group in by_partition.items():
                await self._put(store, partition, group)
        except (AppendError, StoreError) as e:
            where = f"choreography '{choreography}'" if choreography else "other partitions"
            log.warning("messages to %s could not be appended, and are sent again: %s", where, e)

    async def _put(self, store: EventStore, partition: int, posts: Sequence[_Post]) -> None:
        try:
            await store.append(partition, [post.record for post in posts])
        except TooLarge:
            if len(posts) > 1:
                for post in posts:
                    await self._put(store, partition, (post,))
                return
            (post,) = posts
            if post.instead is None:
                raise
            other = post.instead()
            await self._append(other.choreography, (other,))

    def _attempt(self, letter: _Letter) -> int:
        """Which sending this is, by its age: the later, the more services are asked to acknowledge it."""
        return max(letter.sent, (self._now() - letter.message.since) // _AGAIN) + 1

    def _now(self) -> int:
        return self._scribe.now() // 1000


def _owed(serving: "Serving") -> Iterator[tuple[bytes, Sequence[Message]]]:
    """All messages that a partition owes, by sender."""
    for id, run in serving.fold.runs.items():
        if run.pending is not None and run.pending.messages:
            yield id, tuple(run.pending.messages.values())
    for name, schedule in serving.fold.schedules.items():
        if schedule.messages:
            yield name, tuple(schedule.messages.values())


def _sender(letter: _Letter) -> "Run | Schedule | None":
    """Who owes a message; None: nobody does any more."""
    message, fold = letter.message, letter.serving.fold
    run, schedule = fold.runs.get(letter.sender), fold.schedules.get(letter.sender)
    if run is not None and run.pending is not None and _owes(run.pending.messages, message):
        return run
    return schedule if schedule is not None and _owes(schedule.messages, message) else None


def _owes(messages: Mapping[tuple[bytes, int], Message] | None, message: Message) -> bool:
    return messages is not None and messages.get((message.id, message.n)) is message


def _goes_first(
    message: Message, sender: "Run | Schedule", firsts: dict[int, Mapping[tuple[bytes, bytes], Message]]
) -> bool:
    """Whether no earlier message of the sender goes to the same run; if one does, it is waited for.

    Args:
        firsts: what was found out of other senders, to add to.
    """
    found = firsts.get(id(sender))
    if found is None:
        if isinstance(sender, Schedule):
            messages = sender.messages
        else:
            messages = sender.pending.messages if sender.pending is not None else None
        first: dict[tuple[bytes, bytes], Message] = {}
        for each in (messages or {}).values():
            first.setdefault((each.to, each.key), each)
        found = firsts[id(sender)] = first
    return found[message.to, message.key] is message


def _type(found: Mapping[int, Stored], run: Run) -> bytes:
    """Wire name of a run's start."""
    return unpack(found[run.offset].headers).type


def _together(posts: Sequence[_Post]) -> Sequence[tuple[str, Sequence[_Post]]]:
    """By choreography."""
    found: dict[str, list[_Post]] = {}
    for post in posts:
        found.setdefault(post.choreography, []).append(post)
    return tuple(found.items())


def _about(letter: _Letter, sender: "Run | Schedule") -> dict[str, object]:
    partition = letter.serving.fold.partition
    return of_run(partition, sender.id) if isinstance(sender, Run) else {"partition": partition}
