"""What is known of one place in a schema: its Avro type, and how its values cross between Python and Avro."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from farandole.schemas.errors import FarandoleError

Schema = str | dict[str, Any] | list[Any]
"""An Avro schema as parsed JSON."""
Convert = Callable[[Any], Any]


@dataclass(slots=True, eq=False)
class Node:
    """One place in a schema.

    A *datum* is what fastavro writes and reads under the schema without its logical types: None, bool, int, float, str,
    bytes, list, dict, and in unions a tuple of branch and datum where the branch is a named type. A *plain* value is
    what `plain` makes of a datum by its writer's schema alone.
    """

    schema: Schema
    types: tuple[type, ...]
    """The Python types whose values belong here; a union picks its branch by them."""
    branch: str
    """Avro's name for it in a union: a primitive's, ``array``, ``map``, or a named type's full name."""
    datum: type
    """The Python type of its datums."""
    encode: Convert | None = None
    """Python value to datum; None: the same."""
    decode: Convert | None = None
    """Datum to Python value; None: the same."""
    lift: Convert | None = None
    """Plain value of an older schema to Python value, where that is clear; else it is left to pydantic."""
    named: bool = False
    """A record or an enum: its schema is its name, and its datums in unions are tuples."""
    branches: tuple["Node", ...] = ()
    """Of a union."""


class Misfit(FarandoleError):
    """A value cannot be written; the path to it is gathered on the way up and never the value itself."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def within(self, step: str) -> "Misfit":
        """The same, seen from one level up. A step is ``.name`` or ``[3]``."""
        return Misfit(self.reason, step + self.path)

    def __str__(self) -> str:
        return f"field '{self.path.removeprefix('.')}' {self.reason}" if self.path else f"it {self.reason}"


class Unsayable(FarandoleError):
    """Avro cannot say a type. Gathers the path to it; ends as a `DeclarationError`."""

    def __init__(self, what: str, cure: str, path: str = "") -> None:
        super().__init__(what, cure, path)
        self.what = what
        self.cure = cure
        self.path = path

    def within(self, step: str) -> "Unsayable":
        return Unsayable(self.what, self.cure, step + self.path)

    def __str__(self) -> str:
        where = f"field '{self.path.removeprefix('.')}': " if self.path else ""
        return f"{where}{self.what}; {self.cure}"
