"""Lists that are longer than a page go on on the next one, each thing once; and each list can be exported whole."""

import re
from collections.abc import AsyncIterator
from html import unescape
from itertools import chain
from pathlib import Path

import pytest
from tests.dashboard.desks import Office, an_office

QUESTIONS, CAUSES = 120, 70


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(tmp_path) as office:
        yield office


async def pages(office: Office, address: str, pattern: str) -> list[list[str]]:
    """What stands on each page, from link to link."""
    found = []
    while address:
        text = (await office.http.get(address)).text
        found.append(re.findall(pattern, text))
        more = re.search(r'href="([^"]+)" rel="next"', text)
        address = unescape(more[1]) if more else ""
    return found


async def test_the_inbox_goes_on_on_further_pages(office: Office) -> None:
    for n in range(QUESTIONS):
        await office.start(f"ask-{n:03}", "ask")
    await office.until("/decisions?limit=500", lambda found: len(found["items"]) == QUESTIONS)
    for query in ("", "?mine=1"):
        found = await pages(office, f"/inbox{query}", r'<a class="mono" href="/runs/(ask-\d+)" data-open')
        assert [len(each) for each in found] == [50, 50, 20]
        assert sorted(chain(*found)) == [f"ask-{n:03}" for n in range(QUESTIONS)]
    assert (await office.http.get("/inbox?cursor=nonsense")).text.count('id="decision-') == 50


async def test_causes_of_failures_go_on_on_further_pages(office: Office) -> None:
    for n in range(CAUSES):
        await office.start(f"r-{n}", "break")
    await office.until("/counts", lambda counts: counts.get("failed", 0) == CAUSES)
    with office.desk.runs.database.writing() as connection:  # as many causes as runs
        connection.exec_driver_sql("UPDATE failures SET fingerprint = 'cause-' || run || '-' || partition")
    for query in ("", "?show=all"):
        found = await pages(office, f"/failures{query}", r'id="cause-(cause-\d+-\d+)-handle"')
        assert [len(each) for each in found] == [50, 20]
        assert len(set(chain(*found))) == CAUSES
    assert (await office.http.get("/failures?cursor=nonsense")).text.count('id="cause-') == 50


@pytest.mark.parametrize("path", ["/runs", "/inbox", "/failures", "/waiting", "/reactors", "/map", "/timers", "/schemas", "/audit", "/costs"])  # fmt: skip
async def test_a_list_can_be_exported(office: Office, path: str) -> None:
    await office.start("r", "ask")
    await office.until("/runs/r", lambda run: run["status"] == "waiting")
    found = re.findall(r'data-export="([^"]+)"', (await office.http.get(path)).text)
    assert found
    for address in found:
        answer = await office.http.get(unescape(address), params={} if "usage" in address else {"limit": 500})
        assert answer.status_code == 200, address
        assert isinstance(answer.json()["items"], list)
