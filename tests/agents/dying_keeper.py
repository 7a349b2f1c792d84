"""A worker that is killed between keeping something large and appending its reference, once each: ``python dying_keeper.py URL NAME FOLDER KIND``.

What was kept and what was called stands in the folder's ledger, a file that nobody's death takes along.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pydantic_ai import Agent as Foreign
from tests.agents.dying import with_short_claims

from farandole.agents import Agent, Call, Folder, Large, Tool, scripted
from farandole.agents.frameworks import call_key
from farandole.agents.frameworks.pydantic_ai import Durability, adapt
from farandole.reactors import Choreography, Step
from farandole.schemas import End, Start

BOOK = "It was a dark and stormy night. " * 10_000
KINDS = ("own", "unrepeated", "adapted")


class Asked(Start):
    question: str


class Answered(End):
    text: str


class Dying(Folder):
    """Keeps it for good, and then its worker is killed: once for each content."""

    def put(self, reference: str, content: bytes) -> None:
        super().put(reference, content)
        before = note(self.path, f"kept {reference}")
        if f"kept {reference}" not in before:
            os.kill(os.getpid(), signal.SIGKILL)


def note(folder: "str | Path", line: str) -> list[str]:
    """Write a line into the ledger; what stood there before."""
    path = Path(folder) / "ledger"
    before = path.read_text().splitlines() if path.exists() else []
    with path.open("a") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())
    return before


def choreography(name: str, folder: str, kind: str) -> tuple[Choreography, Any]:
    desk, large = Choreography(name), Large(Dying(folder))
    script = scripted(Call("read_book", title="x"), "Read.")
    agent: Any

    async def read_book(title: str, step: Step) -> str:
        note(folder, f"called {step.key}")
        return BOOK

    async def read_book_abroad(title: str) -> str:
        note(folder, f"called {call_key()}")
        return BOOK

    if kind == "adapted":
        read_book_abroad.__name__ = "read_book"
        foreign = Foreign(script, name="reader", tools=[read_book_abroad], capabilities=[Durability()])
        agent = adapt("reader", foreign, takes=Asked, gives=Answered, large=large)
    else:
        tool = Tool(read_book, repeat=kind == "own")
        agent = Agent("reader", takes=Asked, gives=Answered, model=script, tools=[tool], large=large)
    agent.serve(desk)
    return desk, agent


async def main(url: str, name: str, folder: str, kind: str) -> None:
    desk, _ = choreography(name, folder, kind)
    await desk.work(url, partitions=1, member="the-one")  # whose partitions are its again at once


if __name__ == "__main__":
    with_short_claims()
    asyncio.run(main(*sys.argv[1:]))
