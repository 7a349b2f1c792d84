"""What models used under `durably` is in the costs, once, whether events tell of it or the sub-steps alone."""

from decimal import Decimal

from pydantic_ai import Agent
from tests.agents.frameworks.journal import Journal

from farandole.agents import Call, scripted
from farandole.agents.frameworks import durably
from farandole.agents.frameworks.pydantic_ai import Durability, adapt
from farandole.agents.frameworks.recording import recording
from farandole.reactors import Choreography
from farandole.schemas import End, Start
from farandole.schemas.usage import usage_in_json
from farandole.testing import Scenario


class Asked(Start):
    question: str


class Answered(End):
    text: str


async def test_a_call_that_no_event_tells_of_counts_by_its_sub_step() -> None:
    agent = Agent(scripted("Well."), name="helper", capabilities=[Durability()])
    journal = Journal()
    for attempt in (1, 2):
        with durably(journal.step(attempt), price=lambda reply: Decimal("0.01")):
            await agent.run("How are you?")
    (used,) = usage_in_json(journal.recorded["model 1"].decode())
    assert (used.model, used.calls, used.cost) == ("scripted", 1, Decimal("0.01"))
    assert used.input_tokens > 0


async def test_what_events_tell_of_does_not_count_a_second_time() -> None:
    counts = list[bool]()

    async def look_up() -> str:
        recorder = recording()
        assert recorder is not None
        counts.append(recorder.counts)
        return "found"

    script = scripted(Call("look_up"), "Well.")
    agent = Agent(script, name="helper", tools=[look_up], capabilities=[Durability()])
    desk = Choreography("desk")
    adapt("helper", agent, takes=Asked, gives=Answered).serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="How are you?"))
        s.then(Answered(text="Well."))
    assert counts == [False]


async def test_a_handler_whose_events_tell_it_turns_it_off() -> None:
    agent = Agent(scripted("Well."), name="helper", capabilities=[Durability()])
    journal = Journal()
    with durably(journal.step(), counts=False):
        await agent.run("How are you?")
    assert usage_in_json(journal.recorded["model 1"].decode()) == ()
