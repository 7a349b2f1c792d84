"""Agents of the OpenAI Agents SDK: their calls are recorded, and they are served as our own."""

import asyncio
from typing import Any

import pytest
from agents.testing import ScriptedModel as TheirModel
from agents.testing import assistant_message
from pydantic import BaseModel
from tests.agents.frameworks.journal import Journal

from agents import (
    Agent,
    ModelResponse,
    ModelSettings,
    ModelTracing,
    RunConfig,
    RunContextWrapper,
    Runner,
    function_tool,
)
from farandole.agents import Approval, Call
from farandole.agents.frameworks import ModelCall, ToolCall, durably
from farandole.agents.frameworks.openai_agents import DurableModel, adapt, durable
from farandole.agents.frameworks.openai_scripted import ScriptedModel
from farandole.reactors import Choreography
from farandole.schemas import DeclarationError, End, Start
from farandole.testing import Scenario

QUIET = RunConfig(tracing_disabled=True)


class Asked(Start):
    question: str


class Answered(End):
    text: str


class Counted(ScriptedModel):
    """A model that counts what it is asked."""

    asked = 0

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        self.asked += 1
        return await super().get_response(*args, **kwargs)


async def ran(agent: Agent[Any], said: str = "Hello") -> Any:
    return (await Runner.run(agent, said, run_config=QUIET)).final_output


async def test_calls_of_one_reply_are_recorded_side_by_side_and_none_is_made_again() -> None:
    journal, called = Journal(), list[str]()

    @function_tool
    async def page(n: int) -> str:
        called.append(f"page {n}")
        return f"text {n}"

    @function_tool
    def sync_page(n: int) -> str:
        called.append(f"sync page {n}")
        return f"text {n}"

    model = Counted([Call("page", n=1), Call("sync_page", n=2)], "Both.")
    agent = durable(Agent("helper", model=model, tools=[page, sync_page]))
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert await ran(agent) == "Both."
    assert sorted(called) == ["page 1", "sync page 2"]
    assert model.asked == 2
    assert sorted(journal.recorded) == ["model 1", "model 2", "page 0-0", "sync_page 0-1"]
    first = ModelCall.model_validate_json(journal.recorded["model 1"])
    assert (first.model, first.finish_reason, first.input_tokens > 0) == ("scripted", "tool_call", True)
    assert ToolCall.model_validate_json(journal.recorded["page 0-0"]).content == "text 1"


async def test_their_own_test_model_is_recorded() -> None:
    journal, model = Journal(), TheirModel([[assistant_message("Well.")]])
    agent = durable(Agent("helper", model=model))
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert await ran(agent) == "Well."
    model.assert_complete()


async def test_an_agent_that_is_handed_over_to_is_recorded_too() -> None:
    journal = Journal()
    expert_model, first_model = Counted("Legal."), Counted(Call("transfer_to_expert"))
    agent = durable(Agent("first", model=first_model, handoffs=[Agent("expert", model=expert_model)]))
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert await ran(agent) == "Legal."
    assert (first_model.asked, expert_model.asked) == (1, 1)
    assert sorted(journal.recorded) == ["model 1", "model 2"]


async def test_what_an_agent_calls_that_is_a_tool_is_recorded_within_it() -> None:
    journal, expert_model = Journal(), Counted("Legal.")
    expert = Agent("expert", model=expert_model)
    ask = expert.as_tool("ask_expert", "Ask.")
    agent = durable(Agent("helper", model=Counted(Call("ask_expert", input="Is it?"), "It is."), tools=[ask]))
    for attempt in (1, 2):
        with durably(journal.step(attempt)) as recorder:
            assert await ran(agent) == "It is."
    assert expert_model.asked == 1
    assert sorted(journal.recorded) == ["ask_expert 0-0 / model 1", "model 1", "model 2"]
    assert [told.name for told in recorder.told] == ["model 1", "ask_expert 0-0 / model 1", "ask_expert 0-0", "model 2"]


async def test_a_stream_is_passed_on_and_recorded_as_a_whole() -> None:
    journal, model = Journal(), TheirModel([[assistant_message("Well, thank you.")]])
    agent = durable(Agent("helper", model=model))
    seen = []
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            result = Runner.run_streamed(agent, "How are you?", run_config=QUIET)
            seen.append(
                [event.data.type async for event in result.stream_events() if event.type == "raw_response_event"]
            )
            assert result.final_output == "Well, thank you."
    assert "response.output_text.delta" in seen[0]
    assert seen[0][-1] == "response.completed"
    assert seen[1] == ["response.completed"]


async def test_a_stream_that_is_left_early_is_not_recorded_and_leaves_its_place() -> None:
    class Slow(TheirModel):
        async def stream_response(self, *args: Any, **kwargs: Any) -> Any:
            async for event in super().stream_response(*args, **kwargs):
                yield event
                await asyncio.sleep(3600)  # the rest never comes

    journal, model = Journal(), Slow([[assistant_message("Well, thank you.")], [assistant_message("Well.")]])
    durable_model = DurableModel(model)
    said: Any = (None, "How are you?", ModelSettings(), [], None, [], ModelTracing.DISABLED)
    more: Any = {"previous_response_id": None, "conversation_id": None, "prompt": None}
    with durably(journal.step()):
        stream: Any = durable_model.stream_response(*said, **more)
        async for _ in stream:
            break
        await stream.aclose()
        await durable_model.get_response(*said, **more)
    assert list(journal.recorded) == ["model 1"]


