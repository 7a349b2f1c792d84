"""Several agents: one is a tool of another, one hands over to another, one goes on with what was said before."""

from decimal import Decimal

import pytest
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ToolReturnPart

from farandole.agents import Agent, Budget, Call, RunTool, recent, scripted
from farandole.agents.scripted import Said
from farandole.reactors import Child, ChildDone, ChildFailed, Choreography, GiveUp
from farandole.schemas import End, Event, Signal, Start
from farandole.testing import Scenario


class Asked(Start):
    question: str


class Answered(End):
    text: str


class ResearchAsked(Start):
    """Find out about something.

    Give one subject at a time.
    """

    subject: str


class Researched(End):
    text: str


def research(*script: Said) -> tuple[Agent, Choreography]:
    agent, choreography = (
        Agent("researcher", takes=ResearchAsked, gives=Researched, model=scripted(*script)),
        Choreography("research"),
    )
    agent.serve(choreography)
    return agent, choreography


def supervisor(*script: Said) -> tuple[Agent, Choreography]:
    agent = Agent(
        "boss",
        takes=Asked,
        gives=Answered,
        model=scripted(*script),
        tools=[RunTool(ResearchAsked, Researched, "research")],
    )
    desk = Choreography("desk")
    agent.serve(desk)
    return agent, desk


async def test_an_agent_is_a_tool_of_another_one_and_its_calls_are_runs_side_by_side() -> None:
    boss, desk = supervisor([Call("research", subject="figs"), Call("research", subject="plums")], "Both are sweet.")
    _, library = research("It is sweet.")
    async with Scenario(desk, library) as s:
        await s.when(Asked(question="Which is sweet?"))
        s.then(Answered(text="Both are sweet."))
        returned = [e for e in s.history if isinstance(e, boss.events.ToolReturned)]
        assert [(e.outcome, e.content) for e in returned] == [("success", "It is sweet.")] * 2
    (tool,) = boss.tools.values()
    assert tool.definition.description == "Find out about something.\n\nGive one subject at a time."
    assert list(tool.definition.parameters_json_schema["properties"]) == ["subject"]


async def test_a_run_that_fails_is_told_to_the_model() -> None:
    boss, desk = supervisor(Call("research", subject="figs"), "I do not know.")
    library = Choreography("research")

    @library.reactor
    async def look(asked: ResearchAsked) -> Researched:
        raise GiveUp("the library is closed")

    async with Scenario(desk, library) as s:
        await s.when(Asked(question="Which is sweet?"))
        s.then(Answered(text="I do not know."))
        returned = s.last(boss.events.ToolReturned)
        assert returned.outcome == "failed"
        assert "the library is closed" in str(returned.content)


async def test_what_runs_may_spend_is_set_aside_of_the_budget_of_whoever_starts_them() -> None:
    calls = [Call("research", subject=f"fig {n}") for n in range(5)]
    desk = Choreography("desk")
    boss = Agent(
        "boss",
        takes=Asked,
        gives=Answered,
        model=scripted(calls, Call("research", subject="one more"), "Enough."),
        tools=[RunTool(ResearchAsked, Researched, "research", usd="0.30")],
        budget=Budget(usd="1.00"),
        price=lambda reply: Decimal("0.01"),
    )
    boss.serve(desk)
    _, library = research("It is sweet.")
    async with Scenario(desk, library) as s:
        await s.when(Asked(question="Which is sweet?"))
        s.then(Answered(text="Enough."))
        returned = [e for e in s.history if isinstance(e, boss.events.ToolReturned)]
        assert sorted(e.outcome for e in returned) == ["denied"] * 3 + ["success"] * 3
        assert "has no room" in str(next(e.content for e in returned if e.outcome == "denied"))
        boss.budget = Budget(usd="0.92")
        await s.run("again").when(Asked(question="Which is sweet?"))
        (failure,) = s.run("again").failures()
        assert failure.message == "0.02 of 0.92 USD are spent in this run, and 0.9 set aside for runs that it started"


class BriefAsked(Start):
    """Find out about something in a hurry."""

    subject: str


def a_boss_with_a_purse(*script: Said) -> tuple[Agent, Choreography]:
    desk = Choreography("desk")
    boss = Agent(
        "boss", takes=Asked, gives=Answered, model=scripted(*script), budget=Budget(usd="0.50"),
        price=lambda reply: Decimal("0.01"),
        tools=[
            RunTool(BriefAsked, Researched, "research", usd="0.30", name="brief"),
            RunTool(ResearchAsked, Researched, "research", usd="0.60", name="thorough"),
        ],
    )  # fmt: skip
    boss.serve(desk)
    return boss, desk


def a_library() -> Choreography:
    library = Choreography("research")

    @library.reactor
    async def look(asked: BriefAsked) -> Researched:
        return Researched(text=asked.subject)

    return library


async def test_what_was_set_aside_for_a_call_that_fits_no_longer_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    boss, desk = a_boss_with_a_purse(Call("brief", subject="figs"), Call("brief", subject="plums"), "Sweet.")
    opening, opened = RunTool.opening, list[object]()

    def other_fields(self: RunTool, args: object) -> Start:
        """As of a release that takes other fields than that which made the call."""
        opened.append(args)
        return BriefAsked.model_validate({}) if len(opened) == 1 else opening(self, args)

    monkeypatch.setattr(RunTool, "opening", other_fields)
    async with Scenario(desk, a_library()) as s:
        await s.when(Asked(question="Which is sweet?"))
        returned = [e.outcome for e in s.history if isinstance(e, boss.events.ToolReturned)]
        assert returned == ["retried", "success"]


