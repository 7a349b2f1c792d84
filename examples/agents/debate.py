"""Two agents that argue until they agree, or for as many rounds as they may. Scripted, so that it runs offline.

farandole work examples.agents.debate:debate --store kafka://localhost:9092
"""

from farandole.agents import Agent, scripted
from farandole.projections import State, on
from farandole.reactors import Choreography, Run
from farandole.schemas import End, Event, Start

debate = Choreography("debate")


class QuestionPut(Start):
    question: str
    rounds: int = 5


class Claimed(Event):
    """Your opinion, and why."""

    opinion: str


class Answered(Event):
    """Whether you agree with the opinion, and what is to be said against it."""

    agrees: bool
    objection: str = ""


class Objected(Event):
    objection: str


class Agreed(End):
    opinion: str
    rounds: int


class Undecided(End):
    opinion: str


class Course(State):
    """How the debate stands."""

    rounds: int = 0
    opinion: str = ""

    @on
    def claimed(self, claim: Claimed) -> None:
        self.rounds += 1
        self.opinion = claim.opinion


proponent = Agent(
    "proponent",
    takes=QuestionPut | Objected,
    gives=Claimed,
    model=scripted("Figs are sweetest.", "Dried figs are sweetest."),
    instructions="Say what you think. When there are objections, meet them.",
    continues="self",
)
opponent = Agent(
    "opponent",
    takes=Claimed,
    gives=Answered,
    model=scripted(Answered(agrees=False, objection="Fresh ones are not."), Answered(agrees=True)),
    instructions="Find what is wrong with the opinion. Agree if nothing is.",
    continues="self",
)
proponent.serve(debate)
opponent.serve(debate)


@debate.reactor
async def judge(answer: Answered, course: Course, run: Run[QuestionPut]) -> Objected | Agreed | Undecided:
    if answer.agrees:
        return Agreed(opinion=course.opinion, rounds=course.rounds)
    if course.rounds >= run.start.rounds:
        return Undecided(opinion=course.opinion)
    return Objected(objection=answer.objection)
