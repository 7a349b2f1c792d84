"""Agents of LangChain, and graphs of LangGraph: their calls are recorded, and they are served as our own."""

import asyncio
import operator
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatResult
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from tests.agents.frameworks.journal import Journal
from typing_extensions import TypedDict

from farandole.agents import Approval, Call
from farandole.agents.frameworks import ModelCall, ToolCall, durably
from farandole.agents.frameworks.langchain import Durable, DurableModel, adapt, durable_tools
from farandole.agents.frameworks.langchain_scripted import ScriptedModel
from farandole.reactors import Choreography
from farandole.schemas import DeclarationError, End, Start
from farandole.testing import Scenario

ASKED: Any = {"messages": [HumanMessage("Hello")]}


class Asked(Start):
    question: str


class Answered(End):
    text: str


class Counted(ScriptedModel):
    """A model that counts what it is asked."""

    asked: list[str] = []  # noqa: RUF012  # pydantic copies it

    async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> ChatResult:
        self.asked.append(messages[-1].text)
        return await super()._agenerate(messages, *args, **kwargs)


async def test_calls_of_one_reply_are_recorded_side_by_side_and_none_is_made_again() -> None:
    journal, called = Journal(), list[str]()

    @tool
    async def page(n: int) -> str:
        """A page."""
        called.append(f"page {n}")
        return f"text {n}"

    @tool
    def sync_page(n: int) -> str:
        """A page."""
        called.append(f"sync page {n}")
        return f"text {n}"

    model = Counted([Call("page", n=1), Call("sync_page", n=2)], "Both.", asked=[])
    agent: Any = create_agent(model, [page, sync_page], middleware=[Durable()])
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await agent.ainvoke(ASKED))["messages"][-1].text == "Both."
    assert sorted(called) == ["page 1", "sync page 2"]
    assert len(model.asked) == 2
    assert sorted(journal.recorded) == ["model 1", "model 2", "page 0-0", "sync_page 0-1"]
    first = ModelCall.model_validate_json(journal.recorded["model 1"])
    assert (first.model, first.finish_reason, first.input_tokens) == ("scripted", "tool_call", 1)
    assert ToolCall.model_validate_json(journal.recorded["page 0-0"]).content == "text 1"


async def test_its_own_test_model_is_recorded() -> None:
    journal = Journal()
    model = FakeMessagesListChatModel(responses=[AIMessage("Well."), AIMessage("asked twice")])
    agent: Any = create_agent(model, [], middleware=[Durable()])
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await agent.ainvoke(ASKED))["messages"][-1].text == "Well."


async def test_the_system_prompt_may_change_between_attempts() -> None:
    journal, model = Journal(), Counted("Well.", asked=[])
    for attempt in (1, 2):
        agent: Any = create_agent(model, [], system_prompt=f"It is attempt {attempt}.", middleware=[Durable()])
        with durably(journal.step(attempt)):
            await agent.ainvoke(ASKED)
    assert len(model.asked) == 1


async def test_a_structured_response_is_made_of_what_is_recorded() -> None:
    class Advice(BaseModel):
        text: str

    journal, model = Journal(), Counted(Call("Advice", text="Go."), asked=[])
    agent: Any = create_agent(model, [], response_format=Advice, middleware=[Durable()])
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await agent.ainvoke(ASKED))["structured_response"] == Advice(text="Go.")
    assert len(model.asked) == 1


async def test_a_call_that_raised_is_not_recorded() -> None:
    journal, tries = Journal(), list[int]()

    @tool
    async def look_up(city: str) -> str:
        """Look up."""
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("away")
        return "found"

    agent: Any = create_agent(ScriptedModel(Call("look_up", city="Arles"), "Found."), [look_up], middleware=[Durable()])
    with pytest.raises(ConnectionError), durably(journal.step()):
        await agent.ainvoke(ASKED)
    assert list(journal.recorded) == ["model 1"]
    with durably(journal.step(2)):
        assert (await agent.ainvoke(ASKED))["messages"][-1].text == "Found."


