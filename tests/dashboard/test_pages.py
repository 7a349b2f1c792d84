"""Pages answer for whatever there is, and for what there is not; what some may not see or do, they do not offer."""

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape

import httpx2
import pytest
from sqlalchemy.schema import CreateSchema
from tests.dashboard.desks import Office, an_office, client_of, some_tokens

from farandole.dashboard import Role, Settings
from farandole.projections.custom import keepers
from farandole.projections.custom import tables as own
from farandole.schemas.catalogue import PREFIX, read_entry

EMPTY = ("/runs", "/map", "/inbox", "/failures", "/waiting", "/reactors", "/timers", "/costs", "/schemas", "/diff", "/audit", "/projections", "/start")  # fmt: skip
HTML = {"Accept": "text/html"}


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with an_office(database_url) as office:
        yield office


async def page(office: Office, path: str, status: int = 200) -> str:
    answer = await office.http.get(path, headers=HTML)
    assert answer.status_code == status, answer.text[:2000]
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


async def there(http: httpx2.AsyncClient, path: str) -> str:
    """A page, once the tables know of what it shows."""
    async with asyncio.timeout(60):
        while (answer := await http.get(path)).status_code != 200:
            await asyncio.sleep(0.02)
    return answer.text


async def test_pages_of_nothing_teach_what_to_do_next(office: Office) -> None:
    for path in EMPTY:
        assert "<h1>" in await page(office, path)
    assert "farandole start" in await page(office, "/runs")


async def test_a_run_is_shown_in_each_way_under_its_whole_id(office: Office) -> None:
    for wish in ("", "ask", "break", "later", "check"):
        await office.start(f"a/b {wish or 'well'}?", wish)
    await office.until("/counts", lambda counts: counts == {"completed": 5, "failed": 1, "waiting": 2})
    for wish in ("well", "ask", "break", "later", "check"):
        for tab in ("timeline", "events", "graph", "relations"):
            assert f"a/b {wish}?" in await page(office, f"/runs/a%2Fb%20{wish}%3F?tab={tab}")
    assert "the drawer is stuck" in await page(office, "/failures")
    assert "Grant it?" in await page(office, "/inbox")
    assert "Reminded" in await page(office, "/timers")
    assert "role:clerk" in await page(office, "/runs/a%2Fb%20ask%3F")


async def test_of_tables_that_were_cut_it_is_told_since_when_closed_runs_are_kept(office: Office) -> None:
    assert "Closed runs since" not in await page(office, "/projections")
    with office.desk.runs.database.writing() as connection:
        connection.exec_driver_sql("UPDATE positions SET kept_since = 86400000 WHERE partition = 0")
    shown = await page(office, "/projections")
    assert "Closed runs since" in shown
    assert "1970-01-02" in shown


async def test_what_is_not_there_is_a_page_that_says_so(office: Office) -> None:
    assert "There is no run nobody" in await page(office, "/runs/nobody", 404)
    await page(office, "/reactors/nobody", 404)
    await page(office, "/schemas/no.Thing", 404)


async def test_odd_addresses_are_no_trouble(office: Office) -> None:
    await office.start("one", "later")
    await office.until("/runs/one", bool)
    for path in (
        "/runs?status=none&range=never&cursor=x&since=a&until=99999999999999999999&q=%22%27%28%25&order=none&open=maybe",
        "/runs?q=id%3A%25&type=none&fingerprint=%01", "/runs/one?tab=none", "/runs/one?tab=events&offset=999999999999999999",
        "/runs/one?tab=events&offset=-1", "/audit?before=x&kind=none&by=%25", "/diff?a=one&b=none", "/inbox?state=none",
        "/runs/one?min_position=none", "/start?type=none",
    ):  # fmt: skip
        await page(office, path)


async def test_secrets_are_never_shown_and_personal_fields_to_those_alone_who_may(database_url: str) -> None:
    tokens, shown = some_tokens(sam=Role.SEE, ada=Role.ADMINISTER, personal=Role.OPERATE)
    async with an_office(database_url, Settings(tokens=tokens)) as office:
        await office.start("one", "later", street="Hidden Lane")
        await office.start("two", street="Hidden Lane")
        for name in ("sam", "ada", "personal"):
            async with client_of(office.app, headers={**HTML, "Authorization": f"Bearer {shown[name]}"}) as http:
                await there(http, "/runs/one")
                await there(http, "/runs/two")
                for tab in ("timeline", "events", "graph", "relations"):
                    text = (await http.get(f"/runs/one?tab={tab}")).text
                    assert "hush-hush" not in text
                    assert ("Hidden Lane" in text) == (name == "personal" and tab == "events"), (name, tab)
                then = (await http.get("/runs/one?tab=events&offset=999999")).text
                differ = (await http.get("/diff?a=one&b=two")).text
                assert "hush-hush" not in then + differ
                assert ("Hidden Lane" in then) == (name == "personal")


