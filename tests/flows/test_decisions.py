"""Questions to people as users write them, and as they test them."""

from typing import Any

import pytest
from pydantic import BaseModel

from farandole.projections.fold import Verdict
from farandole.reactors import (
    Ask,
    Choreography,
    Client,
    CommandRefused,
    DecisionView,
    GiveUp,
    Run,
    RunCancelled,
    RunFailed,
    UnexpectedEnd,
)
from farandole.schemas import Answer, End, Event, Start
from farandole.testing import Scenario, ScenarioError

docs = Choreography("docs")


class Document(BaseModel):
    title: str
    text: str = ""


class Submitted(Start):
    document: Document
    manager: str = "ann"


class Approved(Answer): ...


class Rejected(Answer):
    reason: str = ""


class Postponed(Answer): ...


class Escalated(Event):
    level: int


class Published(End):
    by: str


class Refused(End):
    reason: str


@docs.reactor
async def ask_manager(doc: Submitted) -> Ask[Approved | Rejected | Escalated]:
    return Ask(
        f"Publish {doc.document.title}?",
        Approved,
        Rejected,
        about=doc.document,
        to=[doc.manager],
        within="2d",
        otherwise=Escalated(level=1),
    )


@docs.reactor
async def ask_director(up: Escalated, run: Run[Submitted]) -> Ask[Approved | Rejected]:
    return Ask(
        "Publish? The manager did not answer",
        Approved,
        Rejected,
        about=run.start.document,
        to=["role:director"],
        within="5d",
        otherwise=Rejected(reason="nobody answered"),
    )


@docs.reactor
async def publish(yes: Approved) -> Published:
    return Published(by=yes.by)


@docs.reactor
async def refuse(no: Rejected) -> Refused:
    return Refused(reason=no.reason)


A_DOCUMENT = Submitted(document=Document(title="News", text="It rains."))


async def decisions(s: Scenario, to: str | None = None) -> list[DecisionView]:
    """What is asked in a scenario, as its own client sees it."""
    return await s.use(lambda client: client.decisions(to=to))


async def decide(s: Scenario, decision: DecisionView | str | None, answer: Answer, by: str) -> None:
    await s.use(lambda client: client.run(s.id).decide(decision, answer, by=by))


async def test_a_question_waits_for_its_answer() -> None:
    async with Scenario(docs) as s:
        await s.when(A_DOCUMENT, after="1d")
        s.then_only()
        assert s.status.status == "waiting"
        (view,) = await decisions(s)
        assert (view.run_id, view.question, view.about) == (
            "run",
            "Publish News?",
            {"title": "News", "text": "It rains."},
        )
        assert (view.answers, view.to, view.about_type) == ((Approved, Rejected), ("ann",), "Document")
        assert (view.otherwise, view.quorum, view.votes) == ("docs.Escalated", 1, ())
        assert view.within is not None
        assert view.within.days == 2
        await decide(s, view, Approved(comment="ok"), "ann")
        s.then(Published(by="ann"))
        assert s.status.status == "completed"
        assert s.last(Approved) == Approved(by="ann", comment="ok")


async def test_what_nobody_answers_goes_further_up() -> None:
    async with Scenario(docs) as s:
        await s.when(A_DOCUMENT, after="47h")
        s.then_only()
        await s.passes("1h")
        s.then_only(Escalated(level=1))
        assert [view.to for view in await decisions(s)] == [("role:director",)]
        assert await decisions(s, to="ann") == []
        assert len(await decisions(s, to="role:director")) == 1
        await s.passes("5d")
        s.then_only(Rejected(reason="nobody answered"), Refused(reason="nobody answered"))
        assert await decisions(s) == []


async def test_the_story_tells_what_was_asked_of_whom_and_about_what() -> None:
    async with Scenario(docs) as s:
        await s.when(A_DOCUMENT, after="2d")
        lines = [line.split(maxsplit=2)[2] for line in str(s).splitlines() if " asks " in line]
    assert lines == [
        "asks ann 'Publish News?' about Document(title='News', text='It rains.'): Approved or Rejected, over at 2d",
        "asks role:director 'Publish? The manager did not answer' about Document(title='News', text='It rains.'): "
        "Approved or Rejected, over at 7d",
    ]


async def test_the_story_of_a_long_question_stays_short() -> None:
    async with Scenario(docs) as s:
        await s.when(Submitted(document=Document(title="News", text="It rains. " * 100)))
        assert "about Document(title='News', text='It rains." in str(s)
        assert max(len(line) for line in str(s).splitlines() if " asks " in line) < 350


async def test_a_scenario_answers_as_the_answer_says() -> None:
    async with Scenario(docs) as s:
        await s.when(A_DOCUMENT)
        await s.when(Rejected(by="ann", reason="dull"))
        s.then_only(Refused(reason="dull"))
        with pytest.raises(ScenarioError, match="no decision of run 'run' waits for it"):
            await s.when(Approved(by="ann"))


async def test_a_client_waits_for_a_question_with_the_answers_that_it_means() -> None:
    async with Scenario(docs) as s:
        await s.when(A_DOCUMENT)
        first = await s.use(lambda client: client.run(s.id).decision(Rejected))
        assert first.question == "Publish News?"
        with pytest.raises(TimeoutError, match="asks nothing such after 1s: it is waiting"):
            await s.use(lambda client: client.run(s.id).decision(Approved, Postponed, timeout="1s"))


