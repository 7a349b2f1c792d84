"""Steps that share an object, such as a database: a provider makes it once a worker, and closes it."""

from collections.abc import AsyncIterator

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

greetings = Choreography("greetings")


class Database:
    """Stands for a pool of connections."""

    def __init__(self) -> None:
        self.open = True

    async def name_of(self, number: int) -> str:
        return f"customer {number}"

    async def language_of(self, number: int) -> str:
        return "fr"


class GreetingWanted(Start):
    customer: int


class NameFound(Event):
    name: str


class LanguageFound(Event):
    language: str


class Greeted(End):
    text: str


@greetings.provide
async def database() -> AsyncIterator[Database]:
    database = Database()
    yield database
    database.open = False


@greetings.reactor
async def find_name(wanted: GreetingWanted, database: Database) -> NameFound:
    return NameFound(name=await database.name_of(wanted.customer))


@greetings.reactor
async def find_language(wanted: GreetingWanted, database: Database) -> LanguageFound:
    return LanguageFound(language=await database.language_of(wanted.customer))


@greetings.reactor
async def greet(name: NameFound, language: LanguageFound) -> Greeted:
    return Greeted(text=f"{'Bonjour' if language.language == 'fr' else 'Hello'}, {name.name}!")
