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
from tests.dashboard.desks import Office, an_office, client_of, some_tokens
from tests.dashboard.talking import DOLLAR, LAST, Asked, AskedMore, SecretAsked, talking
from tests.dashboard.test_stream import events, served

from farandole.dashboard import Role, Settings
from farandole.reactors import Choreography

_numbers = count(1)


@asynccontextmanager
async def a_talk(tmp_path: Path, seconds: float = 0, settings: Settings | None = None) -> AsyncIterator[Office]:
    desk, _ = talking(f"talk{next(_numbers)}", seconds)
    async with an_office(tmp_path, settings, of=desk) as office:
        yield office


async def page(http: httpx2.AsyncClient, run_id: str, seen: Callable[[str], bool]) -> str:
    """The conversation, once it is such."""
    async with asyncio.timeout(60):
        while True:
            answer = await http.get(f"/runs/{run_id}?tab=conversation", headers={"Accept": "text/html"})
            if answer.status_code == 200 and seen(answer.text):
                return answer.text
            await asyncio.sleep(0.02)


async def answered(office: Office, run_id: str, answer: str) -> None:
    (asked,) = (await office.until(f"/decisions?run_id={run_id}", lambda found: found["items"]))["items"]
    name = next(each for each in asked["answers"] if each.endswith(answer))
    await office.post(f"/decisions/{asked['id']}/answers", run_id=run_id, type=name, hash=asked["hash"])


async def test_a_conversation_is_shown_with_calls_approvals_sub_agents_and_cost(tmp_path: Path) -> None:
    async with a_talk(tmp_path) as office:
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


async def test_what_a_conversation_and_its_child_cost_is_told_by_agent(tmp_path: Path) -> None:
    async with a_talk(tmp_path) as office:
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
    tmp_path: Path, desk: Choreography
) -> None:
    async with an_office(tmp_path, of=desk) as office:
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


async def test_a_run_without_agents_has_no_such_view(tmp_path: Path) -> None:
    async with an_office(tmp_path) as office:
        await office.start("plain")
        await office.until("/runs/plain", lambda found: found["closed"])
        answer = await office.http.get("/runs/plain?tab=conversation", headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert "Conversation" not in answer.text


async def test_what_is_personal_is_shown_to_those_who_may_see_it(tmp_path: Path) -> None:
    tokens, shown = some_tokens(ann=Role.SEE, personal=Role.SEE)
    async with a_talk(tmp_path, seconds=1.5, settings=Settings(tokens=tokens)) as office, served(office) as http:
        await office.client.start(SecretAsked(illness="gout"), run_id="p")
        async with client_of(office.app, headers={"Authorization": f"Bearer {shown['personal']}"}) as may:
            await page(may, "p", lambda text: "data-said-by" in text)
            may_hear = asyncio.create_task(said(http, "p", shown["personal"]))
            may_not = asyncio.create_task(said(http, "p", shown["ann"]))
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


async def said(http: httpx2.AsyncClient, run_id: str, token: str = "", last: str = "") -> list[dict[str, Any]]:
    """What is said live in a run until it is completed."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Last-Event-ID": last} if last else {}
    found = []
    async with http.stream("GET", f"/api/v1/runs/{run_id}/live", headers=headers) as answer:
        assert answer.status_code == 200
        async for name, id, data in events(answer):
            if name == "live":
                found.append({**data, "id": id})
            if name == "run.changed" and data["status"] != "running":
                return found
    raise AssertionError("the stream ended")


async def test_what_is_said_is_heard_live_and_by_one_who_was_cut_off(tmp_path: Path) -> None:
    async with a_talk(tmp_path, seconds=1.2) as office, served(office) as http:
        await office.client.start(SecretAsked(illness="gout"), run_id="s")
        heard: list[dict[str, Any]] = []
        async with http.stream("GET", "/api/v1/runs/s/live") as answer:
            async for name, id, data in events(answer):
                if name == "live":
                    heard.append({**data, "id": id})
                    break
        assert heard[0]["anew"]
        assert heard[0]["reactor"] == "doctor.model"
        rest = await said(http, "s", last=heard[0]["id"])
        pieces = {(piece["take"], piece["index"]): piece["text"] for piece in [*heard, *rest]}
        text = "".join(pieces[key] for key in sorted(pieces, key=lambda key: key[1]))
        assert "Rest, and drink tea.".startswith(text)
        assert text.startswith("Rest, and ")
        assert len({piece["take"] for piece in [*heard, *rest]}) == 1


async def test_nobody_hears_anything_without_a_login(tmp_path: Path) -> None:
    tokens, _ = some_tokens(ann=Role.SEE)
    async with a_talk(tmp_path, settings=Settings(tokens=tokens)) as office:
        answer = await office.http.get("/api/v1/runs/x/live")
        assert answer.status_code == 401


@pytest.mark.parametrize("id", ["~", "0=1~x", "~99999999999999999999", "0=1"])
async def test_an_id_of_another_form_is_taken_for_none(tmp_path: Path, id: str) -> None:
    async with a_talk(tmp_path, seconds=0.5) as office, served(office) as http:
        await office.client.start(SecretAsked(illness="gout"), run_id="s")
        assert json.dumps(await said(http, "s", last=id)) is not None
