"""Looking: what moves is seen without loading anew; lists are searched, walked by keys and kept; the past is there."""

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from .conftest import Stage
from .looking import Look
from .seeding import order
from .test_acts import start

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_run_that_starts_is_seen_without_loading_the_page_anew(look: Look, shop: Stage) -> None:
    look.to("/runs?q=customer:zoe")
    look.see("No run is like that")
    look.page.evaluate("window.__same = true")
    start(shop, order("zoe"), "order-zoe")
    look.page.locator("[data-row] .pill", has_text="completed").wait_for()
    assert look.page.evaluate("window.__same")


def test_what_was_selected_and_focused_stays_while_the_list_moves(look: Look, shop: Stage) -> None:
    look.to("/runs")
    look.page.get_by_label("Select order-2", exact=True).check()
    start(shop, order("yan"), "order-yan")
    look.page.get_by_label("Select order-yan").wait_for()
    assert look.page.get_by_label("Select order-2", exact=True).is_checked()
    assert look.page.evaluate("document.activeElement.dataset.pick") == "order-2"


def test_filters_are_in_the_address_and_kept_by_name(look: Look) -> None:
    look.to("/runs")
    look.page.locator(".chip", has_text="failed").first.click()
    look.page.wait_for_url("**status=failed*")
    look.page.get_by_label("Search runs").fill("customer:fred")
    expect(look.page.locator("[data-row]")).to_have_count(1, timeout=120_000)
    assert "customer%3Afred" in look.page.url
    look.press("Save this filter")
    look.page.get_by_label("Name").fill("fred's")
    look.press("Save")
    look.to("/runs")
    look.page.locator(".saved a", has_text="fred's").click()
    look.page.wait_for_url("**fred*")
    expect(look.page.locator("[data-row]")).to_have_count(1, timeout=120_000)


def test_lists_are_walked_and_opened_with_keys(look: Look) -> None:
    look.to("/runs?q=id:order-")
    look.page.keyboard.press("/")
    assert look.page.evaluate("document.activeElement.id") == "q"
    look.page.keyboard.press("Escape")
    for _ in range(3):
        look.page.keyboard.press("j")
    look.page.keyboard.press("k")
    marked = look.page.locator("[data-cursor] [data-open]")
    wanted = marked.text_content()
    look.page.keyboard.press("x")
    assert look.page.locator("[data-cursor] [data-pick]").is_checked()
    look.page.keyboard.press("o")
    look.page.wait_for_url(f"**/runs/{wanted}")
    look.page.wait_for_selector("html[data-ready]", state="attached")
    for key in "gm":
        look.page.keyboard.press(key)
    look.page.wait_for_url("**/map")


def test_the_past_of_a_run_is_shown_with_what_each_record_changed(look: Look) -> None:
    look.to("/runs/order-8?tab=events")
    look.page.locator("#travel").focus()
    look.page.keyboard.press("Home")
    look.page.wait_for_url("**offset=*")
    look.page.locator(".travel-state").wait_for()
    first = look.page.url
    open_then = look.page.get_by_label("What was open")
    assert "take_payment" in open_then.inner_text()
    assert "OrderPlaced" in look.page.get_by_label("What it changed").inner_text()
    look.press("One record on")
    expect(look.page.locator("#travel-at")).to_have_text("2", timeout=120_000)
    look.page.wait_for_url(lambda url: url != first)


def test_a_run_is_drawn_and_told_as_a_list(look: Look) -> None:
    look.to("/runs/order-1?tab=graph")
    look.page.locator("#graph[data-drawn='4']").wait_for()
    listed = look.page.get_by_label("The same as a list").inner_text()
    assert all(name in listed for name in ("OrderPlaced", "PaymentTaken", "OrderPacked", "OrderShipped"))


def test_the_map_shows_how_each_reactor_stands_and_moves_with_it(look: Look, shop: Stage) -> None:
    look.to("/map")
    look.page.locator("#graph[data-drawn]").wait_for()
    row = look.page.locator("tbody tr", has=look.page.locator("a", has_text=re.compile(r"^take_payment$")))

    def cell(name: str) -> str:
        return str(row.locator(f"td[data-label='{name}']").inner_text()).strip()

    def drawn() -> dict[str, str]:
        told = json.loads(look.page.locator("#graph-data").text_content())
        return {each["data"]["id"]: each["data"]["label"] for each in told if "source" not in each["data"]}

    assert "OrderPlaced" in cell("Takes")
    assert "PaymentTaken" in cell("Gives")
    # order-9 is tried again and again, orders of those whose card was declined are parked.
    assert int(cell("Owed")) >= 1
    before = int(cell("Parked"))
    assert before >= 1
    assert f"{before} parked" in drawn()["r:take_payment"]
    assert f"owes {cell('Owed')}" in drawn()["r:take_payment"]
    assert {"e:shop.OrderPlaced", "e:shop.PaymentTaken", "r:ship"} <= drawn().keys()
    look.page.evaluate("window.__same = true")
    start(shop, order("uma", card="0000"), "order-uma")
    expect(row.locator("td[data-label='Parked']")).to_have_text(str(before + 1), timeout=120_000)
    assert f"{before + 1} parked" in drawn()["r:take_payment"]
    assert look.page.evaluate("window.__same")


def test_a_list_is_exported(look: Look, tmp_path: Path) -> None:
    look.to("/runs?status=completed")
    with look.page.expect_download() as download:
        look.press("Export")
    download.value.save_as(tmp_path / "runs.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    assert lines and {line["status"] for line in lines} == {"completed"}


def test_a_run_is_exported_with_all_its_records(look: Look, tmp_path: Path) -> None:
    look.to("/runs/order-1")
    look.page.get_by_label("More", exact=True).click()
    with look.page.expect_download() as download:
        look.press("Export .jsonl")
    download.value.save_as(tmp_path / "run.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert lines[0]["kind"] == "start"
    assert {line["run_id"] for line in lines} == {"order-1"}
    assert "OrderShipped" in {line["type"].rpartition(".")[2] for line in lines}


def test_two_runs_that_are_compared_are_swapped(look: Look) -> None:
    look.to("/diff?a=order-1&b=order-5")
    heads = look.page.locator(".diff-table thead a")
    assert heads.all_inner_texts() == ["order-1", "order-5"]
    look.page.get_by_role("link", name="Swap").click()
    look.page.wait_for_url("**/diff?a=order-5&b=order-1")
    assert heads.all_inner_texts() == ["order-5", "order-1"]
    assert look.page.get_by_label("One run").input_value() == "order-5"


def test_a_run_that_is_not_there_says_so(look: Look) -> None:
    answer = look.page.goto(f"{look.url}/runs/nobody")
    assert answer.status == 404
    look.see("There is no run nobody")
    look.wrong.clear()
