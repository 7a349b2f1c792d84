"""The demonstration for two minutes, in a browser: runs of several kinds move, one waits for you, one fails on and on."""

import json
import re
import shutil
import signal
import time
import urllib.request
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from tests.chaos.starvation import Starvation

from farandole.testing.plugin import need

from .conftest import spawn, until

LOOKS = (0, 60, 120)
"""Seconds after the first look."""
SCREENS = Path(__file__).parents[2] / "test-output" / "screens" / "demo"


def runs(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/api/v1/runs?limit=500", timeout=30) as answer:
        return {run["run_id"]: run for run in json.load(answer)["items"]}


def kinds(url: str) -> set[tuple[str, str]]:
    """How runs of each kind stand."""
    try:
        return {(run_id.partition("-")[0], run["status"]) for run_id, run in runs(url).items()}
    except HTTPError as e:
        assert e.code == 503, "at first the tables are not there"
        return set()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_minutes_of_it_are_worth_watching() -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    need("A browser", [] if chromium else ["chromium"], of="chromium", required="FARANDOLE_REQUIRE_CHROMIUM")
    demo = spawn("demo", "--port", "0", "--no-browser")
    assert demo.stdout is not None
    wrong: list[str] = []
    seen: list[dict[str, Any]] = []
    try:
        url = until(lambda: re.findall(r"dashboard is at (\S+)", demo.stdout.readline()) if demo.stdout else [])[0]
        until(lambda: {("flour", "retrying"), ("complaint", "waiting")} <= kinds(url))
        with playwright.sync_playwright() as started:
            browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1360, "height": 860})
            page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(url)
            page.locator("[data-row]").first.wait_for()
            SCREENS.mkdir(parents=True, exist_ok=True)
            began, starvation = time.monotonic(), Starvation()
            for at in LOOKS:
                page.wait_for_timeout(max(0.0, began + at - time.monotonic()) * 1000)
                page.screenshot(path=SCREENS / f"{at}.png")
                seen.append(runs(url))
            starved = starvation.seconds
            browser.close()
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=30)
    assert wrong == []
    assert len({run["type"] for run in seen[-1].values()}) >= 4
    started_at = sorted(run["started"] for run in seen[-1].values())
    # Nothing to watch for ten seconds is too long, but for the time in which the machine was busy with something else.
    assert max(after - before for before, after in pairwise(started_at)) <= 10_000 + starved * 1000
    assert len(seen[0]) < len(seen[1]) < len(seen[2])
    (flour,), (complaint,) = (
        [run_id for run_id in seen[0] if run_id.startswith(kind)] for kind in ("flour", "complaint")
    )
    attempts = [each[flour]["failures"] for each in seen]
    assert attempts[0] < attempts[1] < attempts[2], attempts
    assert [each[complaint]["status"] for each in seen] == ["waiting"] * 3
