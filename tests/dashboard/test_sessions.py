"""A session is of one dashboard: on one host, where browsers tell no ports apart, none lets in to another or out of it."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from tests.dashboard.desks import Office, an_office, client_of, some_tokens
from tests.dashboard.test_door import csrf_of

from farandole.dashboard import Role, Settings, create_app
from farandole.dashboard.auth.sessions import cookie_of

TOKENS, SHOWN = some_tokens(ann=Role.OPERATE)
HTML = {"Accept": "text/html"}
SECRET = "one secret for all that run on this host"


@asynccontextmanager
async def two_offices(tmp_path: Path, one: Settings, two: Settings) -> AsyncIterator[tuple[Office, Office]]:
    async with an_office(tmp_path, one) as first, an_office(tmp_path, two) as second:
        yield first, second


async def log_in(browser: httpx2.AsyncClient) -> None:
    await browser.get("/login")
    done = await browser.post("/auth/login", data={"token": SHOWN["ann"], "csrf": await csrf_of(browser)})
    assert done.status_code == 303


@pytest.mark.parametrize("secret", [None, SECRET])
async def test_who_is_logged_in_at_one_dashboard_is_a_stranger_to_another_and_stays_logged_in(
    tmp_path: Path, secret: str | None
) -> None:
    settings = Settings(tokens=TOKENS, secret=secret)
    async with AsyncExitStack() as stack:
        one, two = await stack.enter_async_context(two_offices(tmp_path, settings, replace(settings, port=8601)))
        here = await stack.enter_async_context(client_of(one.app))
        await log_in(here)
        there = await stack.enter_async_context(client_of(two.app, cookies=here.cookies))
        assert (await there.get("/api/v1/runs")).status_code == 401
        # What a browser does next: it opens the other one's pages, which begin a session of their own.
        there.cookies.clear()
        await there.get("/login")
        here.cookies.update(there.cookies)
        assert (await here.get("/api/v1/runs")).status_code == 200


async def test_a_session_goes_on_after_a_restart_and_in_another_process_with_the_same_secret(tmp_path: Path) -> None:
    settings = Settings(tokens=TOKENS, secret=SECRET)
    async with an_office(tmp_path, settings) as office, client_of(office.app) as browser:
        await log_in(browser)
        again = create_app(office.desk, replace(settings, port=9000))
        async with client_of(again, cookies=browser.cookies) as later:
            assert (await later.get("/api/v1/runs")).status_code == 200
        ended = create_app(office.desk, Settings(tokens=TOKENS))
        async with client_of(ended, cookies=browser.cookies) as later:
            assert (await later.get("/api/v1/runs")).status_code == 401


PAGES = (
    "/runs", "/waiting", "/inbox", "/failures", "/map", "/reactors", "/timers", "/schemas", "/diff", "/audit",
    "/projections", "/start", "/runs/nobody", "/nothing",
)  # fmt: skip
LOG_OUT = re.compile(r'<form method="post" action="/auth/logout"><input type="hidden" name="csrf" value="([^"]+)">')


async def test_whoever_has_logged_in_can_log_out_on_every_page(tmp_path: Path) -> None:
    async with an_office(tmp_path, Settings(tokens=TOKENS)) as office, client_of(office.app, headers=HTML) as browser:
        await log_in(browser)
        for path in PAGES:
            page = await browser.get(path)
            found = LOG_OUT.search(page.text)
            assert found is not None, path
        done = await browser.post("/auth/logout", data={"csrf": found[1]})
        assert (done.status_code, done.headers["location"]) == (303, "/login")
        assert (await browser.get("/runs")).status_code == 303


async def test_who_has_not_logged_in_here_is_not_asked_to_log_out(tmp_path: Path) -> None:
    async with an_office(tmp_path) as office:
        assert "/auth/logout" not in (await office.http.get("/runs", headers=HTML)).text
    async with an_office(tmp_path, Settings(tokens=TOKENS)) as office:
        shown = {**HTML, "Authorization": f"Bearer {SHOWN['ann']}"}
        assert "/auth/logout" not in (await office.http.get("/runs", headers=shown)).text


async def test_the_cookie_tells_nobody_where_the_tables_are_or_what_signs_it(tmp_path: Path) -> None:
    async with an_office(tmp_path) as office:
        cookie = cookie_of(office.desk, Settings(secret=SECRET, https=True))
        assert cookie.name.startswith("__Host-farandole-")
        assert office.desk.choreography not in cookie.name
        assert SECRET not in cookie.key
