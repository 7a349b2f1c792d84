"""Questions to the tables of many runs in PostgreSQL, by the query client, the HTTP API and the pages.

    python -m benchmarks.questions --runs 103000 --times 200

Runs of ten events each (3 in a hundred failed, 3 under way) are written to a log and made into tables by
`farandole rebuild`. Then each question is asked so many times, each time about something else, with nobody else at work.
Milliseconds, from the call to the answer in Python; of those that begin with ``api_`` or ``page_``, from the request to the
whole body, over one kept connection to `farandole serve` in a process of its own.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any
from urllib.parse import quote

import httpx2

from benchmarks import many_runs
from benchmarks.options import measured, parser
from benchmarks.rebuild import database, rebuilt, write
from benchmarks.served import serving
from benchmarks.show import say, tell
from farandole.projections import Runs
from farandole.projections.runs.query import RunRow, Where

_SOME = 10_000
Ask = Callable[[], Awaitable[Any]]


class Asking:
    """Makes questions up."""

    def __init__(self, runs: Runs, count: int, some: list[RunRow]) -> None:
        self._runs = runs
        self._count = count
        self._some = some
        self._chance = Random(1)

    def questions(self) -> dict[str, Ask]:
        """By name, what asks another one each time."""
        runs, chance = self._runs, self._chance
        statuses, words = ("failed", "completed", "running"), many_runs.VOCABULARY
        failed = [Where(fingerprint=f"{step:032x}") for step in range(len(many_runs.STEPS))]

        def any_run() -> RunRow:
            return chance.choice(self._some)

        async def deep() -> None:
            at, page = any_run(), await runs.list(Where(touched_to=any_run().touched))
            await runs.list(Where(touched_to=at.touched), cursor=page.next)

        return {
            "list": lambda: runs.list(),
            "list_by_status": lambda: runs.list(Where(status=[chance.choice(statuses)])),
            "list_open": lambda: runs.list(Where(open=True)),
            "list_by_type": lambda: runs.list(Where(type="Placed"), order="started"),
            "list_by_time": lambda: runs.list(Where(started_from=any_run().started), order="started"),
            "list_by_reactor": lambda: runs.list(Where(reactor=chance.choice(many_runs.REACTORS).decode())),
            "list_by_failure": lambda: runs.list(chance.choice(failed)),
            "two_pages_deep": deep,
            "search_attribute": lambda: runs.list(
                Where(attributes={"customer": many_runs.customer(chance.randrange(self._count))})
            ),
            "search_rare_word": lambda: runs.list(Where(text=many_runs.reference(chance.randrange(self._count)))),
            "search_words_of_many": lambda: runs.list(Where(text=" ".join(chance.sample(words, 2)))),
            "search_word_of_all": lambda: runs.list(Where(text=many_runs.COMMON)),
            "search_word_and_status": lambda: runs.list(Where(text=chance.choice(words), status=["failed"])),
            "search_id": lambda: runs.list(Where(id=any_run().run_id[:20])),
            "run_page": self._page,
            "state_at": lambda: runs.state_at(any_run().run_id, at=any_run().touched),
            "counts": lambda: runs.counts(),
            "counts_of_type": lambda: runs.counts(Where(type="Placed")),
            "reactors": lambda: runs.reactors(),
            "causes": lambda: runs.causes(),
        }

    async def _page(self) -> None:
        """What the page of a run shows."""
        id = self._chance.choice(self._some).run_id
        run, history, steps = await asyncio.gather(self._runs.get(id), self._runs.history(id), self._runs.steps(id))
        assert run.found is not None and len(history.found) == run.found.events and steps.found


def over_http(http: httpx2.AsyncClient, count: int, some: list[RunRow]) -> dict[str, Ask]:
    """The questions of lists, searches and a run, asked of a server."""
    chance, words = Random(2), many_runs.VOCABULARY

    def asked(address: Callable[[], str]) -> Ask:
        async def get() -> None:
            (await http.get(address())).raise_for_status()

        return get

    def id() -> str:
        return quote(chance.choice(some).run_id)

    async def run() -> None:
        its = f"/api/v1/runs/{id()}"
        for answer in await asyncio.gather(*(http.get(its + more) for more in ("", "/history", "/steps"))):
            answer.raise_for_status()

    def two() -> str:
        return quote(" ".join(chance.sample(words, 2)))

    return {
        "api_list": asked(lambda: "/api/v1/runs"),
        "api_list_by_status": asked(lambda: "/api/v1/runs?status=failed"),
        "api_list_by_reactor": asked(lambda: f"/api/v1/runs?reactor={chance.choice(many_runs.REACTORS).decode()}"),
        "api_search_attribute": asked(
            lambda: f"/api/v1/runs?attribute=customer={many_runs.customer(chance.randrange(count))}"
        ),
        "api_search_words": asked(lambda: f"/api/v1/runs?text={two()}"),
        "api_run": run,
        "page_of_list": asked(lambda: "/runs"),
        "page_of_search": asked(lambda: f"/runs?q={two()}"),
        "page_of_run": asked(lambda: f"/runs/{id()}"),
    }


async def known(runs: Runs) -> list[RunRow]:
    """Some runs to ask about."""
    some: list[RunRow] = []
    page, more = None, True
    while more and len(some) < _SOME:
        page = await runs.list(limit=500, cursor=None if page is None else page.next)
        some += page.found
        more = page.next is not None
    return some


async def ask(questions: Mapping[str, Ask], times: int) -> dict[str, dict[str, float]]:
    """How long each question takes."""
    found: dict[str, dict[str, float]] = {}
    for name, question in questions.items():
        await question()
        took = []
        for _ in range(times):
            began = time.perf_counter()
            await question()
            took.append((time.perf_counter() - began) * 1000)
        took.sort()
        found[name] = {"p50": took[times // 2], "p95": took[times * 95 // 100], "most": took[-1]}
    return found


async def measure(url: str, db: str, runs: int, times: int, processes: int, partitions: int) -> dict[str, Any]:
    name = f"questions_{time.time_ns():x}"
    await write(url, name, runs, partitions)
    made = await rebuilt(url, db, name, processes)
    say("asking")
    async with await Runs.open(db, name) as asked:
        some = await known(asked)
        took = await ask(Asking(asked, runs, some).questions(), times)
    async with serving(url, db, name) as http:
        # Until then it folds the log anew, to go on behind the tables.
        while (await http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.1)
        took |= await ask(over_http(http, runs, some), times)
    return {
        **made,
        "runs": runs,
        "times": times,
        **{f"{name}_{which}_ms": value for name, each in took.items() for which, value in each.items()},
    }


def main() -> None:
    options = parser("benchmarks.questions", __doc__)
    options.add_argument("--runs", type=int, default=100_000, help="of ten events each (default 100,000)")
    options.add_argument("--times", type=int, default=200, help="that each question is asked (default 200)")
    options.add_argument("--db", default="postgres", help="postgres, sqlite, or a URL (default postgres)")
    options.add_argument("--processes", type=int, default=2, help="of the rebuild (default 2)")
    options.add_argument("--partitions", type=int, default=4, help="of the log (default 4)")

    async def asked(url: str, given: Any) -> dict[str, Any]:
        with database(given.db) as db:
            return await measure(url, db, given.runs, given.times, given.processes, given.partitions)

    given, result = measured(options, asked)
    tell(result, given.json, title=f"Questions about {result['runs']:,} runs")


if __name__ == "__main__":
    main()
