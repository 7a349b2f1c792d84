"""A conversation in a real browser: words appear as they are said, a call is allowed in its place, and all of it stays."""

import asyncio
from threading import Thread
from typing import Any

import httpx2
import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect
from tests.dashboard.talking import LAST, Asked
from tests.dashboard.talking import talk as choreography

from .conftest import Stage
from .looking import PHONE, Look
from .test_screens import _FAULTS, axe

__all__ = ["axe"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SAYINGS = """
window.sayings = [];
new MutationObserver(() => window.sayings.push(document.getElementById("announcer").textContent))
  .observe(document.getElementById("announcer"), { childList: true, characterData: true, subtree: true });
"""
WORDS = "document.querySelector('.bubble.live [data-words]')?.textContent ?? ''"


def begun(stage: Stage, run_id: str) -> None:
    """A conversation is begun, and there is a page of it."""

    async def begin() -> None:
        async with choreography.connect(stage.store) as client, httpx2.AsyncClient(base_url=stage.url) as http:
            partitions = range(client.store.partitions)
            async with asyncio.timeout(120):
                await client.follower.up_to_date(partitions)
                while any(not client.follower.fold(p).contracts.get(b"helper.model") for p in partitions):
                    await asyncio.sleep(0.05)
                    await client.follower.up_to_date(partitions)
            await client.start(Asked(question="Where is <b>order 7</b>?"), run_id=run_id)
            async with asyncio.timeout(60):
                while (await http.get(f"/api/v1/runs/{run_id}")).status_code == 404:
                    await asyncio.sleep(0.05)

    thread = Thread(target=lambda: asyncio.run(begin()))
    thread.start()
    thread.join()


def test_words_appear_as_they_are_said_and_a_call_is_allowed_in_its_place(browser: Any, talk: Stage, axe: str) -> None:
    begun(talk, "talk-1")
    with Look.by(browser, talk.url) as look:
        page = look.page
        page.set_default_timeout(40_000)
        look.to("/runs/talk-1?tab=conversation")
        look.see("Where is <b>order 7</b>?")
        page.locator(".call .decision").wait_for()
        expect(page.locator(".decision")).to_have_count(1, timeout=120_000)
        page.locator(".below .bubble.agent", has_text="Parcels get lost.").wait_for()
        look.shoot("conversation-asks")
        page.evaluate(SAYINGS)
        page.locator(".decision .answer summary", has_text="HelperToolApproved").click()
        page.locator(".decision").get_by_role("button", name="Answer HelperToolApproved").click()
        page.locator(".bubble.live [data-words]", has_text="It was lost").wait_for()
        words = page.evaluate(WORDS)
        assert words != LAST
        assert LAST.startswith(words)
        look.shoot("conversation-live")
        page.locator(".bubble.agent:not(.live)", has_text=LAST).wait_for()
        expect(page.locator(".bubble.live")).to_have_count(0, timeout=120_000)
        # A screen reader hears the reply when it is finished, once, and not word by word.
        page.wait_for_function("window.sayings.some((each) => each.includes('It was'))")
        assert [
            saying.count(f"helper: {LAST}") for saying in page.evaluate("window.sayings") if "It was" in saying
        ] == [1]
        expect(page.locator("[aria-busy]")).to_have_count(0, timeout=120_000)
        expect(page.locator(".bubble.agent", has_text=LAST)).to_have_count(1, timeout=120_000)
        page.locator("[data-cost]", has_text="$").wait_for()
        page.locator(".call", has_text="9.50 paid back for 7").wait_for()
        page.evaluate(axe)
        assert page.evaluate(_FAULTS) == []
        look.shoot("conversation-done")
        look.assert_harmless()


def test_one_who_comes_late_sees_what_was_said_so_far(browser: Any, talk: Stage) -> None:
    begun(talk, "talk-2")
    with Look.by(browser, talk.url) as look:
        look.to("/runs/talk-2?tab=conversation")
        look.page.locator(".decision .answer summary", has_text="HelperToolApproved").click()
        look.page.locator(".decision").get_by_role("button", name="Answer HelperToolApproved").click()
        look.page.locator(".bubble.live [data-words]", has_text="It was lost").wait_for()
        with Look.by(browser, talk.url) as late:
            late.to("/runs/talk-2?tab=conversation")
            late.page.locator(".bubble.agent .words", has_text="It was lost").wait_for()
            late.page.locator(".bubble.agent:not(.live)", has_text=LAST).wait_for()
            late.assert_harmless()


def test_a_call_is_denied_in_its_place_and_never_made(browser: Any, talk: Stage) -> None:
    begun(talk, "talk-3")
    with Look.by(browser, talk.url) as look:
        look.to("/runs/talk-3?tab=conversation")
        card = look.page.locator(".call .decision")
        card.locator(".answer summary", has_text="HelperToolDenied").click()
        card.locator("form:visible").get_by_label("comment").fill("Ask the customer for a receipt first.")
        card.get_by_role("button", name="Answer HelperToolDenied").click()
        card.wait_for(state="detached")
        look.page.locator(".call", has_text="Ask the customer for a receipt first.").wait_for()
        look.page.locator(".bubble.agent:not(.live)", has_text=LAST).wait_for()
        assert "9.50 paid back for 7" not in look.page.locator("main").inner_text()
        look.assert_harmless()


def test_it_can_be_read_on_a_phone(browser: Any, talk: Stage, axe: str) -> None:
    with Look.by(browser, talk.url, **PHONE) as look:
        look.to("/runs/talk-1?tab=conversation")
        look.see(LAST)
        wide = look.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        look.page.evaluate(axe)
        assert look.page.evaluate(_FAULTS) == []
        look.shoot("conversation-phone")
        look.assert_harmless()
