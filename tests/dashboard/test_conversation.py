"""What agents say is shown as a conversation, with what they call, whom they ask, and what it costs; and live by HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from examples.agents import four_ways
from examples.agents.four_ways import FOUR
from sqlalchemy import Engine, event
from tests.dashboard.desks import Office, an_office, client_of, some_tokens
from tests.dashboard.talking import DOLLAR, LAST, Asked, AskedMore, SecretAsked, talking
from tests.dashboard.test_stream import events, served

from farandole.agents import Agent, Call, Folder, Large, scripted
from farandole.dashboard import Role, Settings
from farandole.dashboard.live import read_id
from farandole.dashboard.pages.asking.talking import talk_in
from farandole.dashboard.pages.conversation import conversations
from farandole.projections.runs.query import RecordRow
from farandole.reactors import Choreography
from farandole.schemas import End


class LongTold(End):
    text: str


_numbers = count(1)


@asynccontextmanager
async def a_talk(
    database_url: str, settings: Settings | None = None, go: asyncio.Event | None = None
) -> AsyncIterator[Office]:
    desk, _ = talking(f"talk{next(_numbers)}", go=go)
    async with an_office(database_url, settings, of=desk) as office:
        try:
            yield office
        finally:
            if go is not None:
                go.set()


async def page(http: httpx2.AsyncClient, run_id: str, seen: Callable[[str], bool]) -> str:
    """The conversation, once it is such."""
    async with asyncio.timeout(60):
        while True:
            answer = await http.get(f"/runs/{run_id}?tab=conversation", headers={"Accept": "text/html"})
            if answer.status_code == 200 and seen(answer.text):
                return answer.text
            await asyncio.sleep(0.02)


async def answered(office: Office, run_id: str, answer: str, comment: str = "") -> None:
    (asked,) = (await office.until(f"/decisions?run_id={run_id}", lambda found: found["items"]))["items"]
    name = next(each for each in asked["answers"] if each.endswith(answer))
    await office.post(
        f"/decisions/{asked['id']}/answers", run_id=run_id, type=name, hash=asked["hash"], comment=comment
    )


async def test_a_conversation_is_shown_with_calls_approvals_sub_agents_and_cost(database_url: str) -> None:
    async with a_talk(database_url) as office:
        await office.client.start(Asked(question="Where is <i>order 7</i>?"), run_id="r")
        waiting = await page(office.http, "r", lambda text: "May helper call refund?" in text)
        assert "Where is &lt;i&gt;order 7&lt;/i&gt;?" in waiting
        assert "You answer customers." in waiting
        # The question stands with the call that it is about, once.
        assert waiting.count('<article class="panel decision"') == 1
        assert waiting.index("look_up") < waiting.index('<article class="panel decision"')
        assert "&lt;b&gt;lost&lt;/b&gt;" in waiting
        assert "Parcels get lost." in waiting
        await answered(office, "r", "HelperToolApproved")
        text = await page(office.http, "r", lambda text: LAST in text)
        assert "9.50 paid back for 7" in text
        assert '<article class="panel decision"' not in text
        assert "5 calls of the model" in text
        await office.client.run("r").send(AskedMore(question="Thank you."))
        text = await page(office.http, "r", lambda text: "Gladly." in text)
        assert "<script>alert" not in text
        assert text.index(LAST) < text.index("Thank you.") < text.index("Gladly.")
        assert "price unknown" in text  # the expert's
        assert "and what nobody knows the price of" in text


async def test_a_call_that_was_denied_is_shown_as_denied_by_whom_and_why(database_url: str) -> None:
    async with a_talk(database_url) as office:
        await office.client.start(Asked(question="q"), run_id="d")
        await answered(office, "d", "HelperToolDenied", comment="<i>too much</i>")
        text = await page(office.http, "d", lambda text: LAST in text)
        call = text[text.index(">refund</span>") :]
        assert call.index(">denied</span>") < call.index("Was to be called with") < call.index("</li>")
        assert 'Denied by <span class="strong">local</span>: &lt;i&gt;too much&lt;/i&gt;' in call
        assert "What refund returned" not in text
        assert "What look_up returned" in text


def test_a_call_is_denied_before_its_agent_has_taken_note_of_it() -> None:
    def record(offset: int, type: str, trigger: str, payload: dict[str, Any], kind: str = "outcome") -> RecordRow:
        return RecordRow(
            0, offset, "r", offset, kind, "admitted", str(offset), f"x.{type}", "", trigger, "", 1, True, "", 0, None, None,
            None, None, payload, None,
        )  # fmt: skip

    told = {"agent": "a", "conversation": "c", "turn": 1, "call": "0", "tool": "pay", "args": {}}
    answer = {"by": "ann", "comment": "no"}
    records = [
        record(1, "AToolProposed", "0", told),
        record(2, "Decision", "1", {}),
        record(3, "AToolDenied", "2", answer, "answer"),
    ]
    (call,) = conversations(records, [], {}, [])[0].calls()
    assert (call.state, call.denied_by, call.why) == ("denied", "ann", "no")
    (call,) = conversations(records[:2], [], {}, [2])[0].calls()
    assert call.decision == 2


async def test_of_a_long_run_the_newest_is_shown_and_the_page_says_so(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farandole.dashboard.pages.asking.talking._AT_ONCE", 1)
    async with a_talk(database_url) as office:
        await office.client.start(Asked(question="The question."), run_id="long")
        await answered(office, "long", "HelperToolApproved")
        text = await page(office.http, "long", lambda text: LAST in text)
        assert "left out" not in text
        run = (await office.desk.runs.get("long")).found
        assert run is not None
        whole = await talk_in(office.desk.runs, run, True)
        assert whole.below
        assert not whole.shortened
        cut = await talk_in(office.desk.runs, run, True, most=3)
        assert "long" in cut.shortened
        assert cut.found[-1].turns[-1].text == LAST
        assert "The question." not in str(cut.found)
        monkeypatch.setattr(talk_in, "__defaults__", (3,))
        text = await page(office.http, "long", lambda text: LAST in text)
        assert "the older ones are left out" in text
        assert 'href="/runs/long?tab=events"' in text


async def test_what_a_family_cost_is_summed_up_on_request(database_url: str) -> None:
    async with a_talk(database_url) as office:
        await office.client.start(Asked(question="q"), run_id="f")
        await answered(office, "f", "HelperToolApproved")
        await page(office.http, "f", lambda text: LAST in text)
        asked: list[str] = []
        tabs = {}

        def note(*given: Any) -> None:
            asked.append(given[2])

        event.listen(Engine, "before_cursor_execute", note)
        try:
            for tab in ("timeline", "relations"):
                asked.clear()
                text = (await office.http.get(f"/runs/f?tab={tab}", headers={"Accept": "text/html"})).text
                tabs[tab] = (text, sum("FROM usage" in each for each in asked))
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        assert [count for _, count in tabs.values()] == [1, 2]
        assert ">sum up</a>" in tabs["timeline"][0]
        assert ">sum up</a>" not in tabs["relations"][0]
        assert "and what nobody knows the price of" in tabs["relations"][0]  # the expert's


async def test_what_a_conversation_and_its_child_cost_is_told_by_agent(database_url: str) -> None:
    async with a_talk(database_url) as office:
        await office.client.start(Asked(question="Where is order 7?"), run_id="r")
        await page(office.http, "r", lambda text: "May helper call refund?" in text)
        await answered(office, "r", "HelperToolApproved")
        await page(office.http, "r", lambda text: LAST in text)
        (helpers,) = (await office.get("/usage?run_id=r&by=agent"))["items"]
        assert (helpers["agent"], helpers["calls"]) == ("helper", 4)
        assert Decimal(helpers["cost"]) == helpers["output_tokens"] * DOLLAR
        # The expert's call is of a run of its own, and nobody knows its price.
        both = (await office.get("/usage?run_id=r&by=agent&children=true"))["items"]
        assert {row["agent"]: (row["calls"], row["cost"], row["unpriced"]) for row in both} == {
            "helper": (4, helpers["cost"], 0),
            "expert": (1, "0", 1),
        }


@pytest.mark.parametrize("desk", FOUR, ids=lambda desk: desk.name)
async def test_one_agent_has_the_same_conversation_whichever_framework_it_is(
    database_url: str, desk: Choreography
) -> None:
    async with an_office(database_url, url=f"memory://four{next(_numbers)}", of=desk) as office:
        await office.client.start(four_ways.Asked(question="Where is order 7?"), run_id="f")
        waiting = await page(
            office.http, "f", lambda text: '<article class="panel decision"' in text and "was lost" in text
        )
        assert "May helper call refund?" in waiting
        assert waiting.count('<article class="panel decision"') == 1
        assert waiting.index("order 7 was lost") < waiting.index('<article class="panel decision"')
        await answered(office, "f", "HelperToolApproved")
        text = await page(office.http, "f", lambda text: "It was lost. You get 9.50 back." in text)
        assert '<article class="panel decision"' not in text
        said = ["Where is order 7?", "look_up", "order 7 was lost", "refund", "9.50 paid back", "You get 9.50 back."]
        at = [text.index(each) for each in said]
        assert at == sorted(at)
        assert "3 calls of the model" in text


async def test_of_what_is_large_the_head_is_shown_and_where_the_rest_is(tmp_path: Path, database_url: str) -> None:
    async def read_book() -> str:
        return "It was a dark night. " * 10_000

    desk = Choreography(f"talk{next(_numbers)}")
    large = Large(Folder(tmp_path / "large"), above="10 KB")
    model = scripted(Call("read_book"), "Read.")
    Agent("reader", takes=Asked, gives=LongTold, model=model, tools=[read_book], large=large).serve(desk)
    async with an_office(database_url, of=desk) as office:
        await office.client.start(Asked(question="What is in it? " * 1000), run_id="r")
        text = await page(office.http, "r", lambda text: "Read." in text)
        assert text.count("It was a dark night.") < 100
        assert "the head of 210,000 bytes of text/plain, kept as sha256:" in text
        assert "the head of 15,000 bytes of text/plain, kept as sha256:" in text


async def test_a_run_without_agents_has_no_such_view(database_url: str) -> None:
    async with an_office(database_url) as office:
        await office.start("plain")
        await office.until("/runs/plain", lambda found: found["closed"])
        answer = await office.http.get("/runs/plain?tab=conversation", headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert "Conversation" not in answer.text


async def test_what_is_personal_is_shown_to_those_who_may_see_it(database_url: str) -> None:
    tokens, shown = some_tokens(ann=Role.SEE, personal=Role.SEE)
    go, listening = asyncio.Event(), [asyncio.Event() for _ in range(2)]
    async with a_talk(database_url, Settings(tokens=tokens), go) as office, served(office) as http:
        await office.client.start(SecretAsked(illness="gout"), run_id="p")
        async with client_of(office.app, headers={"Authorization": f"Bearer {shown['personal']}"}) as may:
            await page(may, "p", lambda text: "data-said-by" in text)
            may_hear = asyncio.create_task(said(http, "p", shown["personal"], hears=listening[0]))
            may_not = asyncio.create_task(said(http, "p", shown["ann"], listens=listening[1]))
            for each in listening:
                await each.wait()
            go.set()
            assert "gout" in await page(may, "p", lambda text: "Rest, and drink tea." in text)
        heard = "".join(piece["text"] for piece in await may_hear)
        assert heard.startswith("Rest, ")
        assert "Rest, and drink tea.".startswith(heard)
        assert await may_not == []
        async with client_of(office.app, headers={"Authorization": f"Bearer {shown['ann']}"}) as other:
            text = await page(other, "p", lambda text: "1 call of the model" in text)
            assert "gout" not in text
            assert "Rest" not in text
            assert "shown to those who may see what is personal" in text


async def said(
    http: httpx2.AsyncClient,
    run_id: str,
    token: str = "",
    last: str = "",
    listens: asyncio.Event | None = None,
    hears: asyncio.Event | None = None,
) -> list[dict[str, Any]]:
    """What is said live in a run until it is completed; ``listens`` is set once it would be heard, ``hears`` once it is."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Last-Event-ID": last} if last else {}
    found = []
    async with http.stream("GET", f"/api/v1/runs/{run_id}/live", headers=headers) as answer:
        assert answer.status_code == 200
        async for name, id, data in events(answer):
            if listens is not None:
                listens.set()
            if name == "live":
                found.append({**data, "id": id})
                if hears is not None:
                    hears.set()
            if name == "run.changed" and data["status"] != "running":
                return found
    raise AssertionError("the stream ended")


