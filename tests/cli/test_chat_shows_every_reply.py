"""What an agent said is shown before it is the user's turn, however late the terminal comes to know of it."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from farandole.agents import Agent, ModelRequested, scripted
from farandole.cli.chatting import _Talk
from farandole.cli.lines import Lines
from farandole.cli.output import Output
from farandole.cli.talkable import Talkable
from farandole.projections.recorded import Recorded
from farandole.reactors import Choreography
from farandole.reactors.handle import RunHandle
from farandole.schemas import End, Event, Signal, Start


class Asked(Start):
    question: str


class AskedMore(Signal):
    question: str


class Told(Event):
    text: str


class Answered(End):
    text: str


class Typed:
    """One line, and then the end."""

    def __init__(self) -> None:
        self.lines = ["Where?"]

    async def next(self) -> str | None:
        return self.lines.pop() if self.lines else None


@pytest.mark.parametrize("gives", [Told, Answered])
async def test_a_reply_that_is_read_late_is_shown(
    gives: type[Event], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing_owed = asyncio.Event()
    recorded, turn = RunHandle._recorded, _Talk._turn

    async def late(self: RunHandle, *args: Any) -> Sequence[Recorded]:
        """As of a log that is slow to be read: the reply is there once nothing is owed any more."""
        found = await recorded(self, *args)
        if found and not isinstance(found[0].event, (Asked, ModelRequested)):
            await nothing_owed.wait()
        return found

    async def told(self: _Talk, lines: Lines) -> bool:
        its_turn = await turn(self, lines)
        if its_turn:
            asyncio.get_running_loop().call_later(0.05, nothing_owed.set)
        return its_turn

    monkeypatch.setattr(RunHandle, "_recorded", late)
    monkeypatch.setattr(_Talk, "_turn", told)
    desk = Choreography("desk")
    agent = Agent(
        "helper", takes=Asked | AskedMore, gives=gives, model=scripted("It was lost on the way."), continues="self"
    )
    agent.serve(desk)
    desk.load()
    talkable = Talkable(agent, desk, (Asked, "question"), (AskedMore, "question"))
    async with desk.work(f"memory://{id(desk)}") as client:
        talk = _Talk(talkable, client, Output(), "ann")
        await asyncio.wait_for(talk.go_on(cast(Lines, Typed())), 30)
        talk.leave("app:helper", None)
    out = capsys.readouterr().out
    assert out.count("It was lost on the way.") == 1
    assert "1 call of the model" in out
    assert ("go on with" in out) is (gives is Told)
