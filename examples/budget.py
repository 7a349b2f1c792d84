"""A loop with a budget: a model drafts and improves until the draft is good, or what it may cost is spent.

farandole work examples.budget:essays --store kafka://localhost:9092
"""

from farandole.projections import State, on
from farandole.reactors import Choreography, Run, Step
from farandole.schemas import End, Event, Start

essays = Choreography("essays")


class EssayWanted(Start):
    topic: str
    quality: int
    cents: int


class Drafted(Event):
    quality: int
    cents: int


class EssayDone(End):
    drafts: int
    spent: int


class BudgetSpent(End):
    quality: int
    spent: int


class Progress(State):
    """What the loop knows of itself: what its events say, and nothing else."""

    drafts: int = 0
    quality: int = 0
    spent: int = 0

    @on
    def drafted(self, draft: Drafted) -> None:
        self.drafts += 1
        self.quality = draft.quality
        self.spent += draft.cents


class Model:
    """Improves a draft a little each time, and wants to be paid for it."""

    async def improve(self, topic: str, quality: int, key: str) -> tuple[int, int]:
        return quality + 1, 7


@essays.provide
def model() -> Model:
    return Model()


@essays.reactor(timeout="1m")
async def draft(
    before: EssayWanted | Drafted, state: Progress, run: Run[EssayWanted], step: Step, model: Model
) -> Drafted | EssayDone | BudgetSpent:
    if state.quality >= run.start.quality:
        return EssayDone(drafts=state.drafts, spent=state.spent)
    if state.spent >= run.start.cents:
        return BudgetSpent(quality=state.quality, spent=state.spent)
    quality, cents = await model.improve(run.start.topic, state.quality, step.key)
    return Drafted(quality=quality, cents=cents)
