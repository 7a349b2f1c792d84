"""Unions: the branch is told by the value's type when written, and by name when read, never by order."""

from typing import Any

from .enums import Symbol
from .node import Convert, Misfit, Node, Unsayable

_NULL = type(None)
_RAW = (str, bytes, bool, float)


class Record(dict[str, Any]):
    """A plain record of an older schema: its fields, and the name of its Avro type."""

    __slots__ = ("avro_name",)
    avro_name: str


def union(branches: list[Node]) -> Node:
    """The node of a union; of one branch that branch itself.

    Raises:
        Unsayable: Avro could not tell two of the branches apart.
    """
    kept = _merged(branches)
    if len(kept) == 1:
        return kept[0]
    kept.sort(key=lambda branch: branch.branch != "null")
    by_type: dict[type, Node] = {}
    for branch in kept:
        for kind in branch.types:
            if kind in by_type:
                raise Unsayable(f"two types of the union are {kind.__name__} to Python", "give each a model of its own")
            by_type[kind] = branch
    node = Node([branch.schema for branch in kept], tuple(by_type), "union", object, branches=tuple(kept))
    node.encode = None if _is_raw(kept) else _encoder(by_type)
    node.decode = _decoder(kept)
    node.lift = _lifter(by_type, kept)
    return node


def branch_of(node: Node, value: object) -> Node | None:
    """The branch of a union that a Python value belongs to."""
    by_type = {kind: branch for branch in node.branches for kind in branch.types}
    return _pick(by_type, type(value))


def _merged(branches: list[Node]) -> list[Node]:
    kept: dict[str, Node] = {}
    for branch in branches:
        same = kept.setdefault(branch.branch, branch)
        if same is branch or (same.schema == branch.schema and same.types == branch.types):
            continue
        if same.types != branch.types or same.encode or branch.encode or same.branch not in ("string", "long"):
            raise Unsayable(
                f"Avro cannot tell {_name(same)} from {_name(branch)} in a union (both are {branch.branch!r})",
                "give each a model of its own, with the value as its field",
            )
        kept[branch.branch] = _either(same, branch)
    return list(kept.values())


def _either(a: Node, b: Node) -> Node:
    values = [s.get("farandole.values") if isinstance(s, dict) else None for s in (a.schema, b.schema)]
    schema: Any = a.branch
    if values[0] is not None and values[1] is not None:
        schema = {"type": a.branch, "farandole.values": list(dict.fromkeys([*values[0], *values[1]]))}
    return Node(schema, a.types, a.branch, a.datum)


def _name(node: Node) -> str:
    return node.types[0].__name__


def _is_raw(branches: list[Node]) -> bool:
    # fastavro finds the branch of these by itself, and faster than we could name it.
    return (
        len(branches) == 2
        and branches[0].branch == "null"
        and branches[1].types[0] in _RAW
        and (branches[1].encode is None)
    )


def _pick(by_type: dict[type, Node], kind: type) -> Node | None:
    for base in kind.__mro__:
        found = by_type.get(base)
        if found is not None:
            return found
    return None


def _encoder(by_type: dict[type, Node]) -> Convert:
    written = {kind: (branch.branch, branch) for kind, branch in by_type.items()}
    names = ", ".join(sorted("None" if kind is _NULL else kind.__name__ for kind in by_type))

    def encode(value: Any) -> Any:
        if value is None and _NULL in written:
            return None
        found = written.get(type(value))
        if found is None:
            picked = _pick(by_type, type(value))
            if picked is None:
                raise Misfit(f"holds a {type(value).__name__}, which is none of {names}")
            found = (picked.branch, picked)
        name, branch = found
        return (name, value if branch.encode is None else branch.encode(value))

    return encode


def _decoder(branches: list[Node]) -> Convert | None:
    if not any(branch.named or branch.decode for branch in branches):
        return None
    named = {branch.branch: branch for branch in branches if branch.named}
    others = {branch.datum: branch for branch in branches if not branch.named}

    def decode(datum: Any) -> Any:
        if datum is None:
            return None
        if type(datum) is tuple:
            name, datum = datum
            branch = named[name]
        else:
            branch = others[type(datum)]
        return datum if branch.decode is None else branch.decode(datum)

    return decode


def _lifter(by_type: dict[type, Node], branches: list[Node]) -> Convert:
    named = {branch.branch.rpartition(".")[2]: branch for branch in branches if branch.named}
    shaped = {branch.branch: branch for branch in branches}
    records = [branch for branch in named.values() if branch.datum is dict]

    def find(value: Any) -> Node | None:
        if isinstance(value, Record | Symbol):
            found = named.get(value.avro_name.rpartition(".")[2])
            if found is not None:
                return found
        if type(value) is list:
            return shaped.get("array")
        if isinstance(value, dict):
            return shaped.get("map") or (records[0] if len(records) == 1 else None)
        if type(value) is int and int not in by_type:
            return shaped.get("double")
        return by_type.get(type(value))

    def lift(value: Any) -> Any:
        branch = find(value)
        return value if branch is None or branch.lift is None else branch.lift(value)

    return lift
