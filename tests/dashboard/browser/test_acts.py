"""What people do on pages happens, is in the log with their reason, and is seen at once."""

import asyncio
import re
from threading import Thread

import httpx2
import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from farandole.schemas import Start

from .conftest import Stage
from .looking import Look
from .seeding import order
from .shop import ParcelLeft, ReturnAsked
from .shop import shop as choreography

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def start(stage: Stage, event: Start, run_id: str) -> None:
    """Start a run, and wait until there is a page of it."""

    async def started() -> None:
        async with choreography.connect(stage.store) as client, httpx2.AsyncClient(base_url=stage.url) as http:
            await client.start(event, run_id=run_id)
            async with asyncio.timeout(60):
                while (await http.get(f"/api/v1/runs/{run_id}")).status_code == 404:
                    await asyncio.sleep(0.05)

    # The browser's own loop is at work in this thread.
    thread = Thread(target=lambda: asyncio.run(started()))
    thread.start()
    thread.join()


def returned(number: str) -> ReturnAsked:
    return ReturnAsked.model_validate({"order": number, "customer": "ann", "amount": "5.00", "letter": "It is broken."})


def test_a_run_is_started_with_a_form_and_looked_at(look: Look) -> None:
    look.to("/start?type=OrderPlaced")
    form = look.page.locator("form:visible[data-variant='shop.OrderPlaced']")
    form.get_by_label("customer").fill("lea")
    form.get_by_label("amount").fill("42.00")
    form.get_by_label("street").fill("Quai 1")
    form.get_by_label("items").fill("lamp\nbook")
    form.get_by_label("delivery").select_option("courier")
    form.get_by_label("Run id").fill("order/lea 1")
    form.get_by_role("button", name="Start OrderPlaced").click()
    look.page.wait_for_url("**/runs/order*")
    look.status("completed")
    look.to("/runs/order%2Flea%201?tab=events")
    look.page.locator(".records summary").first.click()
    assert "courier" in look.page.locator(".rec-body").first.inner_text()


def test_a_field_that_is_needed_or_no_number_is_asked_for_again(look: Look) -> None:
    look.to("/start?type=StockWanted")
    form = look.page.locator("form:visible[data-variant='shop.StockWanted']")
    form.get_by_label("shelves").fill("many")
    form.get_by_role("button", name="Start StockWanted").click()
    look.see("This is a whole number.")
    assert form.get_by_label("shelves").get_attribute("aria-invalid") == "true"


def test_a_run_is_paused_resumed_and_cancelled_with_a_reason(look: Look, shop: Stage) -> None:
    start(shop, ParcelLeft(customer="mo"), "parcel-mo")
    look.to("/runs/parcel-mo")
    look.status("waiting")
    look.act("Pause", "stock-taking")
    look.status("paused")
    look.act("Resume")
    look.status("waiting")
    look.press("Cancel")
    look.page.locator("dialog#act").get_by_text("The same elsewhere").click()
    assert "farandole cancel" in look.page.locator("#act-cli").text_content()
    assert "/api/v1/runs/parcel-mo/cancel" in look.page.locator("#act-curl").text_content()
    look.page.locator("#act-do").click()
    assert look.page.locator("dialog#act").is_visible()  # it is not done without a reason
    look.page.locator("dialog#act").get_by_label("Reason").fill("never came")
    look.page.locator("#act-do").click()
    look.status("cancelled")
    look.to("/audit")
    row = look.page.locator("tr", has_text="never came")
    row.first.wait_for()
    assert "parcel-mo" in row.first.inner_text()


def test_a_signal_is_sent_with_a_form(look: Look) -> None:
    look.to("/runs/parcel-kim")
    look.press("Send it…")
    form = look.page.locator("dialog#signal form:visible")
    form.get_by_label("signed_by").fill("Kim")
    form.get_by_role("button", name="Send ParcelCollected").click()
    look.status("completed")


