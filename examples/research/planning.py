"""The service that plans: farandole work examples.research.planning:team"""

from farandole.agents import Agent, scripted
from farandole.reactors import Child, Choreography

from .events import Planned, ResearchAsked, TopicGiven

team = Choreography("team", service="planning")

planner = Agent(
    "planner",
    takes=TopicGiven,
    gives=Planned,
    model=scripted(Planned(questions=["figs", "plums", "cherries"])),
    instructions="Break the topic into questions that can be answered each by itself.",
)
planner.serve(team)


@team.reactor
async def hand_out(plan: Planned) -> list[Child[ResearchAsked]]:
    return [Child(ResearchAsked(question=question), choreography="library") for question in plan.questions]
