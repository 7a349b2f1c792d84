"""Agents of Pydantic AI: their calls are recorded beneath its own durability, and they are served as our own."""

from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, RunContext, Tool
from pydantic_ai.exceptions import CallDeferred, ModelRetry, ToolFailed
from pydantic_ai.messages import ToolReturnPart
from pydantic_ai.models.test import TestModel
from pydantic_ai.toolsets import FunctionToolset
from tests.agents.frameworks.journal import Journal

from farandole.agents import Approval, Call, scripted
from farandole.agents.frameworks import Adapted, ModelCall, Strayed, ToolCall, durably
from farandole.agents.frameworks.adapted import Paused
from farandole.agents.frameworks.pydantic_ai import Durability, adapt
from farandole.cli.errors import CliError
from farandole.cli.talkable import Talkable
from farandole.reactors import Choreography
from farandole.schemas import DeclarationError, End, Start
from farandole.testing import Scenario


class Asked(Start):
    question: str


class Answered(End):
    text: str


class Advised(End):
    """Advice, and how sure you are."""

    text: str
    sure: bool


def an_agent(*script: Any, tools: Any = (), **options: Any) -> Agent[Any, Any]:
    return Agent(scripted(*script), name="helper", tools=tools, capabilities=[Durability()], **options)


async def test_calls_of_one_reply_are_recorded_side_by_side_and_none_is_made_again() -> None:
    journal, called = Journal(), list[str]()

    async def page(n: int) -> str:
        called.append(f"page {n}")
        return f"text {n}"

    def sync_page(n: int) -> str:
        called.append(f"sync page {n}")
        return f"text {n}"

    agent = an_agent([Call("page", n=1), Call("sync_page", n=2)], "Both.", tools=[page, sync_page])
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await agent.run("Read.")).output == "Both."
    assert sorted(called) == ["page 1", "sync page 2"]
    assert sorted(journal.recorded) == ["model 1", "model 2", "page 0-0", "sync_page 0-1"]
    first = ModelCall.model_validate_json(journal.recorded["model 1"])
    assert (first.model, first.finish_reason, first.input_tokens > 0) == ("scripted", "tool_call", True)
    assert ToolCall.model_validate_json(journal.recorded["page 0-0"]).content == "text 1"


async def test_its_own_test_model_is_recorded() -> None:
    journal, called = Journal(), list[str]()

    async def weather(city: str) -> str:
        called.append(city)
        return "rain"

    agent = Agent(TestModel(), name="helper", tools=[weather], capabilities=[Durability()])
    outputs = []
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            outputs.append((await agent.run("Weather?")).output)
    assert outputs == ['{"weather":"rain"}'] * 2
    assert len(called) == 1


async def test_what_the_model_is_to_do_better_is_recorded_as_that() -> None:
    journal = Journal()

    async def look_up(city: str) -> str:
        if city == "?":
            raise ModelRetry("name a city")
        if city == "Atlantis":
            raise ToolFailed("it sank")
        return "found"

    script = (Call("look_up", city="?"), Call("look_up", city="Atlantis"), Call("look_up", city="Arles"), "Done.")
    agent = an_agent(*script, tools=[look_up])
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            await agent.run("Find it.")
    told = [ToolCall.model_validate_json(journal.recorded[f"look_up {n}-0"]) for n in range(3)]
    assert [(each.outcome, each.content) for each in told] == [
        ("retried", "name a city"),
        ("failed", "it sank"),
        ("success", "found"),
    ]


async def test_a_call_that_raised_is_not_recorded() -> None:
    journal, tries = Journal(), list[int]()

    async def look_up(city: str) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("away")
        return "found"

    agent = an_agent(Call("look_up", city="Arles"), "Done.", tools=[look_up])
    with pytest.raises(ConnectionError), durably(journal.step()):
        await agent.run("Find it.")
    assert list(journal.recorded) == ["model 1"]
    with durably(journal.step(2)):
        assert (await agent.run("Find it.")).output == "Done."
    assert len(tries) == 2


async def test_instructions_may_change_between_attempts() -> None:
    journal, times = Journal(), iter(["noon", "midnight"])
    agent = an_agent("Well.", instructions=lambda ctx: f"It is {next(times)}.")

    @agent.system_prompt
    def place() -> str:
        return f"It is {object()!r}."

    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await agent.run("How are you?")).output == "Well."


async def test_an_image_that_is_sent_along_is_part_of_what_is_asked() -> None:
    journal, agent = Journal(), an_agent("A fig.")
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            await agent.run(["What is it?", BinaryContent(b"\x89PNG\xff", media_type="image/png")])
    with pytest.raises(Strayed, match="the last of 1 messages"), durably(journal.step(3)):
        await agent.run(["What is it?", BinaryContent(b"\x89PNG\xfe", media_type="image/png")])


async def test_an_agent_within_a_tool_of_another_is_recorded_too() -> None:
    journal, asked = Journal(), list[str]()

    def answer(messages: Any) -> str:
        asked.append("expert")
        return "Legal."

    expert = Agent(scripted(answer), name="expert", capabilities=[Durability()])

    async def ask_expert(ctx: RunContext[Any], question: str) -> str:
        return (await expert.run(question)).output

    agent = an_agent(Call("ask_expert", question="Is it?"), "It is.", tools=[ask_expert])
    journal.forgets = {"ask_expert 0-0"}
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await agent.run("Is it legal?")).output == "It is."
    assert "ask_expert 0-0 / model 1" in journal.recorded
    assert asked == ["expert"]


