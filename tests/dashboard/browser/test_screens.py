"""Every page, at a desk and on a phone, by day and by night: it stands, is kept as a picture, and anyone can use it."""

import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import Stage
from .looking import DESK, PHONE, Look

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
PAGES = (
    "/runs", "/runs?status=failed&q=eve", "/runs/order-8", "/runs/order-6", "/runs/order-9", "/runs/return-1",
    "/runs/order-6?tab=events", "/runs/stock-1?tab=graph", "/runs/stock-1?tab=relations", "/map", "/inbox",
    "/inbox?state=answered", "/failures", "/failures?show=all", "/waiting", "/reactors", "/reactors/take_payment",
    "/timers", "/costs", "/schemas", "/schemas/shop.OrderPlaced", "/diff", "/diff?a=order-1&b=order-5", "/audit?programs=1",
    "/projections", "/start", "/start?type=OrderPlaced",
)  # fmt: skip
WAYS = {"light": DESK, "dark": {**DESK, "color_scheme": "dark"}, "phone": PHONE}
_FAULTS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter((each) => ["serious", "critical"].includes(each.impact))
  .map((each) => `${each.id}: ${each.help}: ${each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`)"""


@pytest.fixture(scope="module")
def axe() -> str:
    """Deque's checker of pages."""
    found = pytest.importorskip("axe_playwright_python")
    return (Path(found.__file__).parent / "axe.min.js").read_text()


def name_of(path: str) -> str:
    """A page as the name of a file."""
    return re.sub(r"[^a-zA-Z0-9_.-]+", "-", path.strip("/"))


@pytest.mark.parametrize("way", WAYS)
def test_pages_stand_and_can_be_used_by_everybody(browser: Any, shop: Stage, axe: str, way: str) -> None:
    faults: dict[str, list[str]] = {}
    with Look.by(browser, shop.url, **WAYS[way]) as look:
        for path in PAGES:
            answer = look.to(path)
            assert answer.status == 200, path
            if "graph" in path or path == "/map":
                look.page.locator("#graph[data-drawn]").wait_for()
            look.shoot(f"{way}/{name_of(path)}")
            look.page.evaluate(axe)
            found = look.page.evaluate(_FAULTS)
            wide = look.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found += [f"it is {wide} pixels too wide"] if wide > 0 else []
            if found:
                faults[path] = found
        look.assert_harmless()
    assert faults == {}


def test_dialogs_can_be_used_by_everybody(look: Look, axe: str) -> None:
    look.to("/runs/order-6")
    look.status("failed")
    for button, dialog in (("Retry", "act"), ("Send…", "signal"), ("Retry with another input…", "edit")):
        look.press(button)
        look.page.locator(f"dialog#{dialog}").wait_for()
        look.shoot(f"light/dialog-{dialog}")
        look.page.evaluate(axe)
        assert look.page.evaluate(_FAULTS) == []
        look.page.keyboard.press("Escape")
    look.page.keyboard.press("?")
    look.page.locator("dialog#help").wait_for()
    look.shoot("light/dialog-help")
    look.page.evaluate(axe)
    assert look.page.evaluate(_FAULTS) == []


def test_what_is_touched_is_large_enough(browser: Any, shop: Stage) -> None:
    small = """() => [...document.querySelectorAll("button, .button, select, input:not([type=hidden]), .chip, .tabs a, .side li a")]
      .filter((each) => each.checkVisibility() && !each.closest(".sr, .menu .sheet, label, thead"))
      .map((each) => [each.getBoundingClientRect(), each.outerHTML.slice(0, 120)])
      .filter(([box]) => box.height > 0 && box.height < 44).map(([box, html]) => `${Math.round(box.height)}: ${html}`)"""
    with Look.by(browser, shop.url, **PHONE) as look:
        for path in ("/runs", "/runs/order-6", "/inbox", "/failures", "/timers", "/start"):
            look.to(path)
            assert look.page.evaluate(small) == [], path


def test_light_and_dark_are_switched_and_remembered(look: Look) -> None:
    look.to("/runs")
    before = look.page.evaluate("getComputedStyle(document.body).backgroundColor")
    look.page.locator(".side [data-theme-switch]").click()
    after = look.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert before != after
    look.to("/map")
    assert look.page.evaluate("getComputedStyle(document.body).backgroundColor") == after


def test_times_are_relative_and_told_whole_on_hover_in_local_time_or_utc(look: Look) -> None:
    look.to("/runs")
    time = look.page.locator("time[data-ms]").first
    assert re.fullmatch(r"now|\d+ (s|min|h|d) ago", time.text_content())
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", time.get_attribute("title"))
    look.press("times: local")
    assert time.get_attribute("title").endswith("UTC")
