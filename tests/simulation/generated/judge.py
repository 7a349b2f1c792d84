"""What must be so of generated choreographies, whatever they are: the watchers of all dances that know none by name."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from farandole.projections.fold import Contract, Run
from farandole.schemas.envelope import Flag
from simulation.dances import Watcher, children, decisions, split, timers
from simulation.dances.long import Long
from simulation.dances.saga import Undoing

if TYPE_CHECKING:
    from simulation.play import Play
    from simulation.transcript import Line
    from simulation.world import World

WATCHERS: Final[tuple[type[Watcher], ...]] = (Long, Undoing, timers.Clockmaker, decisions.Clerk, children.Family)


def wait(play: "Play", run: Run) -> bool:
    """What goes on by itself."""
    return timers.wait(play, run) or decisions.wait(play, run) or children.wait_for_children(play, run)


def have_done(play: "Play", run: Run) -> bool:
    """A reactor that was not there yet when something came, which another one took: who begins later begins there."""
    transcript = play.world.log.transcripts[play._partition(run)]
    owed = {owed.key[:2] for line in transcript.lines[run.offset :] for owed in line.owed}
    return any(
        play._owe(run, fact, contract.reactor)
        for fact in play._history(run)
        for contract in transcript.fold.contracts.by_type.get(fact.type, ())
        if contract.form == "event" and contract.active and (fact.id, contract.reactor) not in owed
    )


def help(play: "Play", run: Run) -> bool:
    """Whether a run that owes nothing goes on."""
    return wait(play, run) or have_done(play, run)


def stuck(world: "World") -> Iterator[str]:
    """What nobody does, though its time has come."""
    for late in (timers.late, decisions.late, children.stuck, split.stuck):
        yield from late(world)


def still(play: "Play", run: Run) -> Iterator[str]:
    """Every phrase leads on, so a run that has no end by now has lost something: it must be known what."""
    facts = play._history(run)
    types = frozenset(fact.type for fact in facts)
    if not _was_lost(play.world.log.transcripts[play._partition(run)].lines, run, types):
        names = (type.type.decode().rpartition(".")[2] for type in facts)
        yield f"{run.id.decode()} stands still after {', '.join(names)}, and nobody says why"


def _was_lost(lines: "Sequence[Line]", run: Run, types: frozenset[bytes]) -> bool:
    """Whether a reactor of such events, or of failures of steps that took them, was retired, or a join or fan-in of them
    began, or began anew, when they had come.
    """
    fanned = frozenset(type for line in lines for type in _fans(line, run))
    before: dict[bytes, Contract] = {}
    for line in lines:
        for contract in line.contracts:
            former = before.get(contract.reactor)
            before[contract.reactor] = contract
            known = [c for c in (former, contract) if c is not None]
            if not any(_concerns(c, types) or (c.form == "list" and c.each in fanned) for c in known):
                continue
            late = line.record.offset > run.offset and (former is None or former.shape != contract.shape)
            if (late and contract.form in ("join", "list")) or (former is not None and not contract.active):
                return True
    return False


def _concerns(contract: Contract, types: frozenset[bytes]) -> bool:
    """Whether it takes such events, or failures of steps that did."""
    of_failures = contract.failures is not None and (not contract.failures or bool(types & contract.failures))
    return of_failures or bool(types & contract.elements)


def _fans(line: "Line", run: Run) -> Sequence[bytes]:
    """What branches of the run may begin with that were made there; of a fan-out of none there is no other trace."""
    e = line.envelope
    of_run = e is not None and line.record.key == run.id and not line.verdict.refused
    return e.branch.split(b"\0") if e is not None and of_run and e.flags & Flag.FANOUT else ()
