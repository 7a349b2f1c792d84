"""Whether the server answers, on the databases of production: each page, and each question that its OpenAPI knows."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import httpx2

from .asking import Wrong, until_none
from .stack import Stack

PAGES = (
    "/", "/runs", "/map", "/inbox", "/inbox?state=answered", "/failures", "/failures?show=all", "/waiting", "/reactors",
    "/timers", "/costs", "/schemas", "/diff", "/audit?programs=1", "/projections", "/start",
)  # fmt: skip
TABS = ("timeline", "events", "graph", "conversation", "relations")


async def pages_and_questions_are_answered(stack: Stack) -> int:
    """Ask for all of them; how many there were.

    Raises:
        Wrong: one was not answered with 200.
    """
    assert stack.server is not None
    headers = {"Authorization": f"Bearer {stack.token}"}
    async with httpx2.AsyncClient(base_url=stack.server, headers=headers, timeout=60, follow_redirects=True) as http:

        async def missing() -> list[str]:
            found = (await http.get("/api/v1/runs?status=completed&limit=2")).json()
            return [] if len(found.get("items", ())) == 2 else ["the tables know of no two completed runs"]

        await until_none(stack, missing)
        known = await _known(http)
        addresses = [*_pages(known), *_questions((await http.get("/api/openapi.json")).json(), known)]
        wrong = []
        for address in addresses:
            # Streams never end: that one begins is all that is asked of it.
            async with http.stream("GET", address) as answer:
                if answer.status_code != 200:
                    wrong.append(f"{address}: {answer.status_code} {(await answer.aread())[:300]!r}")
    if wrong:
        raise Wrong("\n".join(wrong))
    return len(addresses)


async def _known(http: httpx2.AsyncClient) -> dict[str, str]:
    """Something for each parameter that a question needs."""

    async def items(path: str) -> Any:
        return (await http.get(f"/api/v1{path}")).raise_for_status().json()["items"]

    one, two = await items("/runs?status=completed&limit=2")
    (form, *_) = [row for row in await items("/schemas") if row["kind"] == "start"]
    newest = max((await http.get("/api/v1/projections")).json()["log_times"].values())
    found = {
        "run_id": one["run_id"], "a": one["run_id"], "b": two["run_id"], "since": str(newest - 3_600_000),
        "schema": form["name"], "reactor": (await items("/reactors"))[0]["reactor"],
    }  # fmt: skip
    if decisions := await items("/decisions?state=answered"):
        found["decision"] = decisions[0]["id"]
    return {name: quote(value, safe="") for name, value in found.items()}


def _pages(known: dict[str, str]) -> Iterable[str]:
    yield from PAGES
    for tab in TABS:
        yield f"/runs/{known['run_id']}?tab={tab}"
    yield f"/reactors/{known['reactor']}"
    yield f"/schemas/{known['schema']}"
    yield f"/start?type={known['schema']}"
    yield f"/diff?a={known['a']}&b={known['b']}"


def _questions(described: Any, known: dict[str, str]) -> Iterable[str]:
    """Each GET, with what it needs. One about something that the bakery has none of is left out."""
    for path, methods in described["paths"].items():
        if "get" not in methods:
            continue
        here = {**known, "name": known.get("decision") if "/decisions/" in path else known["schema"]}
        needed = [each for each in methods["get"].get("parameters", ()) if each.get("required")]
        if any(here.get(each["name"]) is None for each in needed):
            continue
        address = path
        for each in needed:
            address = address.replace(f"{{{each['name']}}}", str(here[each["name"]]))
        asked = "&".join(f"{each['name']}={here[each['name']]}" for each in needed if each["in"] == "query")
        yield f"{address}?{asked}" if asked else address
