"""A shop at work in processes of its own, and a real browser that looks at it."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest

from farandole.dashboard import Role
from farandole.dashboard.auth.tokens import make
from farandole.reactors import Choreography
from farandole.testing.plugin import need

from .hostile import hostile
from .hostile_talk import conversations
from .looking import Look
from .seeding import at_rest, one_question, seed

APP = "tests.dashboard.browser.shop:shop"
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Stage:
    """What there is to look at."""

    url: str
    store: str
    token: str = ""
    """What lets in, where somebody is asked who they are."""


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    need("A browser", [] if found else ["chromium"], of="chromium", required="FARANDOLE_REQUIRE_CHROMIUM")
    assert found is not None
    return found


def _stage(
    directory: Path,
    *seeds: Any,
    app: str = APP,
    words: Iterable[str] = (),
    token: str = "",
    store: str = "",
    db: str = "",
) -> Iterator[Stage]:
    store, db = store or f"sqlite:///{directory / 'shop.db'}", db or f"sqlite:///{directory / 'runs.db'}"
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    errors = (directory / "stderr.txt").open("wb")
    worker = subprocess.Popen(
        [sys.executable, "-m", "farandole.cli", "work", app, "--store", store, "--log-level", "error"],
        cwd=ROOT, env=env, stderr=errors, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    server = None
    try:
        for each in seeds:
            # Where a browser is open, its own loop is at work in this thread.
            with ThreadPoolExecutor(1) as apart:
                apart.submit(asyncio.run, each(store)).result()
        server = subprocess.Popen(
            [sys.executable, "-m", "farandole.cli", "serve", app, "--store", store, "--db", db, "--port", "0", *words],
            cwd=ROOT, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert server.stderr is not None
        url = _address(server.stderr)
        # Whatever it says later must go somewhere, or it would stand still once the pipe is full.
        Thread(target=shutil.copyfileobj, args=(server.stderr, sys.stderr), daemon=True).start()
        with ThreadPoolExecutor(1) as apart:
            apart.submit(asyncio.run, _known(app, store, url, token)).result()
        yield Stage(url, store, token)
    finally:
        for process in (worker, server):
            if process is not None:
                process.terminate()
        for process in (worker, server):
            if process is not None:
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
        errors.close()


async def _known(app: str, store: str, url: str, token: str) -> None:
    """Wait until the pages know of all that is in the log now."""
    module, _, name = app.partition(":")
    choreography: Choreography = getattr(import_module(module), name)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        choreography.connect(store) as client,
        httpx2.AsyncClient(base_url=url, headers=headers, timeout=60) as http,
        asyncio.timeout(120),
    ):
        ends = await client.store.ends(range(client.store.partitions))
        position = ",".join(f"{partition}={end.next}" for partition, end in ends.items())
        while (await http.get("/api/v1/runs", params={"min_position": position})).status_code != 200:
            await asyncio.sleep(0.1)


def _address(said: Iterable[str]) -> str:
    lines = []
    for line in said:
        lines.append(line)
        if found := re.search(r"on (http://[^\s\"]+)", line):
            return found[1]
    raise AssertionError("".join(lines))


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A shop in which everything has happened once."""
    _chromium()
    yield from _stage(tmp_path_factory.mktemp("shop"), seed)


@pytest.fixture(scope="package")
def shop_of_production(tmp_path_factory: pytest.TempPathFactory, kafka: str, postgres_server: Any) -> Iterator[Stage]:
    """The same, its log in Kafka and its tables in PostgreSQL."""
    _chromium()
    store, db = f"kafka://{kafka}", f"{postgres_server.url}?schema=shop_in_a_browser"
    yield from _stage(tmp_path_factory.mktemp("production"), seed, store=store, db=db)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A shop with one order, and one question."""
    _chromium()
    yield from _stage(tmp_path_factory.mktemp("quiet"), at_rest, one_question)


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A shop where everybody is asked who they are."""
    _chromium()
    directory = tmp_path_factory.mktemp("guarded")
    shown, kept = make("ann", Role.OPERATE)
    (directory / "tokens").write_text(kept.line() + "\n")
    yield from _stage(directory, at_rest, words=("--tokens", str(directory / "tokens")), token=shown)


@pytest.fixture(scope="package")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A shop whose customers write markup and scripts wherever they can."""
    _chromium()
    yield from _stage(tmp_path_factory.mktemp("attacked"), seed, hostile)


@pytest.fixture(scope="module")
def hostile_talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An agent that is asked, and says, markup and scripts."""
    _chromium()
    app = "tests.dashboard.browser.hostile_talk:talk"
    yield from _stage(tmp_path_factory.mktemp("hostile"), conversations, app=app)


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A desk of agents that customers talk to."""
    _chromium()
    yield from _stage(tmp_path_factory.mktemp("talk"), app="tests.dashboard.talking:talk")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Closed at the end of each module: while it is open, no event loop of another test can run in this thread."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        # In a container there is no sandbox for browsers; what is looked at is ours.
        browser = started.chromium.launch(executable_path=_chromium(), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def look(browser: Any, shop: Stage) -> Iterator[Look]:
    """Somebody who looks at the shop, at a desk."""
    with Look.by(browser, shop.url) as looking:
        yield looking
        looking.assert_harmless()