async def test_what_is_said_is_heard_live_and_by_one_who_was_cut_off(database_url: str) -> None:
    go = asyncio.Event()
    async with a_talk(database_url, go=go) as office, served(office) as http:
        await office.client.start(SecretAsked(illness="gout"), run_id="s")
        heard: list[dict[str, Any]] = []
        async with http.stream("GET", "/api/v1/runs/s/live") as answer:
            async for name, id, data in events(answer):
                if name == "live":
                    heard.append({**data, "id": id})
                    break
        assert heard[0]["anew"]
        assert heard[0]["reactor"] == "doctor.model"
        hub = office.desk.hub
        assert hub is not None
        async with asyncio.timeout(30):
            while hub.lookers:
                await asyncio.sleep(0.01)
            listens, hears = asyncio.Event(), asyncio.Event()
            again = asyncio.create_task(said(http, "s", last=heard[0]["id"], listens=listens, hears=hears))
            await listens.wait()
            if heard[0]["text"] == "Rest, ":
                await hears.wait()
        go.set()
        rest = await again
        pieces = {(piece["take"], piece["index"]): piece["text"] for piece in [*heard, *rest]}
        text = "".join(pieces[key] for key in sorted(pieces, key=lambda key: key[1]))
        assert "Rest, and drink tea.".startswith(text)
        assert text.startswith("Rest, and ")
        assert len({piece["take"] for piece in [*heard, *rest]}) == 1


