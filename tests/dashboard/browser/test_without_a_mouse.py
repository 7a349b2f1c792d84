"""With a thumb, by keyboard alone, and by ear: a question is answered, a run is cancelled, and pages say what they are."""

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from .conftest import Stage
from .looking import PHONE, Look
from .shop import ParcelLeft
from .test_acts import returned, start

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
HEARD = Path(__file__).parent / "heard"
OUTPUT = Path(__file__).parents[3] / "test-output" / "heard"
PAGES = {"runs": "/runs", "run": "/runs/return-1", "inbox": "/inbox"}
# What is of the day and of the machine: when, how long, where in the log, and whether a step stood in a queue.
CHANGES = (
    (r"\n *- img \"queued[^\n]*", ""),
    (r"\b\d+/\d+–\d+\b", "<place>"),
    (r"\b(in )?\d+(\.\d+)? (ms|s|min|h|d)\b( ago)?|\bnow\b", "<time>"),
    (r"\b[0-9a-f]{16,}\b", "<hash>"),
    (r"(127\.0\.0\.1|localhost):\d+", "<host>"),
)


@pytest.mark.parametrize("name", PAGES)
def test_a_screen_reader_is_told_the_same_as_before(browser: Any, quiet: Stage, name: str) -> None:
    with Look.by(browser, quiet.url) as look:
        look.to(PAGES[name])
        look.page.get_by_text("return-1").first.wait_for()
        told = look.page.locator("body").aria_snapshot()
        look.assert_harmless()
    for what, instead in CHANGES:
        told = re.sub(what, instead, told)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / f"{name}.txt").write_text(told + "\n")
    kept = (HEARD / f"{name}.txt").read_text()
    assert told + "\n" == kept, f"if it is meant, keep {OUTPUT / name}.txt in {HEARD}"


def test_a_question_is_answered_and_a_run_cancelled_with_a_thumb(browser: Any, quiet: Stage) -> None:
    start(quiet, returned("thumb"), "return-thumb")
    start(quiet, ParcelLeft(customer="thumb"), "parcel-thumb")
    with Look.by(browser, quiet.url, **PHONE) as look:
        page = look.page
        look.to("/runs")
        _menu(look, "Inbox")
        card = page.locator("article", has_text="return-thumb")
        card.locator(".answer summary", has_text="Denied").tap()
        card.get_by_label("reason").fill("too late")
        card.get_by_role("button", name="Answer Denied").tap()
        card.wait_for(state="detached")
        _menu(look, "Runs")
        page.get_by_role("link", name="parcel-thumb").first.tap()
        page.wait_for_url("**/runs/parcel-thumb")
        page.wait_for_selector("html[data-ready]", state="attached")
        page.get_by_role("button", name="Cancel", exact=True).tap()
        page.locator("dialog#act").get_by_label("Reason").fill("never came")
        page.locator("#act-do").tap()
        look.status("cancelled")
        look.assert_harmless()


def _menu(look: Look, name: str) -> None:
    look.page.get_by_role("button", name="Menu", exact=True).tap()
    look.page.locator("#side").get_by_role("link", name=name).tap()
    look.page.wait_for_url(f"**/{name.lower()}")
    look.page.wait_for_selector("html[data-ready]", state="attached")


def test_a_question_is_answered_and_a_run_cancelled_by_keyboard_alone(browser: Any, quiet: Stage) -> None:
    start(quiet, returned("keys"), "return-keys")
    start(quiet, ParcelLeft(customer="keys"), "parcel-keys")
    with Look.by(browser, quiet.url) as look:
        page, keys = look.page, look.page.keyboard
        look.to("/runs")
        _typed(look, "gi", "**/inbox")
        card = page.locator("article", has_text="return-keys")
        _tab_to(look, card.locator(".answer summary", has_text="Denied"))
        keys.press("Enter")
        _tab_to(look, card.get_by_label("reason"))
        keys.type("too late")
        _tab_to(look, card.get_by_role("button", name="Answer Denied"))
        keys.press("Enter")
        card.wait_for(state="detached")
        _typed(look, "gr", "**/runs")
        keys.press("/")
        keys.type("id:parcel-keys")
        expect(page.locator("[data-row]")).to_have_count(1, timeout=60_000)
        keys.press("Escape")
        keys.press("j")
        keys.press("o")
        page.wait_for_url("**/runs/parcel-keys")
        page.wait_for_selector("html[data-ready]", state="attached")
        _tab_to(look, page.get_by_role("button", name="Cancel", exact=True))
        keys.press("Enter")
        page.locator("dialog#act").wait_for()
        _tab_to(look, page.locator("dialog#act").get_by_label("Reason"))
        keys.type("never came")
        _tab_to(look, page.locator("#act-do"))
        keys.press("Enter")
        look.status("cancelled")
        look.assert_harmless()


def _typed(look: Look, keys: str, then: str) -> None:
    for key in keys:
        look.page.keyboard.press(key)
    look.page.wait_for_url(then)
    look.page.wait_for_selector("html[data-ready]", state="attached")


def _tab_to(look: Look, wanted: Any) -> None:
    """Press Tab until it has the focus, as one who has no mouse."""
    wanted.wait_for()
    for _ in range(200):
        if wanted.evaluate("(it) => it === document.activeElement"):
            return
        look.page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {wanted}")


def test_counts_that_change_are_said_and_the_last_ones_too(browser: Any, quiet: Stage) -> None:
    with Look.by(browser, quiet.url) as look:
        look.to("/runs")
        before = look.page.locator("[data-announce]").get_attribute("data-announce")
        waiting = int(re.findall(r"(\d+) waiting", before)[0])
        for n in range(3):
            start(quiet, ParcelLeft(customer="said"), f"said-{n}")
            expect(look.page.locator("[data-announce]")).to_have_attribute(
                "data-announce", re.compile(f"{waiting + n + 1} waiting"), timeout=60_000
            )
        expect(look.page.locator("#announcer")).to_have_text(re.compile(f"{waiting + 3} waiting"), timeout=30_000)