def test_a_question_is_answered_where_the_run_is_and_in_the_inbox(look: Look, shop: Stage) -> None:
    start(shop, returned("order-3"), "return-3")
    look.to("/runs/return-1")
    look.page.locator(".answer summary", has_text="Granted").click()
    look.page.locator(".answer form:visible").get_by_label("amount").fill("12.50")
    look.press("Answer Granted")
    look.status("completed")
    look.to("/inbox")
    card = look.page.locator("article", has_text="return-3")
    card.wait_for()
    assert "It is broken." in card.inner_text()
    card.locator(".answer summary", has_text="Denied").click()
    card.get_by_label("reason").fill("too late")
    card.get_by_role("button", name="Answer Denied").click()
    card.wait_for(state="detached")
    look.to("/inbox?state=answered")
    look.page.locator("article", has_text="return-3").wait_for()


def test_a_failed_step_is_retried_with_another_input(look: Look) -> None:
    look.to("/runs/order-5")
    look.status("failed")
    look.press("Retry with another input…")
    form = look.page.locator("dialog#edit form:visible")
    assert form.get_by_label("card").input_value() == "0000"
    form.get_by_label("card").fill("4242")
    form.get_by_label("Reason").fill("another card")
    form.get_by_role("button", name="Retry take_payment").click()
    look.status("completed")


def test_all_failures_of_a_cause_are_retried(look: Look, shop: Stage) -> None:
    start(shop, order("nil", card="0000"), "order-nil")
    look.to("/runs/order-nil")
    look.status("failed")
    look.to("/failures")
    card = look.page.locator("article", has_text="GiveUp")
    card.wait_for()
    look.page.locator("article button", has_text="Retry all").first.click()
    look.page.locator("#act-do").click()
    look.page.locator("dialog#act").wait_for(state="hidden")
    look.to("/runs/order-nil?tab=events")
    look.page.locator(".records li", has_text="retried").wait_for()


def test_one_parked_step_is_retried_and_the_other_stays(look: Look, shop: Stage) -> None:
    start(shop, order("bo", card="0000", items=["boulder"]), "order-bo")
    look.to("/runs/order-bo")
    parked = look.page.get_by_label("Parked steps")
    expect(parked.locator("li")).to_have_count(2, timeout=120_000)
    parked.get_by_role("button", name="Retry only pack in order-bo").click()
    look.page.locator("#act-do").click()
    look.page.locator("dialog#act").wait_for(state="hidden")
    expect(parked.locator("li")).to_have_count(1, timeout=120_000)
    assert "take_payment" in parked.inner_text()
    look.to("/runs/order-bo?tab=events")
    look.page.locator(".records li", has_text="OrderPacked").wait_for()
    expect(look.page.locator(".records li", has_text="retried")).to_have_count(1)
    look.to("/failures")
    card = look.page.locator("article", has_text="at take_payment").first
    card.get_by_role("button", name="Retry only take_payment in order-bo").click()
    look.page.locator("#act-do").click()
    look.page.locator("dialog#act").wait_for(state="hidden")
    look.to("/runs/order-bo?tab=events")
    expect(look.page.locator(".records li", has_text="failed for good")).to_have_count(3, timeout=120_000)


def test_a_run_is_retried_and_so_are_several_at_once(look: Look, shop: Stage) -> None:
    for n in (1, 2):
        start(shop, order("rex", card="0000"), f"rex-{n}")
        look.to(f"/runs/rex-{n}")
        look.status("failed")
    look.act("Retry", "the bank is back")
    look.to("/runs/rex-2?tab=events")
    look.page.locator(".records li", has_text="retried").wait_for()
    expect(look.page.locator(".records li", has_text="failed for good")).to_have_count(2, timeout=120_000)
    look.to("/runs?q=id:rex-")
    expect(look.page.locator("tbody .pill:text-is('failed')")).to_have_count(2, timeout=120_000)
    for n in (1, 2):
        look.page.get_by_label(f"Select rex-{n}").check()
    look.page.locator("[data-bulk='retry']").click()
    look.page.locator("#act-do").click()
    look.page.locator("dialog#act").wait_for(state="hidden")
    for n, failures in ((1, 2), (2, 3)):
        look.to(f"/runs/rex-{n}?tab=events")
        expect(look.page.locator(".records li", has_text="failed for good")).to_have_count(failures, timeout=120_000)


