"""Every step of the research team, and the point of each at which its worker dies.

A run goes through the steps of a service in this order, a researcher's run for each of three questions. In each round the
point moves on by one, so that as many rounds as there are points kill each step at each of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from .failpoints import POINTS, StepAt, die
from .ledger import Ledger, Note

STEPS: Final[Mapping[str, Sequence[str]]] = {
    "planning": ("planner", "planner.model", "planner.reply", "hand_out"),
    "finding": (
        "researcher", "researcher.model", "researcher.reply", "researcher.tools.search", "researcher.tools.search",
        "researcher.turn", "researcher.model", "researcher.reply",
    ),
    "publishing": (
        "writer", "writer.model", "writer.reply", "publisher", "publisher.model", "publisher.reply",
        "publisher.approval", "publisher.decision", "publisher.tools.publish", "publisher.turn", "publisher.model",
        "publisher.reply",
    ),
}  # fmt: skip
RESEARCHERS: Final = 3
SETTLED: Final = ("unacknowledged", "after_append")
"""Points at which the outcome is in the log."""


def expected(researchers: int) -> list[str]:
    """The reactors of all steps of a round whose workers die, in order.

    Args:
        researchers: of how many of them each step is killed.
    """
    return sorted(
        reactor
        for service, reactors in STEPS.items()
        for reactor in reactors * (researchers if service == "finding" else 1)
    )


class Deaths:
    """The failpoint of one service's worker: it dies once for each step, whichever process of it comes to the point.

    Args:
        notes: what its processes noted before this one.
        researchers: of how many each step is killed.
    """

    def __init__(self, service: str, ledger: Ledger, notes: Sequence[Note], researchers: int) -> None:
        self._reactors = STEPS[service]
        self._researchers = researchers
        self._rounds_by_id = service != "finding"
        self._ledger = ledger
        self._points: dict[StepAt, str] = {}
        self._met: dict[str, list[StepAt]] = {}
        for step in _steps(notes, "meets"):
            self._meet(step)
        self._died = set(_steps(notes, "dies"))

    def reach(self, point: str, steps: Sequence[StepAt]) -> None:
        for step in steps:
            if step not in self._points and step[0] in self._reactors:
                self._ledger.note("meets", *step)
                self._meet(step)
        due = [step for step in steps if step not in self._died and self._points.get(step) == point]
        if not due:
            return
        # Whose outcome went to the log along with another one's comes to no further point.
        along = [step for step in steps if step not in self._died and self._points.get(step)]
        for step in along if point in SETTLED else due:
            self._ledger.note("dies", *step, point)
        die()

    def _meet(self, step: StepAt) -> None:
        reactor, run, _ = step
        if run not in self._met:
            self._met[run] = []
        round, who = self._place(run)
        before = sum(met[0] == reactor for met in self._met[run])
        self._met[run].append(step)
        places = [place for place, each in enumerate(self._reactors) if each == reactor]
        if reactor in self._reactors and before < len(places) and who < self._researchers:
            self._points[step] = POINTS[(places[before] + who + round) % len(POINTS)]
        else:
            self._points[step] = ""

    def _place(self, run: str) -> tuple[int, int]:
        """Of which round a run is, and which of the researchers'."""
        if self._rounds_by_id:
            return int(run.rpartition("-")[2]), 0
        return divmod(list(self._met).index(run), RESEARCHERS)


def _steps(notes: Sequence[Note], what: str) -> Iterator[StepAt]:
    for note in notes:
        if note.what == what:
            reactor, run, trigger, *_ = note.about
            yield reactor, run, trigger
