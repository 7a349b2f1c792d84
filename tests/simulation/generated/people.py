"""What people do in worlds of generated choreographies, besides what they do everywhere."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from farandole.reactors.retire import retire as retire_reactor
from simulation.dances.children import cancel_child
from simulation.dances.decisions import answer_with
from simulation.dances.long import crash_at_work, go_on, stand_still, stop

from .events import BY_NAME, DENIED, SAID

if TYPE_CHECKING:
    from farandole.projections.fold import Decision
    from farandole.schemas import Answer
    from simulation.deployments import Version
    from simulation.play import Play


def say(play: "Play") -> None:
    """Somebody says something to a run, at times twice."""
    named = {event for version in _versions(play) for event in version.choreography.events.values()}
    said, found = [event for event in SAID if event in named], play._handle()
    if not said or found is None:
        return
    client, run = found
    kind = play.chance.choice(said)
    for _ in range(play.chance.choice([1, 1, 2])):
        within, confirm = play.chance.choice([1, 10, 600]), play.chance.random() < 0.5
        signal = kind(tag=play.world.stage.tag())
        client.do(run.send(signal, within=within, confirm=confirm), f"say {kind.__name__} to {run.id}")


def answer(play: "Play") -> None:
    """Somebody answers, or several at once; at times not what was asked, or something that nobody offers."""

    def pick(decision: "Decision") -> "type[Answer]":
        offered = [BY_NAME[name.decode().rpartition(".")[2]] for name in decision.answers]
        return play.chance.choice(offered if play.chance.random() < 0.9 else DENIED)

    answer_with(play, pick)


def call_off(play: "Play") -> None:
    """Somebody cancels a run, whoever started it."""
    if found := play._open():
        handle = play._any_client().run(play.chance.choice(found).id.decode())
        play._any_client().do(handle.cancel(), f"call {handle.id} off")


def retire(play: "Play") -> None:
    """Somebody takes a reactor out of service; what it owes is dropped, or kept for who still has its code."""
    names = sorted({reactor.name for version in _versions(play) for reactor in version.choreography.reactors})
    reactor, drop = play.chance.choice(names), play.chance.random() < 0.5
    client = play._any_client()
    client.do(retire_reactor(client.client, reactor, drop=drop), f"retire {reactor}, {'drop' if drop else 'keep'}")


def _versions(play: "Play") -> list["Version"]:
    return list(play.world.repertoire.complete.values())


ACTIONS: Final[tuple[tuple[Callable[["Play"], None], int], ...]] = (
    (say, 8), (answer, 8), (call_off, 2), (cancel_child, 2), (retire, 1), (crash_at_work, 2), (stand_still, 1),
    (stop, 1), (go_on, 3),
)  # fmt: skip
