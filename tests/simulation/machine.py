"""Machines of a simulated world: each has a clock that is wrong, a bad network, and a process of the product on it."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from farandole.eventstore import LoopClock, StoreClosed, StoreError
from farandole.eventstore.memory import MemoryStore
from farandole.reactors import Client, RunHandle
from farandole.reactors.dispatch import Work
from farandole.reactors.errors import ClientError
from farandole.reactors.follower import Follower
from farandole.reactors.scribe import Scribe
from farandole.reactors.worker import Worker

from . import events as e
from .begun import begun_wrongly
from .deployments import CLIENT_TYPES, Version
from .group import SimulatedMember
from .handlers import STAGE, WORK
from .process import NEXT_VERSION, Process
from .store import FaultyStore

if TYPE_CHECKING:
    from .world import World


@dataclass(slots=True)
class Network:
    """How bad the way to the log is: probabilities, and seconds."""

    delay: float = 0.02
    refused: float = 0.0
    lost: float = 0.0
    late: float = 0.0
    split: float = 0.0
    doubled: float = 0.0
    doubt: float = 0.0
    unread: float = 0.0
    astray: float = 0.0
    stale: float = 0.0
    """By how many seconds what is read is old."""
    cut: float = 0.0
    away: bool = False


class Machine:
    """What workers and clients have in common.

    Attributes:
        skew: by how many milliseconds its clock is wrong.
        replaced: whether another process took its place in the group.
        astray: how often its reader was told that its position is gone.
    """

    def __init__(self, world: "World", name: str, origin: str, types: Any) -> None:
        self.world = world
        self.name = name
        self.process = Process(world.loop, name)
        self.process.burnt = self.kill
        self.process.knows = world.newest()
        self.net = world.network()
        self.skew = world.skew()
        self.member: SimulatedMember | None = None
        self.replaced = False
        self.astray = 0
        self.born = world.loop.time()
        self.nudged = False
        inner = MemoryStore(world.log, "memory://", e.NAME, LoopClock(world.epoch))
        self.store = FaultyStore(inner, self)
        self.appends: list[bytes] = []
        self.scribe = Scribe(
            e.NAME,
            origin,
            types,
            self.now,
            new_append=self._new_append,
            new_id=lambda: b"x%032x" % world.chance.getrandbits(128),
        )
        self.task: asyncio.Task[Any] | None = None

    def __repr__(self) -> str:
        return self.name

    def now(self) -> int:
        """Microseconds by this machine's clock."""
        return (self.world.time() + self.skew) * 1000

    def _new_append(self) -> bytes:
        append = self.world.chance.randbytes(16)
        self.world.wrote[append] = self
        return append

    @property
    def alive(self) -> bool:
        return not self.process.dead and self.task is not None and not self.task.done()

    def nudge(self) -> None:
        """Let its reader look up, for something else than the log has changed."""
        self.nudged = True
        self.world.log.bell.ring()

    def kill(self) -> None:
        """At once, between any two of its callbacks; nothing of it runs again."""
        if not self.process.dead:
            self.process.kill()
            self.world.note(f"{self.name} is killed")
            self.world.mourn(self)

    def freeze(self) -> None:
        self.process.freeze()
        self.world.note(f"{self.name} freezes")

    def thaw(self) -> None:
        if not self.process.dead and self.process.frozen:
            self.world.note(f"{self.name} goes on")
            self.process.thaw()


class WorkerMachine(Machine):
    """A machine with one worker of one release."""

    def __init__(
        self, world: "World", name: str, version: Version, *, member: str | None = None, take_over: bool = False
    ) -> None:
        super().__init__(world, name, version.service, version.types)
        self.version = version
        self.member_name = member
        self.take_over = take_over
        self.worker: Worker | None = None
        self.running: asyncio.Task[Any] = self.process.spawn(self._main())
        self.running.add_done_callback(lambda task: world.ended(self, task))
        self.task = self.running

    async def _main(self) -> None:
        STAGE.set(self.world.stage)
        await self.world.establish(self)
        chance = self.world.chance
        self.worker = worker = Worker(
            self.version.choreography,
            self.store,
            self.scribe,
            {h.id: {} for r in self.version.choreography.reactors for h in r.handlers()},
            member=self.member_name,
            take_over=self.take_over,
            grace=2.0,
            memory=self.world.memory,
            random=chance.random,
            checkpoints=self.world.every,
        )
        perform = worker.dispatcher._perform

        async def watched(work: Work) -> None:
            before = WORK.set(work)
            self.world.stage.wrong += (f"{self} began {what}" for what in begun_wrongly(worker.leases.holder, work))
            try:
                await perform(work)
            finally:
                WORK.reset(before)

        worker.dispatcher._perform = watched
        await worker.run()

    def stop(self) -> None:
        """Gracefully."""
        if self.worker is not None:
            self.worker.stop()
        else:
            self.kill()


class ClientMachine(Machine):
    """A machine with a client on it."""

    def __init__(self, world: "World", name: str) -> None:
        super().__init__(world, name, "client", CLIENT_TYPES)
        self.process.knows = NEXT_VERSION
        self.client = Client(self.store, self.scribe, owns_store=False)
        self.client.follower = Follower(self.store, restores=True, every=world.every)
        self.tasks: set[asyncio.Task[Any]] = set()
        self._handles: dict[str, RunHandle] = {}

    @property
    def alive(self) -> bool:
        return not self.process.dead

    def run(self, run_id: str) -> RunHandle:
        """A run, of which this client mostly holds the handle: then it watches it. At times it looks it up anew."""
        if run_id not in self._handles or self.world.chance.random() < 0.3:
            self._handles[run_id] = self.client.run(run_id)
        return self._handles[run_id]

    def do(self, coroutine: Any, what: str) -> None:
        """Do something, whose refusal is no news."""
        self.world.note(f"{self.name}: {what}")
        task = self.process.spawn(self._try(coroutine), what)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _try(self, coroutine: Any) -> None:
        try:
            async with asyncio.timeout(60):
                await coroutine
        except (ClientError, TimeoutError, StoreClosed):
            pass
        except StoreError as error:
            self.world.note(f"{self.name}: {error}")
