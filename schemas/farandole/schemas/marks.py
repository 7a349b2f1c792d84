"""Marks of fields: what must not be stored, what only some may see, by what a run is found.

    class OrderPlaced(Start):
        customer: Annotated[str, Search]
        address: Annotated[str, Personal]
        card: SecretStr

They travel in the schema, as attributes of the field, so that whoever reads the log without the classes keeps to them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Mark:
    """Something said of a whole field, in its ``Annotated``."""

    name: str

    def __repr__(self) -> str:
        return self.name.title()

    @property
    def attribute(self) -> str:
        """What the field has in its schema."""
        return f"farandole.{self.name}"


Secret: Final = Mark("secret")
"""No read model, page or message ever holds the field; `SecretStr` and `SecretBytes` are so by themselves."""
Personal: Final = Mark("personal")
"""Read models hold the field, and show it to those alone who may see personal data."""
Search: Final = Mark("search")
"""A run is found by the field, whichever event of it has it."""


class Used:
    """Marks of fields that say what was used of something that is paid for, as a model. See `farandole.schemas.usage`."""

    agent: Final = Mark("usage.agent")
    """Who used it; without it, the reactor."""
    model: Final = Mark("usage.model")
    """What was used."""
    calls: Final = Mark("usage.calls")
    """How many calls the event is of; without it, one."""
    input_tokens: Final = Mark("usage.input_tokens")
    output_tokens: Final = Mark("usage.output_tokens")
    cache_read_tokens: Final = Mark("usage.cache_read_tokens")
    cache_write_tokens: Final = Mark("usage.cache_write_tokens")
    cost: Final = Mark("usage.cost")
    """In US dollars; null if nobody knows the price."""
    elsewhere: Final = Mark("usage.elsewhere")
    """Whether a sub-step, or another event, says it too: then this event counts as nothing."""


USAGE: Final = (
    Used.agent, Used.model, Used.calls, Used.input_tokens, Used.output_tokens, Used.cache_read_tokens,
    Used.cache_write_tokens, Used.cost, Used.elsewhere,
)  # fmt: skip
ALL: Final = (Secret, Personal, Search, *USAGE)


def marks_among(metadata: Iterable[object]) -> frozenset[Mark]:
    """The marks in what an annotation says."""
    return frozenset(item for item in metadata if isinstance(item, Mark))


class Marked:
    """Which fields of which records bear a mark, as far as schemas were learnt. A mark of any schema holds for all.

    Args:
        schemas: whole record schemas.
    """

    def __init__(self, schemas: Iterable[Mapping[str, Any]] = ()) -> None:
        self._fields: dict[Mark, set[tuple[str, str]]] = {mark: set() for mark in ALL}
        for schema in schemas:
            self.learn(schema)

    def learn(self, schema: Any) -> None:
        """Take note of the marks in a schema."""
        if isinstance(schema, list):
            for branch in schema:
                self.learn(branch)
        elif isinstance(schema, Mapping):
            for field in schema.get("fields", ()):
                for mark in ALL:
                    if field.get(mark.attribute) is True:
                        self._fields[mark].add((schema["name"], field["name"]))
                self.learn(field["type"])
            for inner in ("items", "values"):
                self.learn(schema.get(inner))

    def fields(self, mark: Mark) -> frozenset[tuple[str, str]]:
        """Full names of records, each with the name of a field that bears the mark."""
        return frozenset(self._fields[mark])

    def __bool__(self) -> bool:
        return any(self._fields.values())
