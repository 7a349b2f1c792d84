"""What the reactors of generated choreographies do: chance decides what they return, and whether they fail."""

from collections.abc import Iterable
from typing import Any, Final

from farandole.reactors import After, Ask, Child, ChildDone, ChildFailed, Failed, GiveUp
from farandole.schemas import Event
from simulation.handlers import STAGE, Execution, look_back, play

from .events import BY_NAME
from .spec import Given, Outcome, ReactorSpec

_TURNS: Final = 3
_WIDTH: Final = 3
_WAITS: Final = ("0s", "500ms", "2s", "5s")


async def handle(spec: ReactorSpec, given: dict[str, Any]) -> Any:
    """One attempt of a reactor."""
    taken = [_event(x) for n in range(len(spec.takes)) for x in _each(given[f"x{n}"])]
    types = [BY_NAME[x.event] for parameter in spec.takes for x in parameter if x.form != "child_done"]
    execution = await play(*taken, takes=() if spec.gathers else [*types, *_ends(spec)])
    stage, step, run = STAGE.get(), given.get("step"), given.get("run")
    if step is not None:
        execution.key = step.key
        result = await step.once("part", _part, stage.tag())
        execution.saw = (("part", result),)
    if run is not None:
        await look_back(execution, run, *(BY_NAME[name] for name in spec.looks))
    if spec.risky and stage.random.random() < 0.4:
        raise GiveUp("risked too much")
    left = max((event.left for event in taken), default=0)
    return _outcome(execution, _chosen(spec, taken, left), max(left - 1, 0))


def _chosen(spec: ReactorSpec, taken: list[Any], left: int) -> Outcome:
    if not spec.loops:
        return STAGE.get().random.choice(spec.gives)
    begins = type(taken[0]).__name__ == spec.takes[0][0].event
    return spec.gives[0] if begins or left else spec.gives[-1]


async def undo(given: dict[str, Any]) -> None:
    """One attempt to compensate; it takes all that the step took and emitted, in that order."""
    execution = await play(*(given[f"x{n}"] for n in range(len(given))))
    execution.gives = ()


async def _part(tag: int) -> int:
    return tag


def _each(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else (value,)


def _event(value: Any) -> Any:
    """The event that stands for what was taken, so that the judge can tell by its number what that was."""
    match value:
        case Failed():
            return value.event
        case ChildDone():
            return value.end
        case ChildFailed():
            return value.start
    return value


def _ends(spec: ReactorSpec) -> list[type[Event]]:
    return [BY_NAME[x.event] for parameter in spec.takes for x in parameter if x.form == "child_done"]


def _outcome(execution: Execution, chosen: Outcome, left: int) -> Any:
    stage = STAGE.get()
    items = chosen.items * stage.random.randrange(_WIDTH + 1) if chosen.fans else chosen.items
    turns = stage.random.randrange(_TURNS)
    made = [_made(item, left or turns) for item in items]
    execution.gives = tuple(x.tag for x in made if isinstance(x, Event))
    if chosen.fans:
        return made
    return made[0] if len(made) == 1 else tuple(made) if made else None


def _made(item: Given, left: int) -> Any:
    stage = STAGE.get()
    event = BY_NAME[item.events[-1]](tag=stage.tag(), left=left)
    match item.form:
        case "after":
            return After(stage.random.choice(_WAITS), event)
        case "child":
            return Child(event)
        case "ask":
            answers = [BY_NAME[name] for name in item.events[:-1]]
            quorum = stage.random.choice([1, 1, 2])
            return Ask(
                f"{event.tag}?", *answers, within=stage.random.choice(["1s", "4s"]), otherwise=event, quorum=quorum
            )
    return event