async def test_a_tool_that_gives_a_command_gives_it_again() -> None:
    journal, called = Journal(), list[str]()

    @tool
    async def rename(name: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
        """Rename."""
        called.append(name)
        return Command(update={"messages": [ToolMessage(f"now {name}", tool_call_id=tool_call_id)]})

    agent: Any = create_agent(ScriptedModel(Call("rename", name="Ann"), "Done."), [rename], middleware=[Durable()])
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await agent.ainvoke(ASKED))["messages"][-2].text == "now Ann"
    assert called == ["Ann"]
    assert ToolCall.model_validate_json(journal.recorded["rename 0-0"]).content == "now Ann"


async def test_a_graph_of_ones_own_has_its_models_and_tools_wrapped() -> None:
    journal, called = Journal(), list[str]()

    @tool
    async def look_up(city: str) -> str:
        """Look up."""
        called.append(city)
        return "found"

    model = DurableModel(Counted(Call("look_up", city="Arles"), "Found.", asked=[]))

    async def think(state: MessagesState) -> Any:
        return {"messages": [await model.bind_tools([look_up]).ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode([look_up], awrap_tool_call=durable_tools))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    built: Any = graph.compile()
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await built.ainvoke(ASKED))["messages"][-1].text == "Found."
    assert called == ["Arles"]
    assert len(model.inner.asked) == 2
    assert sorted(journal.recorded) == ["look_up 0-0", "think model 1", "think model 2"]


class Pages(TypedDict):
    page: int
    texts: Annotated[list[str], operator.add]


async def test_nodes_side_by_side_find_what_is_theirs_in_whichever_order_they_run() -> None:
    journal, asked = Journal(), list[str]()
    slow = {"p0": 0.02, "p1": 0.0, "p2": 0.01}

    class Echo(ScriptedModel):
        async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> ChatResult:
            await asyncio.sleep(slow[messages[-1].text])
            asked.append(messages[-1].text)
            return await ScriptedModel(messages[-1].text.upper())._agenerate(messages)

    model = DurableModel(Echo("unused"))

    async def read(state: Pages) -> Any:
        return {"texts": [(await model.ainvoke([HumanMessage(f"p{state['page']}")])).text]}

    graph = StateGraph(Pages)
    graph.add_node("read", read)
    graph.add_conditional_edges(START, lambda _: [Send("read", {"page": n, "texts": []}) for n in range(3)])
    graph.add_edge("read", END)
    built: Any = graph.compile()
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await built.ainvoke({"page": 0, "texts": []}))["texts"] == ["P0", "P1", "P2"]
        slow.update(p0=0.0, p2=0.02)
        journal.recorded.pop(next(iter(journal.recorded)))  # the first that was recorded is made anew
    assert sorted(asked) == ["p0", "p1", "p1", "p2"]


async def test_agents_that_are_nodes_side_by_side_find_what_is_theirs() -> None:
    journal, asked = Journal(), list[str]()
    slow = {"left": 0.02, "right": 0.0}

    class Both(TypedDict):
        texts: Annotated[list[str], operator.add]

    def an_agent(name: str) -> Any:
        class Named(ScriptedModel):
            async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> ChatResult:
                await asyncio.sleep(slow[name])
                asked.append(name)
                return await super()._agenerate(messages, *args, **kwargs)

        inner: Any = create_agent(Named(f"From {name}."), [], middleware=[Durable()])

        async def node(state: Both) -> Any:
            said = {"messages": [HumanMessage(f"You are {name}.")]}
            return {"texts": [(await inner.ainvoke(said))["messages"][-1].text]}

        return node

    graph = StateGraph(Both)
    for name in slow:
        graph.add_node(name, an_agent(name))
        graph.add_edge(START, name)
        graph.add_edge(name, END)
    built: Any = graph.compile()
    for attempt in (1, 2):
        with durably(journal.step(attempt)):
            assert (await built.ainvoke({"texts": []}))["texts"] == ["From left.", "From right."]
        assert sorted(journal.recorded) == ["left model 1", "right model 1"]
        slow.update(left=0.0, right=0.02)
        journal.recorded.pop("right model 1")  # the worker died before it was recorded
    assert sorted(asked) == ["left", "right", "right"]


