"""One seed, from beginning to end."""

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from farandole.projections.fold import KNOWN_VERSION, Verdict
from farandole.reactors import genesis
from farandole.schemas.envelope import Kind

from .dances import Dance, dances_of
from .judge import broken
from .log import Flood
from .play import Hopeless, Play
from .process import ManyProcesses
from .readers import by_checker, by_digest, by_state, by_tables
from .rules import Rule, Rules
from .world import World


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one seed.

    Attributes:
        problems: broken promises, one line each.
        digest: over every byte of the log.
        records: how many the log has.
        executions: how often a handler ran.
        verdicts: what the fold made of the records.
        seconds: of virtual time.
    """

    seed: int
    problems: tuple[str, ...]
    digest: str
    records: int
    runs: int
    executions: int
    verdicts: Counter[str]
    seconds: float

    def __str__(self) -> str:
        head = f"seed {self.seed}: {self.runs} runs, {self.records} records, {self.executions} executions"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


def run_seed(
    seed: int,
    *,
    off: Rule | None = None,
    trace: Callable[[str], None] | None = None,
    dances: Callable[[int], tuple[Dance, ...]] = dances_of,
    seen: Callable[[World], None] | None = None,
) -> Outcome:
    """Simulate one world to its end, and judge it.

    Args:
        off: a rule that does not hold in it.
        trace: told of what happens, line by line.
        dances: what can be done in the world of a seed.
        seen: shown the world once it is over.
    """
    rules, danced = Rules(off), dances(seed)
    with ExitStack() as stack, rules.in_force(), _on_its_own(quiet=trace is None):
        loop = ManyProcesses()
        asyncio.set_event_loop(loop)
        try:
            world = World(seed, loop, rules, trace, danced)
            by_chance = SimpleNamespace(token_hex=lambda n: world.chance.randbytes(n).hex())
            stack.enter_context(patch.object(genesis, "secrets", by_chance))
            if off is not None and off.prepare is not None:
                off.prepare(world)
            loop.set_exception_handler(lambda _, context: world.unhandled(context))
            loop.run_until_complete(_live(world))
            outcome = _outcome(world)
            if seen is not None:
                seen(world)
            world.forget()
            return outcome
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def _live(world: World) -> None:
    play = Play(world)
    try:
        async with asyncio.timeout(3600):
            await play.play()
        world.problems += by_digest(world)
        world.problems += by_state(world)
    except (Flood, Hopeless, TimeoutError) as e:
        world.problems.append(f"the world never comes to rest: {e}")
    finally:
        play.over = True
        await world.end()
    world.problems += broken(world)
    known = all(transcript.fold.version <= KNOWN_VERSION for transcript in world.log.transcripts)
    if world.rules.off is None and known:
        world.problems += by_checker(world) if world.seed % 2 == 0 else by_tables(world)


def _outcome(world: World) -> Outcome:
    digest = blake2b(digest_size=16)
    verdicts: Counter[str] = Counter()
    for transcript in world.log.transcripts:
        for line in transcript.lines:
            digest.update(repr(line.record).encode())
            verdicts[Verdict(line.verdict).name] += 1
        digest.update(b"%d" % transcript.fold.digest)
    return Outcome(
        world.seed,
        tuple(world.problems),
        digest.hexdigest(),
        world.log.size,
        sum(
            line.envelope is not None and line.envelope.kind == Kind.START and line.verdict is Verdict.ADMITTED
            for transcript in world.log.transcripts
            for line in transcript.lines
        ),
        len(world.stage.executions),
        verdicts,
        world.loop.time(),
    )


@contextmanager
def _on_its_own(*, quiet: bool) -> Iterator[Any]:
    """Without the collector, whose turns would depend on what ran before, and without the product's log lines."""
    gc.collect(0)
    enabled = gc.isenabled()
    gc.disable()
    disabled = logging.root.manager.disable
    if quiet:
        logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(disabled)
        if enabled:
            gc.enable()