async def test_a_stream_is_passed_on_and_recorded_as_a_whole() -> None:
    journal, heard = Journal(), list[int]()

    async def look_up(city: str) -> str:
        return "found"

    async def hear(ctx: Any, events: Any) -> None:
        heard.append(len([event async for event in events]))

    model = TestModel(custom_output_text="It is found.")
    durability = Durability(event_stream_handler=hear)
    agent = Agent(model, name="helper", tools=[look_up], capabilities=[durability])
    counts = []
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await agent.run("Find it.")).output == "It is found."
        counts.append(sum(heard))
        heard.clear()
    assert sorted(journal.recorded)[:2] == ["look_up pyd_ai_tool_call_id__look_up", "model 1"]
    assert counts[0] > counts[1]  # what is recorded is not streamed once more


async def test_outside_of_a_step_nothing_is_recorded() -> None:
    assert (await an_agent("Well.").run("How are you?")).output == "Well."


async def test_toolsets_with_an_id_are_recorded() -> None:
    journal, called = Journal(), list[str]()

    async def look_up(city: str) -> str:
        called.append(city)
        return "found"

    agent = an_agent(Call("look_up", city="Arles"), "Done.", toolsets=[FunctionToolset([look_up], id="places")])
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            await agent.run("Find it.")
    assert called == ["Arles"]


async def test_several_calls_that_wait_for_people_go_on_together() -> None:
    done = []

    async def pay(order: str) -> str:
        done.append(order)
        return f"{order} paid"

    async def note(text: str) -> str:
        return "noted"

    told: list[Any] = []

    def last(messages: Any) -> str:
        told.extend(p.content for m in messages for p in m.parts if isinstance(p, ToolReturnPart))
        return "Done."

    script = ([Call("pay", order="7"), Call("note", text="x"), Call("pay", order="8")], last)
    agent = an_agent(*script, tools=[Tool(pay, requires_approval=True), note])
    helper = adapt("helper", agent, takes=Asked, gives=Answered, approval=Approval(within="1d"))
    desk = Choreography("desk")
    helper.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Pay both."))
        questions = [e for e in s.history if isinstance(e, helper.events.ToolProposed)]
        assert [q.args for q in questions] == [{"order": "7"}, {"order": "8"}]
        assert [q.state is not None for q in questions] == [True, False]
        assert done == []
        first, second = await s.use(lambda client: client.run("run").decisions())
        await s.use(lambda client: client.run("run").decide(second, helper.events.ToolApproved(), by="ann"))
        await s.use(
            lambda client: client.run("run").decide(first, helper.events.ToolDenied(comment="not this one"), by="bob")
        )
        s.then(Answered(text="Done."))
    assert done == ["8"]
    assert sorted(told) == ["8 paid", "The call was denied by bob: not this one", "noted"]


async def test_what_it_gives_is_made_of_its_output() -> None:
    agent = an_agent(Advised(text="Go.", sure=True), output_type=Advised)
    helper = adapt("helper", agent, takes=Asked, gives=Answered | Advised)
    desk = Choreography("desk")
    helper.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Go?"))
        s.then(Advised(text="Go.", sure=True))


async def test_a_call_whose_result_comes_from_elsewhere_parks_the_step() -> None:
    async def from_elsewhere() -> str:
        raise CallDeferred

    helper = adapt(
        "helper", an_agent(Call("from_elsewhere"), "Done.", tools=[from_elsewhere]), takes=Asked, gives=Answered
    )
    desk = Choreography("desk")
    helper.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Look."))
        (failure,) = s.failures()
        assert "waits for results of from_elsewhere" in str(failure)


async def test_a_pause_that_asks_nothing_parks_the_step() -> None:
    class Idle:
        tools = ()

        async def begin(self, prompt: str) -> Paused:
            return Paused({}, [])

        async def go_on(self, state: Any, decided: Any) -> Paused:
            raise AssertionError

    desk = Choreography("desk")
    Adapted("helper", Idle(), takes=Asked, gives=Answered).serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Look."))
        (failure,) = s.failures()
        assert "asks nothing of people" in str(failure)


async def test_an_output_of_which_no_event_can_be_made_parks_the_step() -> None:
    class Place(BaseModel):
        city: str

    agent = Agent(TestModel(), name="helper", output_type=Place, capabilities=[Durability()])
    helper = adapt("helper", agent, takes=Asked, gives=Advised)
    desk = Choreography("desk")
    helper.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Go?"))
        (failure,) = s.failures()
        assert "ended with Place, of which no Advised can be made" in str(failure)


def test_an_agent_that_is_not_durable_is_not_adapted() -> None:
    with pytest.raises(DeclarationError, match=r"capabilities=\[Durability\(\)\]"):
        adapt("helper", Agent(TestModel(), name="helper"), takes=Asked, gives=Answered)


def test_a_name_that_can_name_no_reactor_is_refused() -> None:
    with pytest.raises(DeclarationError, match="small letters"):
        adapt("Helper!", an_agent("Well."), takes=Asked, gives=Answered)


@pytest.mark.parametrize("option", ["continues", "turns"])
def test_what_an_agent_of_another_framework_has_not_is_refused_and_not_passed_over(option: str) -> None:
    options: Any = {option: "self"}
    with pytest.raises(DeclarationError, match=f"another framework has no {option}=") as refused:
        adapt("helper", an_agent("Well."), takes=Asked, gives=Answered, **options)
    assert ("call this one as a run" in str(refused.value)) is (option == "continues")


def test_whoever_says_more_to_an_agent_of_another_framework_is_told_how_it_can_be_done() -> None:
    desk = Choreography("desk")
    helper = adapt("helper", an_agent("Well."), takes=Asked, gives=Answered)
    helper.serve(desk)
    with pytest.raises(CliError, match="take one message in a conversation: begin another one, or let an Agent"):
        Talkable(helper, desk, (Asked, "question"), None).next("And then?")