async def test_nobody_hears_anything_without_a_login(database_url: str) -> None:
    tokens, _ = some_tokens(ann=Role.SEE)
    async with a_talk(database_url, settings=Settings(tokens=tokens)) as office:
        answer = await office.http.get("/api/v1/runs/x/live")
        assert answer.status_code == 401


@pytest.mark.parametrize("other", ["a%00b", "", "x" * 256, "%C3%A9" * 128])
async def test_what_no_run_is_named_is_not_listened_to(database_url: str, other: str) -> None:
    async with a_talk(database_url) as office:
        answer = await office.http.get(f"/api/v1/runs/x/live?also={other}")
        assert answer.status_code in (400, 422)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_run_that_is_named_twice_is_told_once(database_url: str) -> None:
    go = asyncio.Event()
    async with a_talk(database_url, go=go) as office, served(office) as http:
        await office.client.start(SecretAsked(illness="gout"), run_id="s")
        heard = []
        async with http.stream("GET", "/api/v1/runs/s/live?also=s&also=s") as answer:
            async for name, _, data in events(answer):
                if name == "live":
                    heard.append((data["take"], data["index"]))
                    go.set()
                if name == "run.changed" and data["status"] != "running":
                    break
        assert heard
        assert len(heard) == len(set(heard))


@pytest.mark.parametrize("id", ["~", "0=1~x", "~99999999999999999999", "0=1"])
async def test_an_id_of_another_form_is_taken_for_none(database_url: str, id: str) -> None:
    go = asyncio.Event()
    async with a_talk(database_url, go=go) as office, served(office) as http:
        await office.client.start(SecretAsked(illness="gout"), run_id="s")
        assert json.dumps(await said(http, "s", last=id, listens=go)) is not None


