"""Fan-outs, also within others; fan-ins that wait for all, for enough and for a time; joins in branches."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from farandole.reactors import Failed
from farandole.schemas import End, Event, Start
from simulation.handlers import STAGE, Execution, make, play

from .dance import Dance, Handler, Reacting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulation.rules import Rule
    from simulation.world import World


class SplitBegun(Start):
    tag: int


class Fitted(Event):
    tag: int


class Piece(Event):
    tag: int


class Shaped(Event):
    tag: int


class Shard(Event):
    tag: int


class Crumb(Event):
    tag: int


class Crumbled(Event):
    tag: int


class CrumbsSwept(Event, wants_reactor=False):
    tag: int


class Glued(Event):
    tag: int


class Polished(Event):
    tag: int


class Sampled(Event, wants_reactor=False):
    tag: int


class Curtailed(Event, wants_reactor=False):
    tag: int


class SplitDone(End):
    tag: int


def several(execution: Execution, type: type[Any], most: int) -> list[Any]:
    """A fan-out of as many as chance will have."""
    stage = STAGE.get()
    made = [type(tag=stage.tag()) for _ in range(stage.random.randrange(most + 1))]
    execution.gives = tuple(event.tag for event in made)
    return made


def events_of(parts: "Sequence[Event | Failed[Any]]") -> list[Event]:
    """What was gathered, with failures for what they are about."""
    return [part.event if isinstance(part, Failed) else part for part in parts]


async def fit(begun: SplitBegun) -> tuple[Fitted, Fitted]:
    return cast(tuple[Fitted, Fitted], make(await play(begun), Fitted, Fitted))


async def split(fitted: Fitted) -> list[Piece]:
    return several(await play(fitted), Piece, 4)


async def shape(piece: Piece) -> Shaped | tuple[Shaped, Shard] | None:
    execution = await play(piece)
    types = STAGE.get().random.choice([(), (Shaped,), (Shaped, Shard), (Shaped, Shard)])
    return cast(Shaped | tuple[Shaped, Shard] | None, make(execution, *types))


async def crumble(shard: Shard) -> list[Crumb]:
    return several(await play(shard), Crumb, 3)


async def crush(crumb: Crumb) -> Crumbled | None:
    execution = await play(crumb)
    return cast(Crumbled | None, make(execution, *STAGE.get().random.choice([(), (Crumbled,), (Crumbled,)])))


async def sweep_up(crumbs: list[Crumbled]) -> CrumbsSwept:
    return cast(CrumbsSwept, make(await play(*crumbs), CrumbsSwept))


async def glue(shaped: Shaped, fitted: Fitted) -> Glued:
    return cast(Glued, make(await play(shaped, fitted), Glued))


async def polish(piece: Piece, shaped: Shaped) -> Polished:
    return cast(Polished, make(await play(piece, shaped), Polished))


async def assemble(parts: list[Glued | Failed[Piece]]) -> SplitDone:
    return cast(SplitDone, make(await play(*events_of(parts)), SplitDone))


async def sample(parts: list[Polished]) -> Sampled:
    return cast(Sampled, make(await play(*parts), Sampled))


async def curtail(parts: list[Polished | Failed]) -> Curtailed:
    return cast(Curtailed, make(await play(*events_of(parts)), Curtailed))


def stuck(world: "World") -> Iterator[str]:
    """Fan-ins whose time is over."""
    for transcript in world.log.transcripts:
        for run in transcript.fold.runs.values():
            for fanout in (run.pending.fanouts or {}).values() if run.pending is not None else ():
                for gathering in fanout.gatherings or ():
                    if gathering.due and world.time() > gathering.due + 8_000:
                        yield f"{gathering.reactor.decode()} in {run.id.decode()} has waited for long enough, and nobody tells it"


def switches() -> "Sequence[Rule]":
    from simulation.off_in_branches import rules  # it patches what the dances are made of

    return rules()


_MILL: Final[Mapping[str, Handler | Reacting]] = {
    "fit": fit,
    "split": split,
    "crush": crush,
    "sample": Reacting(sample, {"each": Piece, "enough": 2}),
}
_SHOP: Final[Mapping[str, Handler | Reacting]] = {
    "shape": shape,
    "crumble": crumble,
    "glue": glue,
    "sweep_up": Reacting(sweep_up, {"each": Crumb}),
}
_YARD: Final[Mapping[str, Handler | Reacting]] = {
    "polish": polish,
    "assemble": Reacting(assemble, {"each": Piece}),
    "curtail": Reacting(curtail, {"each": Piece, "within": "3s"}),
}

SPLIT: Final = Dance(
    "split",
    starts={SplitBegun: lambda _: {}},
    known=(Fitted, Piece, Shaped, Shard, Crumb, Crumbled, CrumbsSwept, Glued, Polished, Sampled, Curtailed, SplitDone),
    releases={"mill": (_MILL,), "shop": (_SHOP,), "yard": (_YARD,)},
    complete={"mill": _MILL, "shop": _SHOP, "yard": _YARD},
    stuck=stuck,
    switches=switches,
)
