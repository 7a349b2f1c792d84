"""What models cost, over HTTP and on pages: summed up, filtered, and exact."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from html import unescape
from itertools import count
from urllib.parse import parse_qs

import pytest
from tests.dashboard.desks import Office, an_office

from farandole.dashboard.pages.words import dollars
from farandole.reactors import Choreography
from farandole.schemas import End, Start, Usage

_numbers = count(1)


class Asked(Start):
    model: str


class Answered(End):
    usage: Usage


@asynccontextmanager
async def a_spender(database_url: str) -> AsyncIterator[Office]:
    """Two runs that called a model."""
    desk = Choreography(f"spender{next(_numbers)}")

    @desk.reactor
    async def answer(asked: Asked) -> Answered:
        used = Usage(agent="<b>helper", model=asked.model, input_tokens=1_200, cost=Decimal("0.00000375"))
        return Answered(usage=used)

    async with an_office(database_url, of=desk) as office:
        for model in ("large", "small"):
            await (await office.client.start(Asked(model=model), run_id=model)).result(Answered)
        await office.until("/counts", lambda counts: counts == {"completed": 2})
        yield office


async def test_usage_is_told_by_what_is_asked_for(database_url: str) -> None:
    async with a_spender(database_url) as office:
        found = (await office.get("/usage"))["items"]
        assert {(row["agent"], row["model"], row["cost"]) for row in found} == {
            ("<b>helper", "large", "0.00000375"),
            ("<b>helper", "small", "0.00000375"),
        }
        (row,) = (await office.get("/usage?by=agent&run_id=large"))["items"]
        assert (row["calls"], row["input_tokens"], row["model"], row["run_id"]) == (1, 1_200, None, None)
        (row,) = (await office.get("/usage?by=day&model=small"))["items"]
        assert row["day"] % 86_400_000 == 0
        assert (await office.get(f"/usage?since={row['last'] + 1}"))["items"] == []
        assert (await office.http.get("/api/v1/usage?by=colour")).status_code == 422


async def test_costs_have_a_page_and_a_place_on_that_of_a_run(database_url: str) -> None:
    async with a_spender(database_url) as office:
        for path in ("/costs", "/costs?range=all", "/costs?range=none&model=small", "/costs?agent=%3Cb%3Ehelper"):
            page = (await office.http.get(path)).text
            assert "&lt;b&gt;helper" in page
            assert "<b>helper" not in page
            assert "$0.0000075" in page or "small" in path or "$0.00000375" in page
        assert "No model was called" in (await office.http.get("/costs?agent=nobody")).text
        page = (await office.http.get("/runs/large")).text
        assert "$0.00000375" in page
        assert "With child runs" not in page


async def test_usage_that_does_not_fit_a_page_goes_on_where_it_ended(database_url: str) -> None:
    async with a_spender(database_url) as office:
        whole = await office.get("/usage")
        assert whole["next"] is None
        first = await office.get("/usage?limit=1")
        second = await office.get(f"/usage?limit=1&cursor={first['next']}")
        assert second["next"] is None
        assert [*first["items"], *second["items"]] == whole["items"]
        of_run = await office.get("/usage?limit=1&by=model&by=run&run_id=large&children=true")
        assert (len(of_run["items"]), of_run["next"]) == (1, None)
        assert (await office.http.get("/api/v1/usage?cursor=nonsense")).status_code == 400


async def test_what_is_copied_and_exported_from_the_page_has_its_filters(database_url: str) -> None:
    async with a_spender(database_url) as office:
        page = unescape((await office.http.get("/costs?range=7d&model=small&agent=%3Cb%3Ehelper")).text)
        assert "--last 7d --agent '<b>helper' --model small" in page
        for name in ("data-export", "data-curl"):
            (query,) = re.findall(rf'{name}="/api/v1/usage\?([^"]*)"', page)
            asked = parse_qs(query)
            assert (asked["model"], asked["agent"], asked["by"]) == (
                ["small"],
                ["<b>helper"],
                ["day", "agent", "model"],
            )
            assert int(asked["since"][0]) > 0
        page = unescape((await office.http.get("/costs?range=all")).text)
        assert "--last" not in page
        assert "since=" not in page


async def test_costs_are_fetched_anew_at_leisure(database_url: str) -> None:
    async with a_spender(database_url) as office:
        assert '<div id="live" class="stack" data-quiet="10000">' in (await office.http.get("/costs")).text


async def test_a_choreography_without_models_has_no_costs(database_url: str) -> None:
    async with an_office(database_url) as office:
        assert "No model was called" in (await office.http.get("/costs")).text


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        ("0", "$0.00"),
        ("0.5", "$0.50"),
        ("1234.567", "$1,234.57"),
        ("0.01234567", "$0.0123"),
        ("0.0000375", "$0.0000375"),
    ],
)
def test_amounts_have_the_digits_that_matter(cost: str, said: str) -> None:
    assert dollars(Decimal(cost)) == said
