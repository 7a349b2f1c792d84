"""A supervisor, whose tools are runs of another service that it shares no code with; and a hand-over to a second agent, which
goes on with what was said. Their models are scripted, so that they run offline.

farandole work examples.research.finding:library --store sqlite:///office.db
farandole work examples.agents.supervisor:office --store sqlite:///office.db
farandole start examples.agents.supervisor:office Asked question="figs and plums" --wait --store sqlite:///office.db
"""

from pydantic_ai.messages import ModelMessage, ToolReturnPart

from farandole.agents import Agent, Budget, Call, FoundTool, scripted
from farandole.agents.scripted import Said
from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

office = Choreography("office")


class Asked(Start):
    question: str


class PoetryWanted(Event):
    """Hand over to the poet, once you know enough for a poem."""

    about: str


class Answered(End):
    text: str


def _divide(messages: list[ModelMessage]) -> Said:
    """Calls of one reply are runs side by side."""
    question = str(messages[0].parts[0].content)  # type: ignore[union-attr]
    return [Call("library", question=subject) for subject in question.split(" and ")]


def _gather(messages: list[ModelMessage]) -> Said:
    found = [str(part.content) for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    return PoetryWanted(about=f"{len(found)} findings")


def _rhyme(messages: list[ModelMessage]) -> Said:
    """The poet has heard all that was said to the supervisor, and by it."""
    found = [part.content for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
    return " / ".join(str(each["finding"]) for each in found if isinstance(each, dict))


supervisor = Agent(
    "supervisor",
    takes=Asked,
    gives=PoetryWanted,
    model=scripted(_divide, _gather),
    instructions="Have each subject looked up by itself, and hand over.",
    tools=[FoundTool("library", "ResearchAsked")],
    budget=Budget(calls=5, tool_calls=10),
)
poet = Agent(
    "poet",
    takes=PoetryWanted,
    gives=Answered,
    model=scripted("", "", _rhyme),
    instructions="Make a poem of what was found.",
    continues=supervisor,
)
supervisor.serve(office)
poet.serve(office)
