"""What has stood longest is shown first, on the page and by the API, however many runs are open."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.dashboard.desks import Office, an_office

MANY = 600


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """The first run is stuck, and six hundred have begun since, each of which waits for a signal."""
    async with an_office(Path(tmp_path_factory.mktemp("office"))) as office:
        await office.start("stuck", "break")
        await office.until("/runs/stuck", lambda run: run["status"] == "failed")
        for n in range(MANY):
            await office.start(f"later-{n:03}", "later")
        await office.until("/counts", lambda counts: counts.get("waiting", 0) == MANY)
        yield office


def shown(page: str) -> list[str]:
    return re.findall(r'<a class="mono wrap strong" href="/runs/([^"]+)"', page)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_run_that_stands_longest_is_the_first_one_shown(office: Office) -> None:
    page = (await office.http.get("/waiting")).text
    assert shown(page)[0] == "stuck"
    assert re.findall(r'href="#for-(\w+)">[^<]*<b>([\d,]+)</b>', page) == [("retry", "1"), ("events", f"{MANY}")]
    first = (await office.get("/waiting", params={"limit": 1}))["items"]
    assert [run["run_id"] for run in first] == ["stuck"]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_rest_of_a_group_is_on_further_pages_and_the_api_tells_the_same(office: Office) -> None:
    told: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"waits_for": "events", "limit": "500", **({"cursor": cursor} if cursor else {})}
        answer = await office.get("/waiting", params=params)
        told += [run["run_id"] for run in answer["items"]]
        assert [run["touched"] for run in answer["items"]] == sorted(run["touched"] for run in answer["items"])
        cursor = answer["next"]
    assert sorted(told) == [f"later-{n:03}" for n in range(MANY)]

    seen: list[str] = []
    address = "/waiting?for=events"
    while address:
        page = (await office.http.get(address)).text
        seen += shown(page)
        more = re.search(r'href="(/waiting\?for=events&amp;cursor=[^"]+)"', page)
        address = more[1].replace("&amp;", "&") if more else ""
    assert seen == told
    first = (await office.http.get("/waiting")).text
    assert [each for each in shown(first) if each != "stuck"] == told[:50]
    assert 'href="/waiting?for=events"' in first


@pytest.mark.asyncio(loop_scope="module")
async def test_the_api_counts_the_groups(office: Office) -> None:
    groups = (await office.get("/waiting/groups", params={"each": 1}))["items"]
    assert [(each["waits_for"], each["runs"]) for each in groups] == [("retry", 1), ("events", MANY)]
    assert groups[0]["longest"][0]["run_id"] == "stuck"
    assert (await office.http.get("/api/v1/waiting", params={"waits_for": "luck"})).status_code == 422


@pytest.mark.asyncio(loop_scope="module")
async def test_a_cursor_or_a_group_that_is_none_shows_the_beginning(office: Office) -> None:
    page = (await office.http.get("/waiting?for=events&cursor=nonsense")).text
    assert len(shown(page)) == 50
    assert shown((await office.http.get("/waiting?for=luck")).text)[0] == "stuck"
    assert "No run waits for that now" in (await office.http.get("/waiting?for=people")).text