async def test_another_input_is_offered_without_what_the_caller_may_not_see(database_url: str) -> None:
    tokens, shown = some_tokens(olga=Role.OPERATE, personal=Role.OPERATE)
    place = {"street": "Hidden Alley", "town": "Rome"}
    async with an_office(database_url, Settings(tokens=tokens)) as office:
        await office.start("one", "break", street="Hidden Lane", place=place, token="hush-hush", pin="quince")
        for name in ("olga", "personal"):
            headers = {**HTML, "Authorization": f"Bearer {shown[name]}"}
            async with client_of(office.app, headers=headers) as http:
                async with asyncio.timeout(60):
                    while "Retry with another input" not in (text := (await http.get("/runs/one")).text):
                        await asyncio.sleep(0.02)
            form = text[text.index('<dialog id="edit"') :]
            assert 'value="ann"' in form
            assert "Rome" in form
            assert ["Hidden Lane" in text, "Hidden Alley" in text] == [name == "personal"] * 2, name
            assert "hush-hush" not in text
            assert "quince" not in text


async def test_who_may_only_see_is_offered_no_act(database_url: str) -> None:
    tokens, shown = some_tokens(sam=Role.SEE)
    async with (
        an_office(database_url, Settings(tokens=tokens)) as office,
        client_of(office.app, headers={**HTML, "Authorization": f"Bearer {shown['sam']}"}) as http,
    ):
        await office.start("one", "later")
        assert 'title="needs the role operate"' in await there(http, "/runs/one")


async def test_whoever_is_not_known_logs_in_first(database_url: str) -> None:
    tokens, _ = some_tokens(sam=Role.SEE)
    async with an_office(database_url, Settings(tokens=tokens)) as office:
        answer = await office.http.get("/runs", headers=HTML)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/runs")
        form = await office.http.get("/login?next=/runs", headers=HTML)
        assert 'name="token"' in form.text


async def test_of_a_schema_that_changed_the_lines_are_shown_that_came_and_went(office: Office) -> None:
    name = f"{office.desk.choreography}.Closed"
    entries = [read_entry(key, value) for key, value in (await office.desk.store.catalogue.load()).items() if key.startswith(PREFIX)]  # fmt: skip
    (first,) = [entry for entry in entries if entry.name == name]
    field = {"name": "words", "type": "string", "default": "nothing"}
    grown = {**first.schema, "fields": [field]}
    later = first._replace(
        key=first.key + b"x", version=2, order=first.order + 1, fingerprint=b"grown-12", schema=grown
    )
    await office.desk.store.catalogue.put(later.key, later.value())
    shown = await page(office, f"/schemas/{name}")
    lines = re.findall(r'<span class="(came|went)">([-+]) ([^<]*)\n</span>', shown)
    assert {(sign, kind) for kind, sign, _ in lines} == {("+", "came"), ("-", "went")}
    assert '"name": "words"' in "".join(unescape(line) for _, sign, line in lines if sign == "+")
    assert '"name": "said"' in "".join(unescape(line) for _, sign, line in lines if sign == "-")
    assert shown.index("Schema 2") < shown.index("Schema 1")
    assert f"{sum(sign == '+' for _, sign, _ in lines)} line" in shown


async def test_projections_of_the_app_are_listed_with_what_stops_them(office: Office) -> None:
    assert "Projections of apps" not in await page(office, "/projections")
    await office.start("r")
    await office.until("/runs/r", lambda run: run["status"] == "completed")
    partition = office.desk.store.partition_of(b"r")
    tables = office.desk.runs.database
    with tables.writing() as connection:
        if connection.dialect.name == "postgresql":
            place = f"{tables.schema}_custom"
            connection.execute(CreateSchema(place))
            connection.execution_options(schema_translate_map={None: place})
        own.metadata.create_all(connection)
        rows = [("PerDay", "live", "", False), ("Boxes", "stopped", "no <b>pens</b>", True)]
        for name, state, error, changed in rows:
            row = {"name": name, "version": 2, "state": state, "error": error, "changed": changed}
            connection.execute(own.projections.insert(), {**row, "fingerprint": "", "made": "{}"})
        place = {"projection": "PerDay", "choreography": office.desk.choreography, "partition": partition}
        part = f"PerDay.2/{office.desk.choreography}/{partition}"
        connection.execute(own.positions.insert(), {**place, "part": part, "position": 1, "digest": "", "log_time": 1})
    shown = await page(office, "/projections")
    assert "no &lt;b&gt;pens&lt;/b&gt;" in shown
    boxes, per_day = (await office.get("/projections"))["custom"]
    assert (boxes["name"], boxes["state"], boxes["error"], boxes["changed"]) == (
        "Boxes",
        "stopped",
        "no <b>pens</b>",
        True,
    )
    end = (await office.desk.store.ends((partition,)))[partition].next
    assert (per_day["name"], per_day["version"], per_day["behind"]) == ("PerDay", 2, end - 1)
    assert f'<span class="tone-warn strong">{end - 1:,}</span>' in shown
    assert "kept by nobody" not in shown
    assert (per_day["kept"], per_day["kept_by"]) == (None, [])
    with tables.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(schema_translate_map={None: own.place_beside(tables.schema)})
        keepers.say(connection, "PerDay", "process 1 of ann@host")
    (_, per_day) = (await office.get("/projections"))["custom"]
    assert (per_day["kept"], per_day["kept_by"]) == (True, ["process 1 of ann@host"])
    with tables.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(schema_translate_map={None: own.place_beside(tables.schema)})
        keepers.leave(connection, "PerDay", "process 1 of ann@host")
    shown = await page(office, "/projections")
    assert shown.count("kept by nobody") == 1
    assert f'<span class="tone-warn strong">{end - 1:,}</span>' not in shown