def test_several_runs_are_selected_compared_and_cancelled(look: Look, shop: Stage) -> None:
    for n in (1, 2):
        start(shop, ParcelLeft(customer="many"), f"many-{n}")
    look.to("/runs?q=id:many-")
    for n in (1, 2):
        look.page.get_by_label(f"Select many-{n}").check()
    assert look.page.locator("[data-bulk='diff']").inner_text().strip() == "Compare two"
    look.page.locator("[data-bulk='diff']").click()
    look.page.wait_for_url("**/diff*")
    look.page.locator(".diff-table").wait_for()
    look.to("/runs?q=id:many-")
    look.page.locator("[data-pick-all]").check()
    look.page.locator("[data-bulk='cancel']").click()
    dialog = look.page.locator("dialog#act")
    dialog.get_by_label("Reason").fill("a test")
    dialog.locator("#act-do").click()
    look.page.locator("tbody .pill:text-is('cancelled')").nth(1).wait_for()


def test_a_reactor_is_stopped_and_goes_on(look: Look, shop: Stage) -> None:
    look.to("/reactors/count")
    look.act("Stop", "the scales are broken")
    look.see("the scales are broken")
    look.act("Let it go on")
    look.page.locator("h1 + .pill", has_text="in force").wait_for()


@pytest.mark.parametrize("path", ["/map", "/reactors"])
def test_a_reactor_is_stopped_where_all_are_listed(look: Look, path: str) -> None:
    look.to(path)
    row = look.page.locator("tbody tr", has=look.page.locator("a", has_text=re.compile(r"^renew$")))
    row.get_by_role("button", name="Stop").click()
    look.page.locator("dialog#act").get_by_label("Reason").fill("a new price list")
    look.page.locator("#act-do").click()
    row.locator(".pill", has_text="stopped").wait_for()
    row.get_by_role("button", name="Go on").click()
    look.page.locator("#act-do").click()
    row.locator(".pill", has_text="stopped").wait_for(state="detached")


def test_everything_is_stopped_and_goes_on(look: Look, shop: Stage) -> None:
    look.to("/map")
    look.act("Stop everything", "a fire drill")
    look.see("Everything is stopped.")
    start(shop, ParcelLeft(customer="drill"), "parcel-drill")
    start(shop, order("drill"), "order-drill")
    look.to("/runs/order-drill")
    look.status("running")
    look.to("/reactors")
    look.see("a fire drill")
    look.to("/map")
    look.act("Let everything go on")
    look.page.get_by_text("Everything is stopped.").wait_for(state="detached")
    look.to("/runs/order-drill")
    look.status("completed")


def test_a_selection_is_cleared(look: Look) -> None:
    look.to("/runs?q=id:order-")
    look.page.get_by_label("Select order-1", exact=True).check()
    look.page.locator("[data-bulk='none']").click()
    look.page.locator("#bulk").wait_for(state="hidden")
    assert not look.page.get_by_label("Select order-1", exact=True).is_checked()


def test_a_schedule_is_paused_resumed_and_started_now(look: Look) -> None:
    look.to("/timers")
    look.act("Pause")
    look.page.locator("#schedules .pill", has_text="paused").wait_for()
    look.act("Resume")
    look.page.locator("#schedules .pill", has_text="paused").wait_for(state="detached")
    look.act("Start now")
    look.to("/runs?q=parent:stock-taking")
    look.page.locator("[data-row]").first.wait_for()
