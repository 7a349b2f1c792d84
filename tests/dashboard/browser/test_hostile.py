"""Events are text from anywhere: whatever stands in them, pages only show it."""

from typing import Any
from urllib.parse import quote

import pytest

from .conftest import Stage
from .hostile import VECTORS
from .hostile_talk import ASKS, SAID
from .looking import Look

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
RUN = quote(f"0 {VECTORS[0]}", safe="")
ASKED = quote(f"asked 1 {VECTORS[1]}", safe="")
LETTER = quote("hostile/letter?x=1#y", safe="")
TABS = ("conversation", "timeline", "events", "graph", "relations")
PAGES = (
    "/runs", f"/runs/{RUN}", f"/runs/{RUN}?tab=events", f"/runs/{RUN}?tab=graph", f"/runs/{RUN}?tab=relations",
    f"/runs/{ASKED}", f"/runs/{LETTER}?tab=events", f"/runs?q={quote(VECTORS[1])}", f"/runs?fingerprint={quote(VECTORS[1])}",
    "/inbox", "/inbox?state=answered", "/failures", "/failures?show=all", "/waiting", "/map", "/reactors", "/reactors/take_payment",
    "/timers", "/schemas", "/schemas/shop.OrderPlaced", "/costs", f"/costs?agent={quote(VECTORS[0])}&model={quote(VECTORS[1])}",
    "/audit?programs=1", f"/audit?by={quote(VECTORS[2])}", f"/diff?a={RUN}&b={ASKED}", f"/diff?a={quote(VECTORS[0])}", "/projections",
    f"/start?type={quote(VECTORS[0])}",
)  # fmt: skip
ALIVE = """() => [...document.querySelectorAll("main *")].flatMap((each) => [
  ...[...each.attributes].filter((a) => /^(on|hx-|data-hx-)/.test(a.name) || /^(href|src|action|formaction|xlink:href)$/.test(a.name) && /^\\s*javascript:/i.test(a.value)).map((a) => `${each.tagName} ${a.name}=${a.value.slice(0, 60)}`),
  ...(["IFRAME", "OBJECT", "EMBED", "BASE", "META", "LINK", "STYLE", "MATH"].includes(each.tagName) ? [each.tagName] : []),
  ...(each.tagName === "SCRIPT" && each.type !== "application/json" ? [each.outerHTML.slice(0, 80)] : []),
  ...(each.tagName === "IMG" ? [each.outerHTML] : []),
])"""


def looked_at(look: Look, path: str) -> None:
    """A page with all that can be unfolded in it; nothing of it is alive."""
    assert look.to(path).status == 200, path
    for more in look.page.locator("main details:not([open]) > summary").all()[:40]:
        if more.is_visible():
            more.click()
    assert look.page.evaluate(ALIVE) == [], path


def test_markup_and_scripts_in_events_are_only_shown(browser: Any, attacked: Stage) -> None:
    with Look.by(browser, attacked.url) as look:
        for path in PAGES:
            looked_at(look, path)
        look.to("/inbox?state=answered")
        look.page.locator("article", has_text=VECTORS[3]).first.wait_for()
        look.assert_harmless()


def test_nor_is_it_more_than_words_in_a_conversation(browser: Any, hostile_talk: Stage) -> None:
    said, asks = (f"/runs/{quote(each, safe='')}" for each in (SAID, ASKS))
    with Look.by(browser, hostile_talk.url) as look:
        look.to(f"{said}?tab=conversation")
        look.page.locator(".bubble.agent:not(.live)", has_text=VECTORS[0]).wait_for()
        look.to(f"{asks}?tab=conversation")
        look.page.locator(".call .decision").wait_for()
        for path in (*(f"{run}?tab={tab}" for run in (said, asks) for tab in TABS), "/costs", "/inbox", "/runs"):
            looked_at(look, path)
        assert VECTORS[2] in look.to("/costs").text().replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'")
        look.assert_harmless()


def test_it_is_shown_to_the_letter(browser: Any, attacked: Stage) -> None:
    with Look.by(browser, attacked.url) as look:
        look.to(f"/runs/{RUN}")
        assert look.page.locator("h1").inner_text() == f"0 {VECTORS[0]}"
        assert VECTORS[0] in look.page.locator(".callout.bad").inner_text()


def test_what_is_refreshed_is_as_harmless(browser: Any, attacked: Stage) -> None:
    with Look.by(browser, attacked.url) as look:
        look.to("/runs")
        for vector in VECTORS[:12]:
            with look.page.expect_response(lambda answer: "/runs?" in answer.url):
                look.page.get_by_label("Search runs").fill(vector)
        look.page.get_by_label("Search runs").fill("")
        look.page.locator("[data-row]").first.wait_for()
        assert look.page.evaluate(ALIVE) == []
        look.assert_harmless()


def test_attributes_of_htmx_that_somebody_got_into_a_page_are_dead(browser: Any, attacked: Stage) -> None:
    """Should escaping ever fail, nothing of it acts: it bears no nonce."""
    with Look.by(browser, attacked.url) as look:
        look.to("/runs")
        asked: list[str] = []
        look.page.on("request", lambda request: asked.append(request.url))
        left = look.page.evaluate("""() => {
          const made = document.createElement("div");
          made.setAttribute("hx-get", "/api/v1/reactors");
          made.setAttribute("hx-trigger", "load");
          made.setAttribute("hx-nonce", "guessed");
          document.querySelector("main").append(made);
          htmx.process(made);
          return made.getAttributeNames();
        }""")
        assert [name for name in left if name.startswith("hx-")] == []
        assert not any("/api/v1/reactors" in url for url in asked)
