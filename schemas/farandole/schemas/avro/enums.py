"""Enums and literals."""

import re
from enum import Enum, Flag
from typing import Any, Final

from .node import Convert, Misfit, Node, Schema, Unsayable
from .scalars import primitive

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Symbol(str):
    """A plain enum value of an older schema: its symbol, and the name of its Avro type."""

    __slots__ = ("avro_name",)
    avro_name: str

    def __new__(cls, symbol: str, avro_name: str) -> "Symbol":
        made = super().__new__(cls, symbol)
        made.avro_name = avro_name
        return made


def symbols_of(kind: type[Enum]) -> dict[Enum, str]:
    """The Avro symbol of each member: its value if all values are text and fit to be names, else the member's name."""
    members = list(kind)
    values = [member.value for member in members]
    if all(isinstance(value, str) and NAME.fullmatch(value) for value in values):
        return {member: str(member.value) for member in members}
    return {member: member.name for member in members}


def enum(kind: type[Enum], full_name: str) -> tuple[Node, dict[str, Any]]:
    """The node of an enum class, and its Avro definition."""
    if issubclass(kind, Flag):
        raise Unsayable(f"Avro cannot say {kind.__name__}, a set of flags", "use set[...] of an Enum")
    symbols = symbols_of(kind)
    if not symbols:
        raise Unsayable(f"{kind.__name__} has no members", "give it some")
    for symbol in symbols.values():
        if not NAME.fullmatch(symbol):
            raise Unsayable(
                f"Avro cannot say the member {symbol!r} of {kind.__name__}", "name members in ASCII letters, digits, _"
            )
    # With use_enum_values, a model holds values and not members.
    written: dict[Any, str] = {member.value: symbol for member, symbol in symbols.items() if _hashable(member.value)}
    written.update(symbols)
    members = {symbol: member for member, symbol in symbols.items()}
    node = Node(full_name, (kind,), full_name, str, named=True)
    node.encode = _lookup(written, f"is not a member of {kind.__name__}")
    node.decode = _lookup(members, f"is not a symbol of {kind.__name__}")
    node.lift = lambda value: members.get(value, value) if isinstance(value, str) else value
    definition: dict[str, Any] = {"type": "enum", "name": full_name, "symbols": list(symbols.values())}
    return node, definition


def literal(values: tuple[Any, ...]) -> list[Node]:
    """One node for each type among the values of a ``Literal``: a primitive that names the values it takes."""
    found: list[Node] = []
    for kind, avro in ((type(None), "null"), (bool, "boolean"), (int, "long"), (str, "string"), (bytes, "bytes")):
        mine = [value for value in values if type(value) is kind]
        if not mine:
            continue
        node = primitive(avro, kind)
        if kind in (int, str):
            schema: Schema = {"type": avro, "farandole.values": mine}
            node.schema = schema
        found.append(node)
    if any(isinstance(value, Enum) for value in values):
        raise Unsayable("a Literal of enum members has no type of its own in Avro", "use the Enum, or Literal of text")
    return found


def _lookup(table: dict[Any, Any], reason: str) -> Convert:
    def lookup(value: Any) -> Any:
        try:
            return table[value]
        except (KeyError, TypeError):
            raise Misfit(reason) from None

    return lookup


def _hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
