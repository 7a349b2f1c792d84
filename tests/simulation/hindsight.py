"""What can be told of whole runs and of all executions, once a world is over."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from farandole.projections.fold import UNDO, PairKey

from .handlers import Execution
from .story import Debt, RunStory
from .transcript import Transcript

if TYPE_CHECKING:
    from .world import World

Executions = Mapping[PairKey, list[Execution]]


def whole_run(world: "World", transcript: Transcript, story: RunStory, executions: Executions) -> Iterator[str]:
    """What was broken in one run."""
    open_run = transcript.fold.runs.get(story.key) if story.closed is None else None
    for pair, debt in story.debts.items():
        if debt.open and (open_run is None or pair not in open_run.owed):
            yield f"{pair[1].decode()} of {pair[0].decode()} was owed, and forgotten"
    here = (transcript.fold.partition, story.began)
    keys: dict[tuple[bytes, bytes], str] = {}
    for pair, debt in story.debts.items():
        for execution in executions.get(pair, ()):
            if execution.run != here:
                continue
            if execution.looked_back is not None:
                yield from _what_it_saw(story, pair, execution)
            if (
                execution.key
                and keys.setdefault((pair[0], pair[1] + pair[2] * (pair[2] == UNDO)), execution.key) != execution.key
            ):
                yield f"{execution.reactor} of {pair[0].decode()} was given two keys"
            yield from _done_before(world, transcript, debt, execution)


def _what_it_saw(story: RunStory, pair: PairKey, execution: Execution) -> Iterator[str]:
    """Everybody who looks back sees the same, whenever it is."""
    before, seen = [], set(execution.looked_back or ())
    for _, fact, tag in story.events:
        if fact.type.decode().rpartition(".")[2] in execution.looked_for:
            before.append(tag)
        if fact.id == pair[0]:
            break
    if list(execution.looked_back or ()) != before:
        extra, missing = sorted(seen - set(before)), sorted(set(before) - seen)
        wrong = f"{extra} too many, {missing} too few" if extra or missing else "another order"
        yield f"{execution.reactor} looked back and saw {wrong}"


def _done_before(world: "World", transcript: Transcript, debt: Debt, execution: Execution) -> Iterator[str]:
    """A process reads to the end before it works, so it never begins what was done before there was that process."""
    if debt.done is None:
        return
    offset = transcript.lines[debt.done].record.offset
    done = world.log.arrived[transcript.fold.partition][offset]
    if world.birth(execution.process) > done:
        yield f"{execution.process} began {execution.reactor}, which had been done before that process was there"


def repeated(world: "World") -> Iterator[str]:
    """One process makes one attempt once, for as long as it keeps the partition's state."""
    done: dict[tuple[object, ...], float] = {}
    for x in world.stage.executions:
        key = (x.process, x.run, x.pair, x.attempt)
        if key in done and x.began - done[key] < 50 and not world.astray(x.process):
            yield f"{x.process} made attempt {x.attempt} of {x.reactor} twice"
        if not x.cut_short:
            done[key] = x.began
