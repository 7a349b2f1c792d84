"""Whoever has logged in logs out again, by keyboard too, and is let in no more."""

from typing import Any

import pytest

from .conftest import Stage
from .looking import DESK, PHONE, Look

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.usefixtures("shop", "guarded")]


def log_in(look: Look, stage: Stage) -> None:
    look.page.goto(look.url + "/runs")
    look.page.get_by_label("Token").fill(stage.token)
    look.press("Log in")
    look.page.wait_for_url("**/runs")
    look.page.wait_for_selector("html[data-ready]", state="attached")


@pytest.mark.parametrize("way", ["desk", "phone"])
def test_a_session_is_ended_on_the_page_that_is_open(browser: Any, guarded: Stage, way: str) -> None:
    with Look.by(browser, guarded.url, **(PHONE if way == "phone" else DESK)) as look:
        log_in(look, guarded)
        if way == "phone":
            look.press("Menu")
        button = look.page.get_by_role("button", name="Log out", exact=True)
        button.focus()
        look.page.keyboard.press("Enter")
        look.page.wait_for_url("**/login")
        look.page.goto(look.url + "/runs")
        assert "/login" in look.page.url


def test_a_dashboard_beside_it_on_the_same_host_ends_no_session(browser: Any, guarded: Stage, shop: Stage) -> None:
    with Look.by(browser, guarded.url) as look:
        log_in(look, guarded)
        look.page.goto(shop.url + "/runs")
        look.page.goto(look.url + "/runs")
        assert look.page.url == look.url + "/runs"
