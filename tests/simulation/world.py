"""One simulated world: a log, machines that come and go, clocks, and whatever goes wrong between them."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from random import Random
from typing import Any

from farandole.eventstore import Record
from farandole.eventstore.clock import VIRTUAL_EPOCH
from farandole.projections.checkpoints import EVERY
from farandole.projections.fold import KNOWN_VERSION
from farandole.reactors.genesis import establish

from .catalogue import CATALOGUE
from .dances import CHECKPOINTS, Dance
from .dances.checkpoints import OFTEN
from .deployments import Version, repertoire
from .group import SimulatedGroup
from .handlers import Stage
from .log import SimulatedLog
from .machine import ClientMachine, Machine, Network, WorkerMachine
from .process import NEXT_VERSION, ManyProcesses
from .readers import by_digest
from .rules import Rules
from .store import MOST_BYTES


class World:
    """All that there is.

    Args:
        seed: decides everything.
        rules: which rules of the protocol hold.
        trace: told of what happens, line by line.
        dances: what its runs can do.

    Attributes:
        chance: the one source of all chance.
        repertoire: what can be deployed in it.
        every: how often checkpoints are written.
        calm: whether nothing goes wrong any more.
        problems: promises that were seen broken on the way.
        wrote: which machine made an append id.
    """

    epoch = VIRTUAL_EPOCH

    def __init__(
        self,
        seed: int,
        loop: ManyProcesses,
        rules: Rules,
        trace: Callable[[str], None] | None,
        dances: tuple[Dance, ...],
    ) -> None:
        self.seed = seed
        self.loop = loop
        self.rules = rules
        self.chance = Random(seed)
        self.dances = dances
        self.repertoire = repertoire(self.dances)
        self.every = OFTEN if CHECKPOINTS in self.dances else EVERY
        self.crowded = seed % 10 == 7
        """Whether others write in the middle of what arrives in pieces."""
        self.calm = False
        self.problems: list[str] = []
        self.wrote: dict[bytes, Machine] = {}
        self.garbage: set[tuple[int, int]] = set()
        self.spoilt: set[tuple[int, int]] = set()
        """Where events stand that can be admitted, and not be read."""
        self.ahead = 0
        """By how many milliseconds the clocks of the world are ahead of virtual time."""
        self.behind = 0
        """By how many milliseconds the clock of the log is wrong."""
        self.turned_back = False
        """Whether it ever was, by more than a little."""
        self.workers: list[WorkerMachine] = []
        self.clients: list[ClientMachine] = []
        self.visitors: list[ClientMachine] = []
        """Clients that came for one thing."""
        self.mail: list[tuple[int, tuple[Record, ...]]] = []
        """All that ever arrived, so that some of it can arrive again."""
        self.to_come = 0
        """How many appends are on their way."""
        self._trace = trace
        self._groups: dict[str, SimulatedGroup] = {}
        self._names = 0
        self._plain = Context()
        self._describe()
        self.log = SimulatedLog(self.partitions, self.stamp)
        self.log.catalogue.update(CATALOGUE)
        self.stage = Stage(self.chance, self.failing, self.slow)

    def _describe(self) -> None:
        """What kind of world it is."""
        chance = self.chance
        self.partitions = chance.choice([1, 1, 2])
        self.trouble = chance.choice([0.3, 1.0, 1.0, 2.0])
        """How much goes wrong."""
        self.failing = chance.choice([0.0, 0.1, 0.25])
        self.slow = chance.choice([0.5, 1.0, 6.0, 20.0])
        self.settings = {
            "settle": chance.choice([0, 20_000, 600_000]),
            "dedup_window": chance.choice([20_000, 120_000, 86_400_000]),
            "expire_after": chance.choice([0, 0, 0, 90_000]),
            "drain": chance.choice([0, 2, 4]),
            "lost_most": 3,
            "depth": 3,
        }
        self.memory = chance.choice([64 << 20, 64 << 20, 3_000])
        """Bytes of records and histories that a worker keeps at hand."""
        self.takes = chance.choice([MOST_BYTES, MOST_BYTES * 3 // 5])
        """Bytes of the largest record that the log takes, which may be less than its clients believe."""
        self.upgraded = chance.random() < 0.7
        """Whether new processes know the next fold version, which may then come into force."""

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def time(self) -> int:
        """Milliseconds since 1970 UTC."""
        return self.epoch + self.ahead + int(self.loop.time() * 1000)

    def stamp(self) -> int:
        """The clock of the log: it may step back a little."""
        return self.time() - (self.chance.choice([0, 0, 0, 5, 300]) + self.behind if not self.calm else 0)

    def skew(self) -> int:
        """By how many milliseconds the clock of one more machine is wrong; by none in calm, whatever is drawn."""
        drawn = 0 if self.chance.random() < 0.5 else self.chance.randrange(-600_000, 600_000)
        return 0 if self.calm else drawn

    def later(self, seconds: float, callback: Callable[..., object], *args: Any) -> None:
        """Let the world do something; no process is needed for it."""
        self.loop.call_later(seconds, callback, *args, context=self._plain)

    def note(self, what: str) -> None:
        if self._trace is not None:
            self._trace(f"{self.loop.time():9.3f}  {what}")

    # ── the network ──────────────────────────────────────────────────────────────────────────────────────────────────

    def network(self) -> Network:
        """The network of one more machine."""
        if self.calm:
            return Network()
        chance, much = self.chance, self.trouble
        return Network(
            delay=chance.choice([0.01, 0.05, 0.5]),
            refused=0.03 * much * chance.random(),
            lost=0.03 * much * chance.random(),
            late=0.05 * much * chance.random(),
            split=0.5 * much * chance.random(),
            doubled=0.1 * much * chance.random(),
            doubt=0.06 * much * chance.random(),
            unread=0.03 * much * chance.random(),
            astray=0.002 * much * chance.random(),
            stale=chance.choice([0, 0, 0, 0.5, 3.0]),
            cut=chance.choice([0, 0.5]),
        )

    def post(
        self, partition: int, records: tuple[Record, ...], seconds: float, arrived: "asyncio.Future[int] | None" = None
    ) -> None:
        """Send records on their way."""
        self.to_come += 1
        self.later(seconds, self._deliver, partition, records, arrived)

    def _deliver(self, partition: int, records: tuple[Record, ...], arrived: "asyncio.Future[int] | None") -> None:
        self.to_come -= 1
        first = self.log.append(partition, records)
        if not self.calm:
            self.mail.append((partition, records))
        if arrived is not None and not arrived.done():
            arrived.set_result(first)

    # ── machines ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def establish(self, machine: Machine) -> None:
        """What each process does first with the log."""
        while True:
            try:
                await establish(machine.store, machine.scribe, self.settings)
            except Exception as e:
                self.note(f"{machine}: {e}")
                await asyncio.sleep(0.5)
            else:
                return

    def group(self, service: str) -> SimulatedGroup:
        return self._groups.setdefault(service, SimulatedGroup(self, service))

    @property
    def groups(self) -> Sequence[SimulatedGroup]:
        return tuple(self._groups.values())

    def start_worker(self, version: Version, *, member: str | None = None, take_over: bool = False) -> WorkerMachine:
        self._names += 1
        name = f"{version.service}{version.number}#{self._names}"
        self.note(f"{name} starts{' as ' + member if member else ''}{' and takes over' if take_over else ''}")
        worker = WorkerMachine(self, name, version, member=member, take_over=take_over)
        self.workers.append(worker)
        return worker

    def start_client(self) -> ClientMachine:
        client = ClientMachine(self, f"client#{len(self.clients)}")
        self.clients.append(client)
        return client

    def start_visitor(self) -> ClientMachine:
        visitor = ClientMachine(self, f"visitor#{len(self.visitors)}")
        self.visitors.append(visitor)
        return visitor

    def alive(self, service: str | None = None) -> list[WorkerMachine]:
        """Workers that live, or are only frozen."""
        return [w for w in self.workers if w.alive and service in (None, w.version.service)]

    def mourn(self, machine: Machine) -> None:
        """The group notices that a member is gone, after a while."""
        if machine.member is not None:
            self.later(0 if self.calm else self.chance.random() * 6, machine.member.group.leave, machine.member)

    def take_for_dead(self, machine: Machine) -> None:
        """The group gives up on a member, which may yet live."""
        if machine.member is not None and machine.process.frozen:
            self.note(f"{machine} is taken for dead")
            machine.member.group.leave(machine.member)

    def rejoin(self, machine: Machine) -> None:
        """A member that was taken for dead learns of it, and joins again."""
        member = machine.member
        if member is None or machine.replaced or machine.process.frozen or not machine.alive:
            return
        if member.name not in member.group.members:
            member.share(frozenset())
            machine.nudge()
            member.group.join(member)

    def ended(self, machine: WorkerMachine, task: "asyncio.Task[Any]") -> None:
        """A worker came to its end by itself."""
        if task.cancelled():
            return
        error = task.exception()
        self.note(f"{machine} has ended{'' if error is None else f': {error!r}'}")
        if error is not None and not machine.replaced and not self.closing:
            self.problems.append(f"{machine} broke down: {type(error).__name__}: {error}")

    closing = False

    def newest(self) -> int:
        """The fold version that one more process knows: mostly the next one, but some are rolled back too far."""
        if not self.upgraded:
            return KNOWN_VERSION
        in_force = any(transcript.fold.version >= NEXT_VERSION for transcript in self.log.transcripts)
        older = 0.0 if self.calm else 0.3 if in_force else 0.02
        return KNOWN_VERSION if self.chance.random() < older else NEXT_VERSION

    def all_releases(self, service: str) -> Sequence[Version]:
        return (*self.repertoire.releases[service], self.repertoire.complete[service])

    # ── what is seen on the way ──────────────────────────────────────────────────────────────────────────────────────

    def compare(self) -> None:
        """Hold the digests of all readers against the log's."""
        self.problems += by_digest(self)

    def astray(self, process: str) -> int:
        """How often a worker was told that its position is gone."""
        return next((w.astray for w in self.workers if w.name == process), 0)

    def birth(self, process: str) -> float:
        """When a process began, in seconds of virtual time."""
        return next(w.born for w in self.workers if w.name == process)

    def unhandled(self, context: dict[str, Any]) -> None:
        """An error that nobody waited for."""
        if not self.closing:
            self.problems.append(f"unhandled: {context.get('message')}: {context.get('exception')!r}")

    async def end(self) -> None:
        """Take everything down, so that nothing is left behind; nothing of it reaches the log."""
        self.closing = self.stage.over = True
        self.log.closed = True
        for machine in (*self.workers, *self.clients, *self.visitors):
            machine.process.fuse = None
            await machine.store.inner.close()
        for machine in (*self.workers, *self.clients, *self.visitors):
            machine.process.thaw()
        this = asyncio.current_task()
        for _ in range(50):
            tasks = [task for task in asyncio.all_tasks(self.loop) if task is not this]
            if not tasks:
                return
            for task in tasks:
                task.cancel()
            await asyncio.sleep(1)

    def forget(self) -> None:
        """Let go of what is large. Objects that refer to each other would else wait for the collector, which is slow."""
        for host in self.workers:
            if host.worker is not None:
                for serving in host.worker.partitions.values():
                    vars(serving.fold).clear()
                vars(host.worker).clear()
        for client in (*self.clients, *self.visitors):
            for fold in client.client.follower._folds.values():
                vars(fold).clear()
            vars(client.client.follower).clear()
        for transcript in self.log.transcripts:
            vars(transcript.fold).clear()
            transcript.lines.clear()
        for machine in (*self.workers, *self.clients, *self.visitors):
            vars(machine).clear()
        for part in (self.log, self.stage.executions, *self._groups.values()):
            part.clear() if isinstance(part, list) else vars(part).clear()
        vars(self).clear()
