"""What happens in a world: first all that can go wrong, then calm, then an operator who brings every run to its end."""

import asyncio
from functools import partial
from typing import Any

from farandole.projections.fold import Run, RunState

from . import events as e
from .machine import ClientMachine
from .mischief import Mischief
from .process import NEXT_VERSION
from .stuck import stuck

QUIET = 36.0
"""Seconds without a new record after which nothing is going on any more: longer than any wait of the product."""
MOST = 480.0
HOPELESS = 20
"""Problems after which a world is given up."""


class Hopeless(Exception):
    """A world in which nearly everything is broken."""


class Play(Mischief):
    """Directs one world."""

    async def play(self) -> None:
        await self._trouble()
        await self._calm()
        self.world.problems += stuck(self.world)
        await self._rescue()

    # ── trouble ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _trouble(self) -> None:
        world, chance = self.world, self.chance
        for _ in range(2):
            client = world.start_client()
            client.do(world.establish(client), "establish")
        services = list(world.repertoire.releases)
        chance.shuffle(services)
        for service in services:
            late = chance.choice([0.0, 0.0, 1.0, 5.0, 12.0])
            self.deployed[service] = chance.choice(world.repertoire.releases[service])
            self.sizes[service] = chance.choice([1, 1, 2, 2, 3])
            world.later(late, self._bring_up, service)
        for _ in range(chance.randrange(3)):
            self.start()
        actions = [action for action, weight in self._weights() for _ in range(weight)]
        for _ in range(chance.randrange(45, 112)):
            await asyncio.sleep(chance.expovariate(2.5))
            chance.choice(actions)()

    def _weights(self) -> list[tuple[Any, int]]:
        much = 1 if self.world.trouble < 1 else 2
        return [
            (self.start, 18), (self.start_again, 4), (self.signal, 7), (self.pause, 2), (self.resume, 2),
            (self.cancel, 1), (self.retry, 4), (self.owe, 2), (self.old_copy, 4 * much), (self.garbage, 2),
            (self.crash, 2 * much), (self.burn, 3 * much), (self.freeze, 3 * much), (self.deploy, 3),
            (self.flap, 2 * much), (self.overlap, 2 * much), (self.neglect, 2 * much), (self.weather, 2 * much),
            (self.outage, 1), (self.time_passes, 2), (self.inspect, 1), (self.pieces, 1), (self.forge, 1),
            (self.spoil, 1), (self.misroute, 2), (self.turn_back, 1), (self.retire, 1), (self.govern, 2),
            (self.upgrade, 1), (self.raise_version, 3),
            *((partial(act, self), weight) for dance in self.world.dances for act, weight in dance.actions),
        ]  # fmt: skip

    # ── calm ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _calm(self) -> None:
        world = self.world
        world.note("calm")
        world.compare()
        world.calm = world.upgraded = True
        for worker in world.alive():
            if worker.process.knows < NEXT_VERSION:
                worker.kill()
        world.stage.fail, world.stage.slow = 0.0, 1.0
        for machine in (*world.workers, *world.clients, *world.visitors):
            machine.net = world.network()
            machine.skew = 0
            machine.process.fuse = None
            machine.thaw()
        for service in self.deployed:
            if self.chance.random() < 0.3:
                self.deployed[service] = self.chance.choice(world.repertoire.releases[service])
        await self._all_up()
        await self.quiet()

    async def _all_up(self) -> None:
        """As many workers of each service as there should be, of the release that is deployed, and sure of it."""
        world = self.world
        for service, version in self.deployed.items():
            for worker in world.alive(service):
                if worker.version is not version:
                    self._let_go(worker, True)
        for _ in range(300):
            await asyncio.sleep(0.2)
            self._give_up_if_hopeless()
            for service in self.deployed:
                old = [w for w in world.alive(service) if w.version is not self.deployed[service]]
                if not old and len(world.alive(service)) < self.sizes[service]:
                    self._start_worker(service)
            if all(w.worker is not None and w.worker.ready for w in world.alive()) and all(
                {w.version for w in world.alive(service)} == {version} for service, version in self.deployed.items()
            ):
                break
        else:
            world.problems.append("workers do not get ready in calm")
        for worker in world.alive():
            world.rejoin(worker)
        for group in world.groups:
            for name, member in tuple(group.members.items()):
                if not member.machine.alive:
                    del group.members[name]
            group.deal()

    async def quiet(self) -> None:
        """Wait until nothing goes on any more."""
        world = self.world
        until = world.loop.time() + MOST
        began = world.loop.time()
        while world.loop.time() < until:
            self._give_up_if_hopeless()
            last = max(world.log.last, began)
            busy = world.to_come or any(client.tasks for client in world.clients) or self._handlers_at_work()
            if not busy and world.loop.time() - last >= QUIET:
                return
            await asyncio.sleep(1.0 if busy else max(0.5, QUIET - (world.loop.time() - last)))
        world.problems.append(f"no calm after {MOST:g} s")

    def _give_up_if_hopeless(self) -> None:
        """Where nearly everything is broken, no more of it need be seen."""
        if len(self.world.problems) > HOPELESS:
            raise Hopeless(f"{len(self.world.problems)} problems")

    def _handlers_at_work(self) -> bool:
        return any(
            w.worker is not None and any(w.worker.dispatcher.running(name) for name in w.worker.stats.reactors)
            for w in self.world.alive()
        )

    # ── the operator ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _rescue(self) -> None:
        """Bring everything to its end: all reactors served, all parked steps retried, what nobody took owed again."""
        world = self.world
        if not self._open():
            return
        world.note("an operator takes over")
        self.take_over = True
        for service in self.deployed:
            self.deployed[service] = world.repertoire.complete[service]
            for worker in world.alive(service):
                self._let_go(worker, True)
        await self._all_up()
        for round in range(8):
            for dance in world.dances:
                for act in dance.relief:
                    act(self)
            await self.quiet()
            for run in self._open():
                self._help(run, round)
            if not self._open():
                return
        await self.quiet()
        for run in self._open():
            owed = ", ".join(f"{p.reactor.decode()}{' (parked)' if p.parked else ''}" for p in run.owed.values())
            world.problems.append(f"{run.id.decode()} never ends: it is {run.state.name}, and owes {owed or 'nothing'}")

    def _help(self, run: Run, round: int) -> None:
        client = self._any_client()
        handle = client.run(run.id.decode())
        if run.paused:
            client.do(handle.resume(), f"resume {handle.id}")
        elif run.parked and round > 2:
            client.do(handle.cancel(), f"cancel {handle.id}")
        elif run.parked:
            client.do(handle.retry(), f"retry {handle.id}")
        elif not run.owed and run.state is RunState.OPEN:
            self._move(run, client, handle)

    def _move(self, run: Run, client: ClientMachine, handle: Any) -> None:
        """Nothing is owed: send what it waits for, or have done what nobody was there for."""
        if any(dance.help is not None and dance.help(self, run) for dance in self.world.dances):
            return
        facts = self._history(run)
        if facts and facts[0].type == b"sim.NotesBegun":
            client.do(handle.send(e.NotesClosed(tag=self.world.stage.tag())), f"close {handle.id}")
            return
        lines = self.world.log.transcripts[self._partition(run)].lines[run.offset :]
        done = {owed.key[0] for line in lines for owed in line.owed}
        for fact in facts:
            if fact.id not in done and self._owe(run, fact):
                return
        for dance in self.world.dances:
            self.world.problems += dance.still(self, run) if dance.still is not None else ()
        self.world.note(f"{handle.id} stands still after {[f.type.decode() for f in facts]}")
        client.do(handle.cancel(), f"cancel {handle.id}")
