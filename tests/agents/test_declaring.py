"""What an agent cannot be, told when it is written."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from farandole.agents import Agent, Budget, Provided, RunTool, Tool, recent, scripted
from farandole.reactors import Choreography, Step
from farandole.schemas import DeclarationError, End, Event, Signal, Start


class Asked(Start):
    question: str


class Answered(End):
    text: str


class Nudged(Signal): ...


class Base(Event, abstract=True): ...


class Settings(BaseModel):
    url: str


async def look(place: str) -> str:
    return place


async def look_(place: str) -> str:
    return place


def unread(place, other: int) -> str:  # type: ignore[no-untyped-def]
    return ""


def starred(*places: str) -> str:
    return ""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "My Agent"}, "agent 'My Agent': a name is of small letters"),
        ({"turns": 0}, "agent helper: turns=0: the model is called once at least"),
        ({"continues": "triage"}, "continues='triage' is neither an agent nor 'self'"),
        ({"gives": int}, "agent helper: gives <class 'int'>, which is no event"),
        ({"gives": Nudged}, "agent helper: gives Nudged; a reactor can return an Event or an End"),
        ({"gives": Answered | Base}, "agent helper: gives Base; a reactor can return"),
        ({"tools": [look, Tool(look)]}, "agent helper: two tools have one name; give one of them name="),
        ({"tools": [look, Tool(look_, name="Look")]}, "agent helper: two tools are called by HelperLookCalled"),
    ],
)
def test_what_an_agent_cannot_be(wrong: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"name": "helper", "takes": Asked, "gives": Answered, "model": scripted("x"), **wrong}
    with pytest.raises(DeclarationError) as told:
        Agent(given.pop("name"), **given)
    assert message in str(told.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tool(unread), "tool unread: parameter 'place' has no annotation"),
        (lambda: Tool(starred), "tool starred: tools are called by keyword; no *args, **kwargs or /"),
        (lambda: Tool(look, name="look at it"), "tool 'look at it': a name is of ASCII letters"),
        (lambda: Tool(lambda: "x", name="plain", repeat=False), "tool plain: repeat=False is for an async def"),
        (lambda: RunTool(Asked, Nudged), "tool asked: a run ends with an End, which"),
        (lambda: Budget(usd=0.5), "money is a Decimal, or text, as usd='0.50'"),  # type: ignore[arg-type]
        (lambda: recent(0), "recent(0): the model is sent at least the last turn"),
    ],
)
def test_what_cannot_be_a_part_of_one(make: Any, message: str) -> None:
    with pytest.raises(DeclarationError) as told:
        make()
    assert message in str(told.value)


class Bank: ...


def test_what_can_be_read_from_json_is_the_models_and_the_rest_is_provided() -> None:
    async def pay(order: str, to: Settings, step: Step, bank: Bank, own: Annotated[Settings, Provided]) -> str:
        return ""

    tool = Tool(pay)
    assert set(tool.given) == {"step", "bank", "own"}
    assert set(tool.definition.parameters_json_schema["properties"]) == {"order", "to"}
    desk = Choreography("desk")
    Agent("helper", takes=Asked, gives=Answered, model=scripted("x"), tools=[tool]).serve(desk)
    with pytest.raises(DeclarationError, match="nothing provides Bank"):
        desk.load()


def test_an_agent_is_served_by_small_reactors_of_its_name() -> None:
    desk = Choreography("desk")
    agent = Agent("helper", takes=Asked, gives=Answered, model="openai:gpt-5", tools=[look])
    served = agent.serve(desk)  # nothing is asked of the provider, which is not installed
    assert list(served.reactors) == [
        "helper",
        "helper.model",
        "helper.reply",
        "helper.turn",
        "helper.tools.look",
        "helper.tools.look.failed",
    ]
    desk.load()


async def test_a_call_that_may_have_taken_effect_is_not_made_again() -> None:
    calls: list[str] = []

    async def pay(order: str) -> str:
        calls.append(order)
        if len(calls) == 1:
            raise KeyboardInterrupt  # the worker is lost
        return "paid"

    desk = Choreography("desk")
    agent = Agent("helper", takes=Asked, gives=Answered, model=scripted("x"), tools=[Tool(pay, repeat=False)])
    agent.serve(desk)
    (reactor,) = (r for r in desk.reactors if r.name == "helper.tools.pay")
    called = agent.events.called["pay"](
        agent="helper", conversation="c", turn=1, call="1", tool="pay", args={"order": "7"}
    )
    step = Step()  # remembers its sub-steps, as the log does
    with pytest.raises(KeyboardInterrupt):
        await reactor.fn(called_=called, step_=step)
    returned = await reactor.fn(called_=called, step_=step)
    assert (calls, returned.outcome) == (["7"], "unknown")
    assert "Nobody knows" in returned.content
