"""What the people of a simulated world do: they start runs, send signals and give commands, some of them twice."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from farandole.eventstore import partition_of
from farandole.projections.fold import Fact, Run
from farandole.reactors.retire import retire
from farandole.schemas.envelope import Kind

from . import events as e
from .deployments import Version
from .machine import ClientMachine
from .process import NEXT_VERSION

if TYPE_CHECKING:
    from .world import World

RETIRED: Final = ("watch", "count", "sweep", "tell", "burn")
"""Reactors that somebody takes out of service now and then."""


class Workload:
    """Each method does one thing, chosen by chance."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.chance = world.chance
        self.deployed: dict[str, Version] = {}
        self.sizes: dict[str, int] = {}
        self.runs: list[tuple[str, Any]] = []
        """Id and start of each run that somebody wanted."""
        self.take_over = False
        self.over = False

    def _any_client(self) -> ClientMachine:
        return self.chance.choice(self.world.clients)

    def start(self) -> None:
        kind: Any = self.chance.choice(self.world.repertoire.starts)
        more = next(dance.starts[kind](self.chance) for dance in self.world.dances if kind in dance.starts)
        event = kind(tag=self.world.stage.tag(), **more)
        run = f"run-{len(self.runs)}"
        self.runs.append((run, event))
        self._start(run, event)

    def start_again(self) -> None:
        """Another client starts the same, or the same client again."""
        if self.runs:
            run, event = self.chance.choice(self.runs)
            self._start(run, event.model_copy(update={"tag": self.world.stage.tag()}))

    def _start(self, run: str, event: Any) -> None:
        client = self._any_client()
        within = self.chance.choice([None, None, 5, 60])
        client.do(client.client.start(event, run_id=run, within=within), f"start {run}, {type(event).__name__}")

    def _handle(self, kind: type[Any] | None = None) -> tuple[ClientMachine, Any] | None:
        runs = [run for run, event in self.runs if kind is None or isinstance(event, kind)]
        if not runs:
            return None
        client = self._any_client()
        return client, client.run(self.chance.choice(runs))

    def signal(self) -> None:
        """One signal, or several in a row."""
        if found := self._handle(e.NotesBegun):
            client, run = found
            for _ in range(self.chance.choice([1, 1, 4])):
                kind = e.Note if self.chance.random() < 0.85 else e.NotesClosed
                within = self.chance.choice([1, 10, 600])
                confirm = self.chance.random() < 0.5
                signal = kind(tag=self.world.stage.tag())
                client.do(run.send(signal, within=within, confirm=confirm), f"send {kind.__name__} to {run.id}")

    def pause(self) -> None:
        if found := self._handle():
            client, run = found
            client.do(run.pause(), f"pause {run.id}")

    def resume(self) -> None:
        paused = [run.id.decode() for run in self._open() if run.paused]
        if paused:
            client = self._any_client()
            run = client.run(self.chance.choice(paused))
            client.do(run.resume(), f"resume {run.id}")

    def cancel(self) -> None:
        if found := self._handle():
            client, run = found
            client.do(run.cancel(), f"cancel {run.id}")

    def retry(self) -> None:
        parked = [run.id.decode() for run in self._open() if run.parked]
        if parked:
            for client in self.world.clients[: self.chance.choice([1, 1, 2])]:
                run = client.run(parked[0])
                client.do(run.retry(), f"retry {run.id}")

    def owe(self) -> None:
        """Have something done once more."""
        open_runs = self._open()
        if not open_runs:
            return
        run = self.chance.choice(open_runs)
        facts = self._history(run)
        chosen = self.chance.choice(facts) if facts else None
        if chosen is not None:
            self._owe(run, chosen)

    def _owe(self, run: Run, fact: Fact, to: bytes = b"") -> bool:
        contracts = self.world.log.transcripts[self._partition(run)].fold.contracts.by_type.get(fact.type, ())
        takers = [
            c
            for c in contracts
            if c.form == "event" and to in (b"", c.reactor) and c.reactor.decode() not in self.world.repertoire.ordered
        ]
        if not takers:
            return False
        reactor = self.chance.choice(takers).reactor
        client = self._any_client()
        content = {
            "trigger": fact.id.decode(),
            "offset": fact.offset,
            "reactor": reactor.decode(),
            "reason": "",
            "by": "",
        }
        record = client.scribe.command(
            Kind.OWE, run.id, content, client.client.not_after("1m"), causation=fact.id,
            reactor=reactor, extra=fact.offset.to_bytes(8, "big") + fact.type,
        )  # fmt: skip
        client.do(client.client.append(run.id, record), f"owe {reactor.decode()} in {run.id.decode()}")
        return True

    def retire(self) -> None:
        """Take a reactor out of service; what it owes is dropped, or kept for who still has its code."""
        reactor = self.chance.choice(RETIRED)
        drop = self.chance.random() < 0.5
        client = self._any_client()
        client.do(retire(client.client, reactor, drop=drop), f"retire {reactor}, {'drop' if drop else 'keep'}")

    def govern(self) -> None:
        """Change a setting; some know an old value of it, and are refused."""
        name, values = self.chance.choice(
            [("dedup_window", [20_000, 120_000, 86_400_000]), ("expire_after", [0, 30_000, 90_000])]
        )
        for transcript in self.world.log.transcripts:
            now = getattr(transcript.fold.settings, name)
            replaces = now if self.chance.random() < 0.7 else self.chance.choice(values)
            content = {"name": name, "value": self.chance.choice(values), "replaces": replaces}
            self._control(Kind.SETTING, transcript.fold.partition, content)

    def raise_version(self) -> None:
        """Let the next fold version come into force, once all who live know it."""
        if all(worker.process.knows >= NEXT_VERSION for worker in self.world.alive()):
            for partition in range(self.world.partitions):
                self._control(Kind.VERSION, partition, {"version": NEXT_VERSION})

    def _control(self, kind: Kind, partition: int, content: Mapping[str, Any]) -> None:
        client = self._any_client()
        records = client.scribe.control(kind, [content])
        client.do(client.store.append(partition, records), f"{kind.name.lower()} {content} in partition {partition}")

    def _partition(self, run: Run) -> int:
        return partition_of(run.id, self.world.partitions)

    def _open(self) -> list[Run]:
        return [run for transcript in self.world.log.transcripts for run in transcript.fold.runs.values()]

    def _history(self, run: Run) -> list[Fact]:
        """The run's events, from its start."""
        found: list[Fact] = []
        for line in self.world.log.transcripts[self._partition(run)].lines[run.offset :]:
            if line.record.key == run.id:
                found += [fact for fact in line.admitted if fact.type != b"farandole.Failure"]
        return found
