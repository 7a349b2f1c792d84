"""What goes wrong in a simulated world, one method for each kind of trouble."""

from farandole.eventstore import Record, partition_of
from farandole.projections.fold import Pair
from farandole.schemas.envelope import Kind, pack
from farandole.schemas.ids import derived_id

from . import events as e
from .machine import WorkerMachine
from .workload import Workload


class Mischief(Workload):
    """Each method does one thing, chosen by chance."""

    def _bring_up(self, service: str) -> None:
        for n in range(self.sizes[service]):
            self._start_worker(service, f"{service}-{n}" if self.chance.random() < 0.5 else None)

    def _start_worker(self, service: str, member: str | None = None) -> None:
        if self.over:
            return
        worker = self.world.start_worker(self.deployed[service], member=member, take_over=self.take_over)
        worker.running.add_done_callback(lambda _: self._replace_later(worker))

    def _replace_later(self, worker: WorkerMachine) -> None:
        if not self.over:
            self.world.later(0.1 + self.chance.random() * 4, self._replace, worker)

    def _replace(self, worker: WorkerMachine) -> None:
        """A worker that ended or died is replaced, if its service has too few."""
        service = worker.version.service
        if len(self.world.alive(service)) < self.sizes[service]:
            self._start_worker(service, worker.member_name)

    def _any_worker(self) -> WorkerMachine | None:
        alive = self.world.alive()
        return self.chance.choice(alive) if alive else None

    def old_copy(self) -> None:
        """Something that arrived before arrives again."""
        mail = self.world.mail
        if mail:
            partition, records = self.chance.choice(mail[-40:] if self.chance.random() < 0.6 else mail)
            at = self.chance.randrange(len(records)) if records and self.chance.random() < 0.3 else 0
            self.world.note(f"an old copy of {len(records[at:])} records arrives")
            self.world.post(partition, records[at:], 0)

    def garbage(self) -> None:
        """Records that nobody should take."""
        world, chance = self.world, self.chance
        partition = chance.randrange(world.partitions)
        log = world.log.partitions[partition]
        if not log:
            return
        key = chance.choice([None, b"", b"stranger", *(run.encode() for run, _ in self.runs)])
        kind = chance.choice(
            [5, 12, 16, 31, 200, *(int(kind) for kind in Kind if kind not in (Kind.VERSION, Kind.GENESIS))]
        )
        outside = kind not in (Kind.OUTCOME, Kind.FAILURE)
        value = chance.choice([None, b"", chance.randbytes(8)])
        if chance.random() < 0.3:
            headers = [("ce_id", b"x1"), ("fa", chance.randbytes(80))]
        else:
            pairs = [pair for run in self._open() if run.id == key for pair in run.owed.values()]
            if pairs and kind == Kind.OUTCOME:
                record = self._piece(chance.choice(pairs), key)
                self._write_garbage(partition_of(key or b"", world.partitions), record)
                return
            if kind in (Kind.START, Kind.SIGNAL, Kind.CANCEL, Kind.RELEASED, Kind.PAUSE, Kind.RESUME):
                key, value = b"stranger", None
            id = b"x%032x" % chance.getrandbits(128) if outside else derived_id(b"x0", b"nobody", b"", 0)
            headers = pack(
                kind=kind, id=id, type=b"sim.Cut", source=b"/sim/garbage", append=chance.randbytes(16), sent=0,
                reactor=b"" if outside else b"nobody", causation=b"" if outside else b"x0", not_after=1,
            )  # fmt: skip
        self._write_garbage(partition, Record(key, value, headers))

    def _piece(self, pair: Pair, key: bytes | None) -> Record:
        """One record of an outcome whose others never come."""
        chance = self.chance
        index, count = chance.choice([(0, 2), (1, 2), (0, 4), (2, 4)])
        headers = pack(
            kind=Kind.OUTCOME, id=derived_id(pair.trigger, pair.reactor, pair.generation, index), type=b"sim.Cut",
            source=b"/sim/garbage", append=chance.randbytes(16), index=index, count=count, sent=0,
            causation=pair.trigger, reactor=pair.reactor, generation=pair.generation,
        )  # fmt: skip
        return Record(key, None, headers)

    def pieces(self) -> None:
        """The beginnings of many outcomes of one step, by writers that all died in the middle."""
        found = [(run, pair) for run in self._open() for pair in run.owed.values()]
        if found:
            run, pair = self.chance.choice(found)
            for _ in range(self.chance.choice([4, 6])):
                self._write_garbage(self._partition(run), self._piece(pair, run.id))

    def forge(self) -> None:
        """A signal with the id of an event that a step is yet to make."""
        found = [(run, pair) for run in self._open() for pair in run.owed.values()]
        if found:
            run, pair = self.chance.choice(found)
            id = derived_id(pair.trigger, pair.reactor, pair.generation, 0)
            self._write_garbage(self._partition(run), self._signal(run.id, id, None))

    def spoil(self) -> None:
        """A signal that is taken, and whose value nobody can read."""
        notes = [run for run in self._open() if [f.type for f in self._history(run)[:1]] == [b"sim.NotesBegun"]]
        if notes:
            run = self.chance.choice(notes)
            value = self.chance.choice([None, b"", self.chance.randbytes(8), b"\xc3\x01" + self.chance.randbytes(12)])
            partition = self._partition(run)
            self.world.note(f"a signal that cannot be read arrives in {run.id.decode()}")
            self.world.spoilt.add((partition, self.world.log.partitions[partition].next))
            self.world.log.append(partition, (self._signal(run.id, b"x%032x" % self.chance.getrandbits(128), value),))

    def _signal(self, key: bytes, id: bytes, value: bytes | None) -> Record:
        headers = pack(
            kind=Kind.SIGNAL, id=id, type=b"sim.Note", source=b"/sim/stranger", append=self.chance.randbytes(16), sent=0,
            not_after=self.world.time() + 60_000,
        )  # fmt: skip
        return Record(key, value, headers)

    def misroute(self) -> None:
        """A start of a client that hashes keys in another way."""
        client = self._any_client()
        event = e.LineBegun(tag=self.world.stage.tag())
        key = self.chance.choice([*(run for run, _ in self.runs), "nowhere"]).encode()
        record = client.scribe.start(key, event, 0)
        others = [p for p in range(self.world.partitions) if p != partition_of(key, self.world.partitions)]
        if others:
            self.world.post(self.chance.choice(others), (record,), 0)

    def turn_back(self) -> None:
        """The clock of the log is set back, as when another broker leads, and later right."""
        self.world.behind = self.chance.choice([0, 2_000, 60_000, 600_000])
        self.world.turned_back |= self.world.behind > 0
        self.world.note(f"the log's clock is {self.world.behind / 1000:g} s behind")

    def upgrade(self) -> None:
        """From now on new processes know the next fold version, mostly."""
        self.world.upgraded = True

    def _write_garbage(self, partition: int, record: Record) -> None:
        self.world.note("garbage arrives")
        first = self.world.log.append(partition, (record,))
        self.world.garbage.add((partition, first))

    def crash(self) -> None:
        if worker := self._any_worker():
            worker.kill()
            self._replace_later(worker)

    def burn(self) -> None:
        """A worker will die at one of its next steps, whichever it is."""
        if worker := self._any_worker():
            worker.process.fuse = self.chance.choice([1, 3, 10, 30, 100, 300])
            worker.process.burnt = lambda: (worker.kill(), self._replace_later(worker))  # type: ignore[assignment, func-returns-value]

    def freeze(self) -> None:
        """A worker stands still, is mostly taken for dead, and goes on."""
        worker = self._any_worker()
        if worker is None or worker.process.frozen:
            return
        worker.freeze()
        gone = self.chance.random() * 15
        self.world.later(gone, worker.thaw)
        if self.chance.random() < 0.8:
            self.world.later(self.chance.random() * gone, self.world.take_for_dead, worker)
            self.world.later(gone + 0.5 + self.chance.random() * 5, self.world.rejoin, worker)
        if self.chance.random() < 0.3:
            self.world.later(
                self.chance.random() * gone, self._start_worker, worker.version.service, worker.member_name
            )

    def deploy(self) -> None:
        """Replace the workers of a service one by one by those of another release, or of an earlier one."""
        service = self.chance.choice(list(self.deployed))
        self.deployed[service] = self.chance.choice(self.world.repertoire.releases[service])
        self.world.note(f"release {self.deployed[service].number} of {service} is rolled out")
        self._roll(service, self.chance.random() < 0.7)

    def _roll(self, service: str, gracefully: bool) -> None:
        wait = 0.0
        for worker in self.world.alive(service):
            if worker.version is not self.deployed[service]:
                wait += 0.0 if self.world.calm else self.chance.random() * 8
                self.world.later(wait, self._let_go, worker, gracefully)

    def _let_go(self, worker: WorkerMachine, gracefully: bool) -> None:
        if not worker.alive:
            return
        if gracefully and not worker.process.frozen:
            worker.stop()
        else:
            worker.kill()
        if not worker.alive:
            self._replace_later(worker)

    def flap(self) -> None:
        self.chance.choice(self.world.groups).flap() if self.world.groups else None

    def overlap(self) -> None:
        self.chance.choice(self.world.groups).overlap() if self.world.groups else None

    def neglect(self) -> None:
        self.chance.choice(self.world.groups).neglect() if self.world.groups else None

    def weather(self) -> None:
        """The network of a machine becomes another."""
        machine = self.chance.choice([*self.world.alive(), *self.world.clients])
        machine.net = self.world.network()

    def outage(self) -> None:
        machine = self.chance.choice([*self.world.alive(), *self.world.clients])
        net = machine.net
        net.away = True
        self.world.later(self.chance.random() * 6, setattr, net, "away", False)

    def time_passes(self) -> None:
        """Hours that nobody needs to wait for."""
        hours = self.chance.choice([5_000, 30_000, 130_000, 700_000, 90_000_000])
        self.world.note(f"{hours / 1000:g} s pass")
        self.world.ahead += hours

    def inspect(self) -> None:
        self.world.compare()