async def test_who_waits_for_a_question_is_told_that_none_will_come() -> None:
    async with Scenario(docs) as s:
        await s.when(A_DOCUMENT)
        await s.cancel("withdrawn")
        with pytest.raises(RunCancelled, match="withdrawn"):
            await s.use(lambda client: client.run(s.id).decision(Approved))
    async with Scenario(docs) as s:
        await s.when(A_DOCUMENT)
        await s.when(Approved(by="ann"))
        with pytest.raises(UnexpectedEnd, match="run 'run' ended with Published, and asks nothing more"):
            await s.use(lambda client: client.run(s.id).decision(Approved))
        with pytest.raises(TypeError, match="Published'> is no Answer"):
            await s.use(lambda client: client.run(s.id).decision(Published))  # type: ignore[arg-type]


async def test_who_waits_for_a_question_is_told_of_a_step_that_failed() -> None:
    broken = Choreography("broken")

    @broken.reactor
    async def ask(doc: Submitted) -> Ask[Approved | Rejected]:
        raise GiveUp("nobody is there")

    async with Scenario(broken) as s:
        await s.when(A_DOCUMENT)
        with pytest.raises(RunFailed, match=r"ask failed for good after 1 attempt: \S*GiveUp: nobody is there"):
            await s.use(lambda client: client.run(s.id).decision())


async def test_the_first_answer_decides() -> None:
    async with Scenario(docs) as s:
        await s.when(A_DOCUMENT)
        (view,) = await decisions(s)
        await decide(s, view, Rejected(), "ann")
        with pytest.raises(
            CommandRefused, match=r"it has its result already|it was never started, or it is closed"
        ) as e:
            await decide(s, view, Approved(), "bob")
        assert e.value.verdict in (Verdict.RUN_ENDING, Verdict.NO_RUN)


async def test_an_answer_that_comes_too_late_is_told() -> None:
    async with Scenario(docs) as s:
        await s.when(A_DOCUMENT)
        (view,) = await decisions(s)
        await s.passes("2d")
        with pytest.raises(CommandRefused, match="refused Approved: it waits for that no longer") as e:
            await decide(s, view, Approved(), "ann")
        assert e.value.verdict is Verdict.NOT_PENDING


votes = Choreography("votes")


class Proposed(Start): ...


class Yes(Answer): ...


class No(Answer): ...


class Passed(End): ...


class Failed(End): ...


class Maybe(Answer): ...


@votes.reactor
def propose(_: Proposed) -> Ask[Yes | No]:
    return Ask("Shall we?", Yes, No, quorum=2)


@votes.reactor
def pass_it(yes: Yes) -> Passed:
    return Passed()


@votes.reactor
def fail_it(no: No) -> Failed:
    return Failed()


async def vote(s: Scenario, answer: Answer, by: str, decision: Any = None) -> None:
    await s.use(lambda client: client.run(s.id).decide(decision, answer, by=by))


async def test_enough_people_must_give_the_same_answer() -> None:
    async with Scenario(votes) as s:
        await s.when(Proposed())
        await vote(s, Yes(), "ann")
        s.then_only()
        assert s.status.decisions[0].votes == (("ann", "votes.Yes"),)
        with pytest.raises(CommandRefused, match="this person has answered"):
            await vote(s, No(), "ann")
        await vote(s, No(), "bob")
        s.then_only()
        await vote(s, Yes(), "eve")
        s.then(Passed())
        assert [type(event) for event in s.history] == [Proposed, Yes, Passed]


async def test_the_story_tells_of_votes_that_decide_nothing_yet() -> None:
    async with Scenario(votes) as s:
        await s.when(Proposed())
        await s.when(Yes(by="ann"))
        assert "votes Yes(by='ann', comment='')" in str(s)


async def test_what_is_not_offered_is_refused() -> None:
    votes.know(Maybe)
    async with Scenario(votes) as s:
        await s.when(Proposed())
        with pytest.raises(CommandRefused, match="not among those to choose from"):
            await vote(s, Maybe(), "ann")
        with pytest.raises(CommandRefused, match="it waits for no decision abc"):
            await vote(s, Yes(), "ann", "abc")
        await vote(s, Yes(), "ann", s.status.decisions[0].id)


twice = Choreography("twice")


class Both(Start): ...


@twice.reactor
def ask_both(_: Both) -> tuple[Ask[Yes], Ask[No]]:
    return Ask("One?", Yes), Ask("Two?", No, about=Document(title="x"))


async def test_of_several_questions_one_says_which() -> None:
    async with Scenario(twice) as s:
        await s.when(Both())

        async def answer(client: Client) -> None:
            run = client.run(s.id)
            with pytest.raises(
                CommandRefused, match=r"it waits for 2 decisions; say which: \w+ \(One\?\), \w+ \(Two\?\)"
            ):
                await run.decide(None, Yes(), by="ann")
            one, two = await run.decisions()
            assert (one.expires, one.within, one.otherwise) == (None, None, "")
            with pytest.raises(CommandRefused, match="look at it again"):
                await run.decide(
                    DecisionView(**{**{n: getattr(two, n) for n in two.__slots__}, "hash": one.hash}), No(), by="ann"
                )
            await run.decide(two, No(), by="ann")

        await s.use(answer)
        assert [d.answers for d in s.status.decisions] == [("twice.Yes",)]