async def test_a_stream_that_fails_is_not_recorded() -> None:
    journal, model = Journal(), TheirModel([ConnectionError("away"), [assistant_message("Well.")]])
    agent = durable(Agent("helper", model=model))
    with pytest.raises(ConnectionError), durably(journal.step()):
        result = Runner.run_streamed(agent, "How are you?", run_config=QUIET)
        async for _ in result.stream_events():
            pass
    assert journal.recorded == {}
    with durably(journal.step(2)):
        assert await ran(agent, "How are you?") == "Well."


async def test_an_error_that_the_sdk_tells_the_model_has_ended_its_call() -> None:
    journal, tries = Journal(), list[int]()

    @function_tool
    async def look_up(city: str) -> str:
        tries.append(1)
        raise ValueError("no such city")

    agent = durable(Agent("helper", model=Counted(Call("look_up", city="?"), "Nowhere."), tools=[look_up]))
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert await ran(agent) == "Nowhere."
    assert len(tries) == 1
    assert "An error occurred" in ToolCall.model_validate_json(journal.recorded["look_up 0-0"]).content


async def test_an_error_that_the_sdk_does_not_catch_is_not_recorded() -> None:
    journal, tries = Journal(), list[int]()

    @function_tool(failure_error_function=None)
    async def look_up(city: str) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("away")
        return "found"

    agent = durable(Agent("helper", model=Counted(Call("look_up", city="Arles"), "Found."), tools=[look_up]))
    with pytest.raises(Exception, match="away"), durably(journal.step()):
        await ran(agent)
    assert list(journal.recorded) == ["model 1"]
    with durably(journal.step(2)):
        assert await ran(agent) == "Found."


async def test_a_model_of_a_run_config_is_wrapped_by_hand() -> None:
    journal, model = Journal(), Counted("Well.")
    config = RunConfig(tracing_disabled=True, model=DurableModel(model))
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await Runner.run(Agent("helper"), "Hello", run_config=config)).final_output == "Well."
    assert model.asked == 1


async def test_structured_output_is_what_it_gives() -> None:
    class Advice(BaseModel):
        text: str

    agent = durable(Agent("helper", model=ScriptedModel('{"text": "Go."}'), output_type=Advice))
    helper = adapt("helper", agent, run_config=QUIET, takes=Asked, gives=Answered)
    desk = Choreography("desk")
    helper.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Go?"))
        s.then(Answered(text="Go."))


async def test_a_call_of_an_agent_that_is_a_tool_may_wait_for_people() -> None:
    done = []

    @function_tool(needs_approval=True)
    async def pay(order: str) -> str:
        done.append(order)
        return f"{order} paid"

    payer = Agent("payer", model=ScriptedModel(Call("pay", order="7"), "I paid."), tools=[pay])
    ask = payer.as_tool("ask_payer", "Ask.")
    agent = durable(Agent("helper", model=ScriptedModel(Call("ask_payer", input="Pay 7."), "Done."), tools=[ask]))
    helper = adapt("helper", agent, run_config=QUIET, takes=Asked, gives=Answered, approval=Approval(within="1d"))
    desk = Choreography("desk")
    helper.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Pay 7."))
        assert s.last(helper.events.ToolProposed).args == {"order": "7"}
        assert done == []
        await s.when(helper.events.ToolApproved(by="ann"))
        s.then(Answered(text="Done."))
    assert done == ["7"]


async def test_a_tool_that_ends_the_run_gives_the_event() -> None:
    @function_tool
    async def look_up(city: str) -> str:
        return f"found {city}"

    model = ScriptedModel(Call("look_up", city="Arles"))
    agent = durable(Agent("helper", model=model, tools=[look_up], tool_use_behavior="stop_on_first_tool"))
    helper = adapt("helper", agent, run_config=QUIET, takes=Asked, gives=Answered)
    desk = Choreography("desk")
    helper.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Where?"))
        s.then(Answered(text="found Arles"))


def test_an_agent_that_is_not_durable_is_not_adapted() -> None:
    with pytest.raises(DeclarationError, match="durable"):
        adapt("helper", Agent("helper"), takes=Asked, gives=Answered)


def test_an_agent_is_made_durable_once() -> None:
    agent = Agent[Any]("helper", model=ScriptedModel("Well."))
    wrapped = durable(agent).model
    assert durable(agent).model is wrapped


async def test_a_context_of_ones_own_is_there_in_each_leg_and_not_recorded() -> None:
    seen = []

    @function_tool(needs_approval=True)
    async def pay(context: RunContextWrapper[Any], order: str) -> str:
        seen.append(context.context)
        return "paid"

    agent = durable(Agent[Any]("helper", model=ScriptedModel(Call("pay", order="7"), "Done."), tools=[pay]))
    context = {"token": "hush"}
    helper = adapt("helper", agent, run_config=QUIET, context=context, takes=Asked, gives=Answered)
    desk = Choreography("desk")
    helper.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Pay."))
        assert "hush" not in s.last(helper.events.ToolProposed).model_dump_json()
        await s.when(helper.events.ToolApproved(by="ann"))
        s.then(Answered(text="Done."))
    assert seen == [context]
