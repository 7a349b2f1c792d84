"""What is needed of a schema registry."""

from typing import Protocol

from farandole.schemas.schema_text import SchemaText


class Registry(Protocol):
    """A schema registry. It is asked once for each schema that a process writes, and never to read our own values.

    Raises, from each method:
        RegistryUnavailable: it cannot be reached now; trying again may help.
        RegistryMisconfigured: its URL, the credentials or its answers are wrong.
    """

    @property
    def url(self) -> str:
        """Where it is, without secrets."""
        ...

    async def register(self, schema: SchemaText) -> int:
        """The schema's number, the same however often and by whomever it is registered.

        Raises:
            RegistryRefused: it refuses the schema. The message names the subject and the cure.
        """
        ...

    async def find(self, schema: SchemaText) -> int | None:
        """The schema's number; None if it is not registered."""
        ...

    async def schema(self, number: int) -> str | None:
        """The schema of a number, as JSON; None if there is none."""
        ...

    async def compatibility(self) -> str:
        """The rule that holds for subjects without one of their own, such as BACKWARD."""
        ...

    async def close(self) -> None: ...