def test_an_id_says_of_each_run_how_far_it_was_heard() -> None:
    assert read_id("0=7,1=2~5,-1,9") == ("0=7,1=2", (5, -1, 9))
    assert read_id("0=7~") == ("0=7", ())
    assert read_id(None) == (None, ())


async def test_what_is_heard_of_one_run_is_not_taken_for_what_is_said_in_another(database_url: str) -> None:
    go = asyncio.Event()
    async with a_talk(database_url, go=go) as office, served(office) as http:
        for run_id in ("s", "late"):
            await office.client.start(SecretAsked(illness="gout"), run_id=run_id)
        url = "/api/v1/runs/s/live?also=late&also=s"
        last = ""
        async with http.stream("GET", url) as answer:
            async for name, id, data in events(answer):
                if name == "live" and data["run_id"] == "s":
                    last = id
                    break
        heard, _ = read_id(last)[1]
        assert heard > 0
        # Of this run all was heard that is ever said, of the other one nothing.
        positions, found = last.partition("~")[0], set()
        async with http.stream("GET", url, headers={"Last-Event-ID": f"{positions}~{heard + 10**9},-1"}) as answer:
            async for name, _, data in events(answer):
                if name == "live":
                    found.add(data["run_id"])
                    go.set()
                if name == "run.changed" and data["run_id"] == "late" and data["status"] == "completed":
                    break
        assert found == {"late"}