async def test_of_two_tools_whose_runs_end_alike_one_returns() -> None:
    boss, desk = a_boss_with_a_purse(Call("brief", subject="figs"), "Sweet.")
    async with Scenario(desk, a_library()) as s:
        await s.when(Asked(question="Which is sweet?"))
        returned = [(e.tool, e.content) for e in s.history if isinstance(e, boss.events.ToolReturned)]
        assert returned == [("brief", "figs")]


async def test_what_was_set_aside_for_a_call_without_room_is_there_for_the_next_reply() -> None:
    both = [Call("thorough", subject="figs"), Call("brief", subject="figs")]
    boss, desk = a_boss_with_a_purse(both, Call("brief", subject="figs"), "Sweet.")
    async with Scenario(desk, a_library()) as s:
        await s.when(Asked(question="Which is sweet?"))
        returned = [e.outcome for e in s.history if isinstance(e, boss.events.ToolReturned)]
        assert returned == ["denied", "denied", "success"]


async def test_children_of_others_are_none_of_an_agents() -> None:
    boss, desk = supervisor(Call("research", subject="figs"), "Sweet.")
    _, library = research("It is sweet.")

    @desk.reactor
    async def besides(asked: Asked) -> Child[ResearchAsked]:
        return Child(ResearchAsked(subject="pears"), choreography="research")

    async with Scenario(desk, library) as s:
        await s.when(Asked(question="Which is sweet?"))
        s.then(Answered(text="Sweet."))
        assert sum(isinstance(e, boss.events.ToolReturned) for e in s.history) == 1
        assert s.failures() == []


class Planned(Event):
    """What is to be found out."""

    subjects: list[str]


async def test_a_fan_in_of_runs_is_what_an_agent_takes() -> None:
    team = Choreography("team")
    planner = Agent("planner", takes=Asked, gives=Planned, model=scripted(Planned(subjects=["figs", "plums"])))
    heard: list[object] = []

    def write(messages: list[ModelMessage]) -> Said:
        heard.append(messages[0].parts[0].content)  # type: ignore[union-attr]
        return "Sweet."

    writer = Agent(
        "writer",
        takes=list[ChildDone[Researched] | ChildFailed[ResearchAsked]],
        gives=Answered,
        model=scripted(write),
    )
    planner.serve(team)
    writer.serve(team)

    @team.reactor
    async def hand_out(plan: Planned) -> list[Child[ResearchAsked]]:
        return [Child(ResearchAsked(subject=subject), choreography="research") for subject in plan.subjects]

    _, library = research("It is sweet.")
    async with Scenario(team, library) as s:
        await s.when(Asked(question="Which is sweet?"))
        s.then(Answered(text="Sweet."))
    assert heard == ['[{"text": "It is sweet."}, {"text": "It is sweet."}]']


class BillingNeeded(Event):
    """Hand over to billing, for all that is about money."""

    about: str


async def test_an_agent_hands_over_to_one_that_goes_on_with_what_was_said() -> None:
    desk = Choreography("desk")
    heard: list[ModelMessage] = []

    def bill(messages: list[ModelMessage]) -> Said:
        heard.extend(messages)
        return "Paid."

    triage = Agent(
        "triage", takes=Asked, gives=Answered | BillingNeeded, model=scripted(BillingNeeded(about="order 7"))
    )
    # One of the two is a plain text, so the other is given by a tool. The conversations are one for the model.
    billing = Agent("billing", takes=BillingNeeded, gives=Answered, model=scripted("", bill), continues=triage)
    triage.serve(desk)
    billing.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Where is my money?"))
        s.then(BillingNeeded(about="order 7"), Answered(text="Paid."))
    question, handed, last = heard
    assert question.parts[0].content == "Where is my money?"  # type: ignore[union-attr]
    assert isinstance(handed, ModelResponse)
    assert isinstance(last, ModelRequest)
    assert isinstance(last.parts[0], ToolReturnPart)
    assert last.parts[1].content == "order 7"  # type: ignore[union-attr]


class ChatOpened(Start): ...


class Said_(Signal, name="Said"):
    text: str


class Replied(Event, wants_reactor=False):
    text: str


async def test_a_chat_goes_on_with_itself() -> None:
    chat = Choreography("chat")
    sent: list[int] = []

    def count(messages: list[ModelMessage]) -> Said:
        sent.append(len(messages))
        return f"I heard {len(messages)}."

    agent = Agent("chatter", takes=Said_, gives=Replied, model=scripted(count), continues="self", context=recent(2))
    agent.serve(chat)
    chat.know(ChatOpened)
    async with Scenario(chat) as s:
        await s.when(ChatOpened())
        for _ in range(4):
            await s.when(Said_(text="and?"))
        assert [e.text for e in s.history if isinstance(e, Replied)][:3] == [
            "I heard 1.",
            "I heard 3.",
            "I heard 5.",
        ]
    assert sent == [1, 3, 5, 5]


def test_a_long_conversation_is_sent_in_part_and_no_answer_without_its_call() -> None:
    from pydantic_ai.messages import TextPart, ToolCallPart, UserPromptPart

    first = ModelRequest([UserPromptPart("begin")])
    call = ModelResponse([ToolCallPart("t", {}, "1")])
    back = ModelRequest([ToolReturnPart("t", "x", "1")])
    text = ModelResponse([TextPart("y")])
    more = ModelRequest([UserPromptPart("more")])
    assert recent(1)([first, call, back, text, more]) == [first, text, more]
    assert recent(1)([first, text, more, call, back]) == [first, call, back]
    assert recent(1)([first, call, back, call, back]) == [first, call, back]
    assert recent(9)([first, call, back]) == [first, call, back]
