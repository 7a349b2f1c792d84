"""The hand of the test in a log: writes history, and events as if a reactor had emitted them.

It has a contract of its own, so that what it writes is an outcome that was owed, by the same rules as any other.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from farandole.projections.fold import Pair, Run
from farandole.reactors import Choreography, Client
from farandole.reactors.contract import contract_of
from farandole.reactors.service import types_of
from farandole.reactors.shown import text
from farandole.schemas import Answer, Event, Signal, Start, acquaint
from farandole.schemas.envelope import Kind

from .errors import ScenarioError

_WITHIN: Final = "1h"


class Hand:
    """Writes into one log what a test says.

    Args:
        taken: names of reactors, of which its own must be none.
    """

    def __init__(self, client: Client, taken: Collection[str]) -> None:
        self._client = client
        name = "scenario"
        while name in taken:
            name += "_"
        self.reactor = name.encode()
        self.contract = _contract(client.scribe.choreography, name)

    async def happened(self, run_id: str, event: Event) -> None:
        """Write an event into a run's history; nobody is owed anything for it.

        Raises:
            ScenarioError: it could not have happened.
        """
        key = run_id.encode()
        if not isinstance(event, Start):
            await self._open(run_id, event)
        elif key in await self._runs(key):
            raise ScenarioError(f"run '{run_id}' was started before; give each run one start")
        await self.happens(run_id, event)
        while owed := await self._owed(key):
            records = [r for pair in owed for r in self._client.scribe.outcome(key, pair, ()).records]
            await self._client.store.append(self._client.store.partition_of(key), records)

    async def happens(self, run_id: str, event: Event) -> None:
        """Start a run, send it a signal, or let it have an event as if a reactor of its had emitted it.

        Raises:
            ScenarioError: the event needs a run that is open.
        """
        if isinstance(event, Start):
            await self._client.start(event, run_id=run_id)
        elif isinstance(event, Signal):
            await self._client.run(run_id).send(event, confirm=False)
        elif isinstance(event, Answer):
            await self._answer(run_id, event)
        else:
            await self._emit(run_id, event)

    async def _answer(self, run_id: str, answer: Answer) -> None:
        """Answer the oldest question of the run to which it is an answer."""
        run = self._client.run(run_id)
        for view in await run.decisions():
            if type(answer) in view.answers:
                await run.decide(view, answer, by=answer.by)
                return
        raise ScenarioError(f"{type(answer).__name__} is an answer, and no decision of run '{run_id}' waits for it")

    async def _emit(self, run_id: str, event: Event) -> None:
        client, key = self._client, run_id.encode()
        scribe, store = client.scribe, client.store
        run = await self._open(run_id, event)
        await acquaint(store.catalogue, scribe.types, type(event))
        content = {
            "trigger": text(run.start), "offset": run.offset, "reactor": text(self.reactor), "reason": "", "by": "",
        }  # fmt: skip
        owe = scribe.command(
            Kind.OWE, key, content, client.not_after(_WITHIN),
            causation=run.start, reactor=self.reactor, extra=run.offset.to_bytes(8, "big") + self.reactor,
        )  # fmt: skip
        pair = Pair(run.start, self.reactor, dict(owe.headers)["ce_id"], (run.offset,), (self.reactor,), 0)
        await store.append(store.partition_of(key), [owe, *scribe.outcome(key, pair, (event,)).records])

    async def _open(self, run_id: str, event: Event) -> Run:
        runs = await self._runs(run_id.encode())
        run = runs.get(run_id.encode())
        if run is None:
            raise ScenarioError(
                f"{type(event).__name__} needs a run that is open, and run '{run_id}' was not started, or is closed: "
                "begin with its start, as await s.given(OrderPlaced(...))"
            )
        if run.end:
            raise ScenarioError(
                f"run '{run_id}' has ended with {text(run.end).rpartition('.')[2]}, so {type(event).__name__} cannot "
                "happen any more"
            )
        return run

    async def _owed(self, key: bytes) -> list[Pair]:
        run = (await self._runs(key)).get(key)
        return [] if run is None else [pair for pair in run.owed.values() if not pair.parked]

    async def _runs(self, key: bytes) -> Mapping[bytes, Run]:
        partition = self._client.store.partition_of(key)
        await self._client.follower.up_to_date((partition,))
        return self._client.follower.fold(partition).runs


@lru_cache(maxsize=256)
def _contract(choreography: str, name: str) -> Mapping[str, Any]:
    class Nothing(Event, name=f"{name.capitalize()}Writes"):
        """What the hand subscribes to; it never happens."""

    scratch = Choreography(choreography, service=name)

    @scratch.reactor(name=name)
    async def writes(nothing: Nothing) -> None: ...

    (reactor,) = scratch.reactors
    # By name after all services, for each keeper waits for those before it.
    return contract_of(reactor, types_of(scratch), service=f"~{name}").content