async def test_an_agent_in_a_tool_of_an_agent_is_named_by_the_call() -> None:
    journal = Journal()
    legal: Any = create_agent(ScriptedModel("It is."), [], middleware=[Durable()])

    @tool
    async def ask_legal(question: str) -> str:
        """Ask legal."""
        text: str = (await legal.ainvoke({"messages": [HumanMessage(question)]}))["messages"][-1].text
        return text

    model = ScriptedModel(Call("ask_legal", question="Is it?"), "Yes.")
    agent: Any = create_agent(model, [ask_legal], middleware=[Durable()])
    with durably(journal.step()):
        await agent.ainvoke(ASKED)
    assert sorted(journal.recorded) == ["ask_legal 0-0", "ask_legal 0-0 / model 1", "model 1", "model 2"]


async def test_in_a_step_nothing_is_called_without_await() -> None:
    agent: Any = create_agent(ScriptedModel("Well."), [], middleware=[Durable()])
    with durably(Journal().step()), pytest.raises(DeclarationError, match="ainvoke"):
        agent.invoke(ASKED)
    assert agent.invoke(ASKED)["messages"][-1].text == "Well."
    assert (await agent.ainvoke(ASKED))["messages"][-1].text == "Well."


@pytest.mark.parametrize("mode", ["batched", "per_call"])
async def test_several_calls_that_wait_for_people_go_on_together(mode: Any) -> None:
    done = []

    @tool
    async def pay(order: str) -> str:
        """Pay."""
        done.append(order)
        return f"{order} paid"

    @tool
    async def note(text: str) -> str:
        """Note."""
        done.append(text)
        return "noted"

    model = Counted([Call("pay", order="7"), Call("note", text="x"), Call("pay", order="8")], "Done.", asked=[])
    middleware = [HumanInTheLoopMiddleware({"pay": True}, interrupt_mode=mode), Durable()]
    helper = adapt(
        "helper",
        create_agent(model, [pay, note], middleware=middleware),
        takes=Asked,
        gives=Answered,
        approval=Approval(within="1d"),
    )
    desk = Choreography("desk")
    helper.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Pay both."))
        asked = [e for e in s.history if isinstance(e, helper.events.ToolProposed)]
        assert [(e.call, e.args) for e in asked] == [("0-0", {"order": "7"}), ("0-2", {"order": "8"})]
        first, second = await s.use(lambda client: client.run("run").decisions())
        await s.use(lambda client: client.run("run").decide(second, helper.events.ToolApproved(), by="ann"))
        await s.use(
            lambda client: client.run("run").decide(first, helper.events.ToolDenied(comment="not this one"), by="bob")
        )
        s.then(Answered(text="Done."))
    assert sorted(done) == ["8", "x"]
    assert len(model.asked) == 2


async def test_an_interrupt_of_a_graph_asks_about_its_value() -> None:
    def ask(state: MessagesState) -> Any:
        answer = interrupt({"publish": "the report"})
        return {"messages": [AIMessage(f"{answer['approved']}: {answer['why']}")]}

    graph = StateGraph(MessagesState)
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    helper = adapt("helper", graph.compile(), takes=Asked, gives=Answered, approval=Approval(within="1d"))
    desk = Choreography("desk")
    helper.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Publish?"))
        assert s.last(helper.events.ToolProposed).args == {"publish": "the report"}
        await s.when(helper.events.ToolDenied(by="ann", comment="too early"))
        s.then(Answered(text="False: The call was denied by ann: too early"))


async def test_a_graph_whose_model_is_not_durable_is_told_so() -> None:
    graph: Any = create_agent(ScriptedModel("Well."), [])
    helper = adapt("helper", graph, takes=Asked, gives=Answered)
    desk = Choreography("desk")
    helper.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="How are you?"))
        (failure,) = s.failures()
        assert "calls ScriptedModel, which is not durable" in str(failure)
