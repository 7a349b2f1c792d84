"""A framework's calls as sub-steps: what they are found by, what is not recorded, and what is told when they differ."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic_ai.messages import ModelResponse, TextPart
from tests.agents.frameworks.journal import Journal

from farandole.agents.frameworks import ModelCall, Strayed, ToolCall, call_key, durably
from farandole.agents.frameworks.calls import Replies, Results
from farandole.agents.frameworks.recording import Recorder, recording
from farandole.reactors import GiveUp

TEXTS: Replies[str] = Replies(str, str, lambda text: ModelResponse([TextPart(text)], model_name="test"))
PLAIN: Results[Any] = Results(lambda r: r, lambda r: r, lambda r: (r, "success"))


def gives(result: Any, log: list[Any] | None = None) -> Callable[[], Awaitable[Any]]:
    async def make() -> Any:
        if log is not None:
            log.append(result)
        if isinstance(result, Exception):
            raise result
        return result

    return make


async def asks(recorder: Recorder, *said: str, reply: Any = "well", log: list[Any] | None = None) -> str:
    return await recorder.model([["user", each] for each in said], gives(reply, log), TEXTS)


async def test_calls_of_the_model_are_found_by_their_place() -> None:
    journal, made = Journal(), list[Any]()
    for _ in range(2):
        with durably(journal.step()) as recorder:
            assert await asks(recorder, "hello", reply="first", log=made) == "first"
            assert await asks(recorder, "hello", "first", "again", reply="second", log=made) == "second"
    assert made == ["first", "second"]
    assert list(journal.recorded) == ["model 1", "model 2"]
    first = ModelCall.model_validate_json(journal.recorded["model 1"])
    assert (first.model, first.messages, first.attempt) == ("test", 1, 1)


async def test_calls_of_tools_are_found_by_the_ids_that_the_model_gave_them() -> None:
    journal, made = Journal(), list[Any]()
    for order in (("a", "b"), ("b", "a")):
        with durably(journal.step()) as recorder:
            calls = [recorder.tool("look_up", call, {"x": call}, gives(call, made), PLAIN) for call in order]
            assert await asyncio.gather(*calls) == list(order)
    assert made == ["a", "b"]
    assert sorted(journal.recorded) == ["look_up a", "look_up b"]
    assert ToolCall.model_validate_json(journal.recorded["look_up a"]).args == {"x": "a"}


async def test_a_model_that_gives_its_calls_no_ids_has_them_told_apart_all_the_same() -> None:
    journal = Journal()
    with durably(journal.step()) as recorder:
        await recorder.tool("look_up", "", {}, gives(1), PLAIN)
        await recorder.tool("look_up", "", {}, gives(2), PLAIN)
    assert list(journal.recorded) == ["look_up", "look_up 2"]


async def test_a_call_that_failed_is_made_again_under_its_name() -> None:
    journal = Journal()
    with durably(journal.step()) as recorder:
        with pytest.raises(ConnectionError):
            await asks(recorder, "hello", reply=ConnectionError("away"))
        assert await asks(recorder, "hello", reply="there") == "there"
    assert list(journal.recorded) == ["model 1"]
    with durably(journal.step(2)) as recorder:  # an attempt in which nothing failed finds the same
        assert await asks(recorder, "hello", reply="never made") == "there"


async def test_a_reply_to_another_question_is_told_and_not_taken() -> None:
    journal = Journal()
    with durably(journal.step()) as recorder:
        await asks(recorder, "hello", "well", "you?")
    for said, what in (
        (("hello",), "3 messages were sent, and now 1 would be"),
        (("hello", "well", "and you?"), "the last of 3 messages is another one"),
        (("hullo", "well", "you?"), "one of 3 messages, not the last, is another one"),
    ):
        with pytest.raises(Strayed, match=what), durably(journal.step(2)) as recorder:
            await asks(recorder, *said)


async def test_a_tool_called_with_other_arguments_is_told() -> None:
    journal = Journal()
    with durably(journal.step()) as recorder:
        await recorder.tool("pay", "c1", {"usd": 5}, gives("paid"), PLAIN)
    with pytest.raises(Strayed, match="other arguments"), durably(journal.step(2)) as recorder:
        await recorder.tool("pay", "c1", {"usd": 6}, gives("paid"), PLAIN)


async def test_a_framework_that_catches_it_keeps_no_step_from_giving_up() -> None:
    with pytest.raises(GiveUp, match="stolen"), durably(Journal().step()) as recorder:
        try:
            await recorder.tool("pay", "c1", {}, gives(GiveUp("the card is stolen")), PLAIN)
        except GiveUp:
            await asks(recorder, "it failed")
    with pytest.raises(GiveUp, match="stolen"), durably(Journal().step()) as recorder:
        try:
            await recorder.tool("pay", "c1", {}, gives(GiveUp("the card is stolen")), PLAIN)
        except GiveUp as e:
            raise RuntimeError("tool failed") from e


async def test_what_is_called_within_a_tool_is_recorded_within_it() -> None:
    journal, made = Journal(), list[Any]()

    async def expert() -> str:
        recorder = recording()
        assert recorder is not None
        return await asks(recorder, "is it legal?", reply="yes", log=made)

    journal.forgets = {"ask_legal c1"}
    for _ in range(2):
        with durably(journal.step()) as recorder:
            calls = [recorder.tool("ask_legal", call, {}, expert, PLAIN) for call in ("c1", "c2")]
            assert await asyncio.gather(*calls) == ["yes", "yes"]
    assert sorted(journal.recorded) == ["ask_legal c1 / model 1", "ask_legal c2", "ask_legal c2 / model 1"]
    assert made == ["yes", "yes"]


async def test_agents_side_by_side_in_one_step_have_names() -> None:
    journal = Journal()
    step = journal.step()

    async def one(name: str) -> str:
        with durably(step, name) as recorder:
            await asyncio.sleep(0)
            return await asks(recorder, name, reply=name.upper())

    assert await asyncio.gather(one("left"), one("right")) == ["LEFT", "RIGHT"]
    assert sorted(journal.recorded) == ["left / model 1", "right / model 1"]


async def test_a_tool_has_an_idempotency_key_that_is_the_same_in_each_attempt() -> None:
    keys = []

    async def pay() -> str:
        keys.append(call_key())
        return "paid"

    for attempt in (1, 2):
        journal = Journal()
        with durably(journal.step(attempt)) as recorder:
            await recorder.tool("pay", "c1", {}, pay, PLAIN)
            await recorder.tool("pay", "c2", {}, pay, PLAIN)
        assert call_key() == ""
    assert keys == ["step-key:pay c1", "step-key:pay c2"] * 2


async def test_long_names_stay_within_what_the_log_takes_and_apart() -> None:
    journal = Journal()
    with durably(journal.step()) as recorder:
        for end in "ab":
            await recorder.tool("look_up", "é" * 200 + end, {}, gives(end), PLAIN)
    assert len(journal.recorded) == 2
    assert all(len(name.encode()) <= 255 for name in journal.recorded)


async def test_nothing_is_recorded_outside() -> None:
    assert recording() is None
    with durably(Journal().step()):
        assert recording() is not None
    assert recording() is None


async def test_a_price_of_ones_own_is_what_a_reply_costs() -> None:
    from decimal import Decimal

    journal = Journal()
    with durably(journal.step(), price=lambda reply: Decimal("0.02")) as recorder:
        await asks(recorder, "hello")
    assert ModelCall.model_validate_json(journal.recorded["model 1"]).cost == Decimal("0.02")
