"""The service that finds out, a run for each question: farandole work examples.research.finding:library"""

from pydantic_ai.messages import ModelMessage

from farandole.agents import Agent, Budget, Call, scripted
from farandole.agents.scripted import Said
from farandole.reactors import Choreography

from .events import ResearchAsked, Researched

library = Choreography("library", service="finding")


class Shelves:
    """A library. It lends nothing, so that to ask it twice is to ask it once."""

    async def look(self, words: str) -> str:
        return f"A book says: {words} are sweet."


@library.provide
def shelves() -> Shelves:
    return Shelves()


async def search(words: str, shelves: Shelves) -> str:
    """Search the library.

    Args:
        words: what to look for.
    """
    return await shelves.look(words)


def _question(messages: list[ModelMessage]) -> str:
    return str(messages[0].parts[0].content)  # type: ignore[union-attr]


def _look_twice(messages: list[ModelMessage]) -> Said:
    return [Call("search", words=_question(messages)), Call("search", words=f"dried {_question(messages)}")]


def _conclude(messages: list[ModelMessage]) -> Said:
    return Researched(finding=f"{_question(messages).capitalize()} are sweet.", sources=["a book"])


researcher = Agent(
    "researcher",
    takes=ResearchAsked,
    gives=Researched,
    model=scripted(_look_twice, _conclude),
    instructions="Search before you answer, and name your sources.",
    tools=[search],
    budget=Budget(calls=8),
)
researcher.serve(library)
