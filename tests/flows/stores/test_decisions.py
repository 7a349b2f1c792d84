"""Decisions on every store: decided once, whoever is killed between, and whoever else answers."""

import asyncio
import secrets
from dataclasses import replace

import pytest
from tests.reactors.working.controls import Stage

from farandole.projections.fold import Verdict
from farandole.reactors import Ask, Choreography, CommandRefused, UnexpectedEnd
from farandole.schemas import Answer, End, Event, Start
from farandole.schemas.envelope import Kind


class Begun(Start):
    within: float = 3600


class Yes(Answer): ...


class No(Answer): ...


class Late(Event): ...


class Done(End):
    by: str


@pytest.fixture
def inquiry() -> Choreography:
    inquiry = Choreography(f"inquiry_{secrets.token_hex(4)}")

    @inquiry.reactor
    async def ask(begun: Begun) -> Ask[Yes | No | Late]:
        return Ask("Well?", Yes, No, within=begun.within, otherwise=Late())

    @inquiry.reactor
    async def end(answer: Yes | No | Late) -> Done:
        return Done(by=type(answer).__name__)

    return inquiry


async def test_a_question_outlives_those_who_asked_it(stage: Stage, inquiry: Choreography) -> None:
    worker = await stage.worker(inquiry)
    client = await stage.client(inquiry)
    runs = [await client.start(Begun()) for _ in range(5)]
    await stage.folded(inquiry, lambda log: len(log.steps) == 5)
    await worker.kill()
    asked = await (await stage.client(inquiry)).decisions()
    assert {view.run_id for view in asked} == {run.id for run in runs}
    for view in asked:
        await client.run(view.run_id).decide(view, Yes(), by="ann")
    assert await client.decisions() == []
    await stage.worker(inquiry)
    assert [(await run.result(Done, timeout="60s")).by for run in runs] == ["Yes"] * 5
    assert (await stage.folded(inquiry, lambda log: not log.open)).once_each()


async def test_a_question_is_waited_for(stage: Stage, inquiry: Choreography) -> None:
    client = await stage.client(inquiry)
    run = await client.start(Begun())
    asked = asyncio.create_task(run.decision(Yes, No, timeout="60s"))
    with pytest.raises(TimeoutError, match=f"run '{run.id}' asks nothing such after 50ms: it is unserved"):
        await run.decision(timeout="50ms")
    await stage.worker(inquiry)
    view = await asked
    assert (view.run_id, view.question, view.answers) == (run.id, "Well?", (Yes, No))
    assert (await (await stage.client(inquiry)).run(run.id).decision()).id == view.id
    await run.decide(view, Yes(), by="ann")
    assert (await run.result(Done, timeout="60s")).by == "Yes"
    with pytest.raises(UnexpectedEnd, match="ended with Done, and asks nothing more"):
        await run.decision(timeout="60s")


async def test_of_two_answers_at_once_one_counts(stage: Stage, inquiry: Choreography) -> None:
    await stage.worker(inquiry)
    clients = [await stage.client(inquiry) for _ in range(2)]
    runs = [await clients[0].start(Begun()) for _ in range(10)]
    await stage.folded(inquiry, lambda log: len(log.steps) == 10)
    for run in runs:
        (view,) = await run.decisions()
        said = await asyncio.gather(
            clients[0].run(run.id).decide(view, Yes(), by="ann"),
            clients[1].run(run.id).decide(view, No(), by="bob"),
            return_exceptions=True,
        )
        (refused,) = [error for error in said if error is not None]
        assert isinstance(refused, CommandRefused)
        by = (await run.result(Done, timeout="60s")).by
        assert (by == "No") is (said[0] is refused)
    log = await stage.folded(inquiry, lambda log: not log.open)
    assert len(log.of(Kind.ANSWER)) == 10
    assert len(log.of(Kind.ANSWER, None)) == 20


async def test_an_answer_about_something_else_is_refused_and_the_right_one_says_who_and_from_where(
    stage: Stage, inquiry: Choreography
) -> None:
    await stage.worker(inquiry)
    client = await stage.client(inquiry)
    run = await client.start(Begun())
    view = await run.decision(Yes, timeout="60s")
    with pytest.raises(CommandRefused) as refused:
        await run.decide(replace(view, hash=bytes(16)), Yes(), by="ann")
    assert refused.value.verdict is Verdict.OTHER_SUBJECT
    assert (await run.status()).status == "waiting"
    await run.decide(view, Yes(comment="well done"), by="ann", via="the web")
    await run.result(Done, timeout="60s")
    ((record, out),) = (await stage.fold(inquiry)).of(Kind.ANSWER)
    assert out.envelope is not None
    assert out.envelope.extra == view.hash + b"\x03ann" + b"the web"
    (answer,) = [each async for each in run.events(live=False) if isinstance(each.event, Yes)]
    assert (answer.event.by, answer.event.comment) == ("ann", "well done")
    assert int(answer.at.timestamp() * 1000) == record.time


async def test_an_answer_and_the_deadline_race_and_one_counts(stage: Stage, inquiry: Choreography) -> None:
    await stage.worker(inquiry)
    client = await stage.client(inquiry)

    async def one(n: int) -> str:
        run = await client.start(Begun(within=0.5 + n / 100))
        while not (asked := await run.decisions()):
            await asyncio.sleep(0.01)
        await asyncio.sleep(max(0.0, (asked[0].expires - asked[0].asked).total_seconds() - 0.1))  # type: ignore[operator]
        try:
            await run.decide(asked[0], Yes(), by="ann")
        except CommandRefused as e:
            assert e.verdict in (Verdict.NOT_PENDING, Verdict.RUN_ENDING, Verdict.NO_RUN)
            expected = "Late"
        else:
            expected = "Yes"
        assert (await run.result(Done, timeout="60s")).by == expected
        return expected

    await asyncio.gather(*map(one, range(20)))
    log = await stage.folded(inquiry, lambda log: not log.open)
    assert len(log.of(Kind.ANSWER)) + len(log.of(Kind.EXPIRY)) == 20
