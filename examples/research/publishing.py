"""The service that writes, asks an editor and publishes: farandole work examples.research.publishing:team"""

import json

from pydantic_ai.messages import ModelMessage, ToolReturnPart

from farandole.agents import Agent, Approval, Call, Tool, scripted
from farandole.agents.scripted import Said
from farandole.reactors import ChildDone, ChildFailed, Choreography, Step

from .events import NotPublished, Planned, Published, ResearchAsked, Researched, Written

team = Choreography("team", service="publishing")


class Press:
    """Where texts are published. It knows each by its key, so that the same one twice is one."""

    async def publish(self, title: str, text: str, key: str) -> str:
        return f"https://press.example.org/{key[:8]}"


@team.provide
def press() -> Press:
    return Press()


async def publish(title: str, text: str, press: Press, step: Step) -> str:
    """Publish a text. An editor has to allow it."""
    return await press.publish(title, text, step.key)


def _write(messages: list[ModelMessage]) -> Said:
    findings = json.loads(messages[0].parts[0].content)  # type: ignore[union-attr, arg-type]
    return Written(title="Stone fruit", text=" ".join(each.get("finding", "?") for each in findings))


def _publish(messages: list[ModelMessage]) -> Said:
    written = json.loads(messages[0].parts[0].content)  # type: ignore[union-attr, arg-type]
    return Call("publish", **written)


def _conclude(messages: list[ModelMessage]) -> Said:
    (told,) = messages[-1].parts
    if isinstance(told, ToolReturnPart) and told.outcome == "success":
        return Published(address=str(told.content))
    return NotPublished(why=str(told.content), by_whom="an editor")  # type: ignore[union-attr]


writer = Agent(
    "writer",
    takes=list[ChildDone[Researched] | ChildFailed[ResearchAsked]],
    each=ResearchAsked,
    gives=Written,
    model=scripted(_write),
    instructions="Write a short text of what was found. Leave out what nobody found.",
)
publisher = Agent(
    "publisher",
    takes=Written,
    gives=Published | NotPublished,
    model=scripted(_publish, _conclude),
    instructions="Have the text published.",
    tools=[Tool(publish, needs_approval=Approval(to=["role:editor"], within="7d", question="Publish this text?"))],
)
writer.serve(team)
publisher.serve(team)
team.know(Planned)
