"""A desk for tests: a choreography at work, its tables, and the application that serves both."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import httpx2
from fastapi import FastAPI
from pydantic import BaseModel, SecretStr

from farandole.dashboard import Desk, Role, Settings, Tokens, create_app
from farandole.dashboard.auth.tokens import make
from farandole.eventstore import connect
from farandole.projections import Runs
from farandole.projections.runs import Database, Pace, Projector, schema_of
from farandole.reactors import After, Ask, Child, ChildDone, Choreography, Client, GiveUp
from farandole.schemas import Answer, End, Event, Personal, Search, Secret, Signal, Start

_numbers = count(1)


class Place(BaseModel):
    street: Annotated[str, Personal]
    town: str


class Applied(Start):
    customer: Annotated[str, Search]
    street: Annotated[str, Personal] = "Elm Street"
    token: Annotated[str, Secret] = "hush-hush"
    wish: str = ""
    pin: SecretStr | None = None
    place: Place | None = None


class Case(BaseModel):
    customer: str
    company: str = "Kafka & Sons"
    notes: Annotated[str, Secret] = "hush"


class Granted(Answer):
    broken: bool = False


class Refused(Answer):
    reason: str = ""


class Reminded(Event): ...


class Moved(Signal):
    street: Annotated[str, Personal]


class Checked(Start):
    customer: str


class Clean(End): ...


class Closed(End):
    said: str = ""


def a_desk() -> Choreography:
    """Applications that are asked about, break, wait, have children, or go well."""
    desk = Choreography(f"office{next(_numbers)}")

    @desk.reactor
    async def handle(
        applied: Applied,
    ) -> Closed | Ask[Granted | Refused] | After[Reminded] | list[Child[Checked]] | None:
        match applied.wish:
            case "ask":
                about = Case(customer=applied.customer)
                return Ask(
                    "Grant it?", Granted, Refused, about=about, to=["role:clerk"], within="2d", otherwise=Refused()
                )
            case "break":
                raise GiveUp("the drawer is stuck")
            case "later":
                return After("1h", Reminded())
            case "check":
                return [Child(Checked(customer=f"{applied.customer}-{n}")) for n in range(3)]
        if applied.pin is not None and applied.place is not None:
            place = applied.place
            return Closed(said=f"well, with {applied.pin.get_secret_value()}, at {place.street} in {place.town}")
        return Closed(said="well")

    @desk.reactor
    async def check(checked: Checked) -> Clean:
        return Clean()

    @desk.reactor(each=Checked)
    async def gather(done: list[ChildDone[Clean]]) -> Closed:
        return Closed(said=f"checked {len(done)}")

    @desk.reactor
    async def grant(granted: Granted) -> Closed:
        if granted.broken:
            raise GiveUp("the stamp is broken")
        return Closed(said="granted")

    @desk.reactor
    async def refuse(refused: Refused) -> Closed:
        return Closed(said=refused.reason)

    @desk.reactor
    async def remind(reminded: Reminded) -> None: ...

    @desk.reactor
    async def move(moved: Moved) -> Closed:
        return Closed(said="moved")

    desk.schedule(Checked(customer="leap"), name="leap", cron="0 2 29 2 *", tz="UTC")
    return desk


@dataclass
class Office:
    """All of it, for one test."""

    app: FastAPI
    desk: Desk
    client: Client
    http: httpx2.AsyncClient

    async def start(self, run_id: str, wish: str = "", **more: Any) -> None:
        await self.client.start(Applied(customer=more.pop("customer", "ann"), wish=wish, **more), run_id=run_id)

    async def get(self, path: str, **more: Any) -> Any:
        answer = await self.http.get(f"/api/v1{path}", **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, status: int = 202, **body: Any) -> Any:
        answer = await self.http.post(f"/api/v1{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def until(self, path: str, seen: Callable[[Any], Any]) -> Any:
        """Ask again until the answer is such."""
        async with asyncio.timeout(30):
            while True:
                answer = await self.http.get(f"/api/v1{path}")
                if answer.status_code == 200 and seen(found := answer.json()):
                    return found
                await asyncio.sleep(0.02)


def client_of(app: FastAPI, **more: Any) -> httpx2.AsyncClient:
    """Somebody else at the same application."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1:8600", **more)


@asynccontextmanager
async def an_office(
    place: Path | str,
    settings: Settings | None = None,
    *,
    url: str | None = None,
    works: bool = True,
    code: bool = True,
    of: Choreography | None = None,
) -> AsyncIterator[Office]:
    """A worker, a projector, the application, and somebody who asks it.

    Args:
        place: where the tables are: a folder to keep a SQLite file in, or the URL of a database.
        of: what is at work; by default the desk above.
    """
    desk = of or a_desk()
    url = url or f"memory://{desk.name}"
    tables = place if isinstance(place, str) else f"sqlite:///{place / desk.name}.db"
    database = Database(tables, schema_of(desk.name))
    async with desk.work(url, partitions=3) as client, await connect(url, desk.name, create=False) as store:
        projector = Projector(store, database, desk.name, pace=Pace(wait=0.02))
        task = asyncio.create_task(projector.run())
        try:
            async with asyncio.timeout(30):
                while len(projector.places) < 3:
                    await asyncio.sleep(0.01)
            runs = Runs(database, desk.name, patience=20)
            at = Desk(runs=runs, client=client, events=desk.events if code else {}, projector=projector)
            app = create_app(at, settings)
            async with app.router.lifespan_context(app), client_of(app) as http:
                yield Office(app, at, client, http)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await projector.close()
            database.close()


def some_tokens(**roles: Role) -> tuple[Tokens, dict[str, str]]:
    """Tokens for these people, and what they show. Who is called clerk, or personal, has that as a further role."""
    made = {name: make(name, role, [name] if name in ("clerk", "personal") else []) for name, role in roles.items()}
    return Tokens(token for _, token in made.values()), {name: shown for name, (shown, _) in made.items()}


Soon = Callable[[], Awaitable[Any]]
