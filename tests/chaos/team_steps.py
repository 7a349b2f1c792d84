"""Every step of the research team, and the point of each at which its worker dies.

A run goes through the steps of a service in this order; there is a researcher's run for each of three questions. A round is
two runs of the team, so that kills go on side by side: through one the publishing service is killed, while planning, and
then a researcher of the other run, another one each time, are. In each round the point moves on by one, so that as many rounds
as there are points kill each step at each of them. In one more all three researchers are killed, at work side by side; and in
a last one nobody comes back: another worker takes over.
"""

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Final

from .failpoints import POINTS, StepAt, die
from .ledger import Ledger, Notes

STEPS: Final[Mapping[str, Sequence[str]]] = {
    "planning": ("planner", "planner.model", "hand_out"),
    "finding": (
        "researcher", "researcher.model", "researcher.tools.search", "researcher.tools.search", "researcher.turn",
        "researcher.model",
    ),
    "publishing": (
        "writer", "writer.model", "publisher", "publisher.model", "publisher.approval", "publisher.decision",
        "publisher.tools.publish", "publisher.model",
    ),
}  # fmt: skip
RESEARCHERS: Final = 3
KILLED: Final = ("publishing", "planning")
"""Whose steps are killed in the two runs of a round, which are called after it; they begin in this order."""
ALL_RESEARCHERS: Final = len(POINTS)
"""The round in which all three researchers of a run are killed."""
OTHERS_TAKE_OVER: Final = ALL_RESEARCHERS + 1
"""The round in which whoever dies stays away, and a worker of another name takes over."""
ROUNDS: Final = OTHERS_TAKE_OVER + 1
SETTLED: Final = ("unacknowledged", "after_append")
"""Points at which the outcome is in the log."""


def run_id(round: int, killed: str) -> str:
    """The id of a run of the team."""
    return f"{killed}-{round}"


def every_step(round: int) -> Counter[str]:
    """How often somebody dies at a step of each reactor in a round."""
    return Counter(
        {
            reactor: reactors.count(reactor) * (RESEARCHERS if service == "finding" and round == ALL_RESEARCHERS else 1)
            for service, reactors in STEPS.items()
            for reactor in reactors
        }
    )


def researchers_killed(round: int) -> Container[int]:
    """Which researchers of a run, in the order in which they begin."""
    return range(RESEARCHERS) if round == ALL_RESEARCHERS else (round % RESEARCHERS,)


class Deaths:
    """The failpoint of one service's worker: it dies once for each step, whichever process of it comes to the point.

    Args:
        notes: what all processes note, this one among them.
    """

    def __init__(self, service: str, ledger: Ledger, notes: Notes) -> None:
        self._service = service
        self._reactors = STEPS[service]
        self._ledger = ledger
        self._notes = notes
        self._read = 0
        self._points: dict[StepAt, str] = {}
        self._met: dict[str, list[StepAt]] = {}
        self._died: set[StepAt] = set()

    def reach(self, point: str, steps: Sequence[StepAt]) -> None:
        self._catch_up()
        new = [step for step in steps if step not in self._points and step[0] in self._reactors]
        for step in new:
            self._ledger.note("meets", *step)
        if new:
            self._catch_up()
        due = [step for step in steps if step not in self._died and self._points.get(step) == point]
        if not due:
            return
        # Whose outcome went to the log along with another one's comes to no further point.
        along = [step for step in steps if step not in self._died and self._points.get(step)]
        dying = along if point in SETTLED else [*due, *self._before(due)]
        for step in dying:
            self._ledger.note("dies", *step, point if point in SETTLED else self._points[step])
        die()

    def _before(self, due: Sequence[StepAt]) -> Iterator[StepAt]:
        """Steps whose outcomes are in the log, for others follow from them, before anybody was told so: their worker dies
        at the point at which it would have been.
        """
        for step in due:
            met = self._met[step[1]]
            earlier = met[: met.index(step)]
            yield from (each for each in earlier if each not in self._died and self._points[each] in SETTLED)

    def _catch_up(self) -> None:
        """Know of all steps in the order in which they were noted, which is the same for all processes."""
        notes = self._notes.all()
        for note in notes[self._read :]:
            if note.what in ("meets", "dies") and note.about[0] in self._reactors:
                reactor, run, trigger, *_ = note.about
                if note.what == "dies":
                    self._died.add((reactor, run, trigger))
                elif (reactor, run, trigger) not in self._points:
                    self._meet((reactor, run, trigger))
        self._read = len(notes)

    def _meet(self, step: StepAt) -> None:
        reactor, run, _ = step
        before = sum(met[0] == reactor for met in self._met.setdefault(run, []))
        self._met[run].append(step)
        places = [place for place, each in enumerate(self._reactors) if each == reactor]
        round = self._round(run)
        if round is None or before >= len(places):
            self._points[step] = ""
        else:
            self._points[step] = POINTS[(places[before] + round) % len(POINTS)]

    def _round(self, run: str) -> int | None:
        """The round in which the service is killed through this run; None if it is not."""
        if self._service == "finding":
            round, who = divmod(list(self._met).index(run), RESEARCHERS * len(KILLED))
            return round if who - RESEARCHERS in researchers_killed(round) else None
        killed, _, number = run.rpartition("-")
        return int(number) if killed == self._service else None
