"""Whether a changed event may come into use, given the schemas that it had before.

*Backward*: the new class reads what was recorded. *Forward*: code that still runs reads what the new class writes. Only
schemas of one version are compared. A raised ``version=`` has upcasters for what was recorded; code that still runs
parks the steps of events of a version above its own, visibly, until it is deployed and they are retried.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

from .avro import VERSION, fingerprint_of
from .compatibility import Mismatch, mismatches
from .errors import IncompatibleSchema

Mode = Literal[
    "rolling",
    "backward",
    "backward_transitive",
    "forward",
    "forward_transitive",
    "full",
    "full_transitive",
    "none",
]
"""Which earlier schemas must understand each other with a new one.

``rolling``, the default, is what a log with rolling deployments needs: backward to every schema ever recorded, for the
log keeps all events; forward to the newest one, for its workers may still be running while the new ones start. The
others are those of schema registries: to the newest one, or (*transitive*) to all.
"""

_BACKWARD: Final = {
    "backward": False,
    "full": False,
    "backward_transitive": True,
    "full_transitive": True,
    "rolling": True,
}
_FORWARD: Final = {
    "forward": False,
    "full": False,
    "forward_transitive": True,
    "full_transitive": True,
    "rolling": False,
}


class Earlier(NamedTuple):
    """A schema that an event had, or has elsewhere."""

    order: int
    """Ascending, in the order in which they came into use."""
    schema: dict[str, Any]


def check_evolution(schema: dict[str, Any], earlier: Sequence[Earlier], mode: Mode = "rolling") -> None:
    """Refuse a schema that earlier ones and it cannot be read by.

    Args:
        schema: the new schema of an event.
        earlier: its other schemas, of all versions.

    Raises:
        IncompatibleSchema: with each field and the cure, a line each.
    """
    version = schema.get(VERSION, 1)
    same = sorted((e for e in earlier if e.schema.get(VERSION, 1) == version), key=lambda e: e.order)
    newest = [e for e in same if e.order == same[-1].order]
    lines: list[str] = []
    lines += _collisions(schema, same)
    if mode in _BACKWARD:
        for e in same if _BACKWARD[mode] else newest:
            lines += _backward(schema, e.schema)
    if mode in _FORWARD:
        for e in same if _FORWARD[mode] else newest:
            lines += _forward(schema, e.schema)
    if lines:
        raise IncompatibleSchema("\n".join(dict.fromkeys(lines)))


def _raise(schema: dict[str, Any]) -> str:
    version = schema.get(VERSION, 1)
    return f"raise version= to {version + 1} and add an upcaster from {version}"


def _where(schema: dict[str, Any], found: Mismatch) -> str:
    return f"field '{found.path}' of {schema['name']}" if found.path else f"{schema['name']}"


def _backward(schema: dict[str, Any], old: dict[str, Any]) -> Iterator[str]:
    for found in mismatches(schema, old):
        where, otherwise = _where(schema, found), _raise(schema)
        match found.kind:
            case "missing":
                yield f"{where} is new and has no default; give it a default, or {otherwise}"
            case "symbol":
                yield f"{where} lost the symbol {found.writer}, which recorded events may have; keep it, or {otherwise}"
            case "value":
                yield f"{where} lost the value {found.writer}, which recorded events may have; keep it, or {otherwise}"
            case "branch":
                yield (
                    f"{where} is {found.reader} and cannot take {found.writer}, which recorded events may have; "
                    f"keep that in its union, or {otherwise}"
                )
            case "name":
                yield (
                    f"{where} was of the model {found.writer} and is of {found.reader}; keep the name (a title in its "
                    f"model_config keeps it for a renamed class), or {otherwise}"
                )
            case "type" | "logical" | "length":
                yield f"{where} was {found.writer} and is {found.reader}; keep its type, or {otherwise}"
            case "other":
                yield f"{where} cannot be read from what was recorded ({found.writer}); {otherwise}"


def _forward(schema: dict[str, Any], old: dict[str, Any]) -> Iterator[str]:
    for found in mismatches(old, schema):
        where = _where(schema, found)
        otherwise = (
            f"{_raise(schema)} (workers that know only the old version park these steps until they are deployed)"
        )
        match found.kind:
            case "missing":
                yield (
                    f"{where} is gone, and workers that still run need it, for it has no default there; give it a default "
                    f"in one deployment and take it out in the next, or {otherwise}"
                )
            case "symbol":
                yield f"{where} has the new symbol {found.writer}, which workers that still run cannot read; {otherwise}"
            case "value":
                yield f"{where} may now be {found.writer}, which workers that still run cannot read; {otherwise}"
            case "branch":
                yield f"{where} may now be {found.writer}, which workers that still run cannot read; {otherwise}"
            case "name":
                yield (
                    f"{where} was of the model {found.reader} and is of {found.writer}; keep the name (a title in its "
                    f"model_config keeps it for a renamed class), or {otherwise}"
                )
            case "type" | "logical" | "length":
                yield (
                    f"{where} was {found.reader} and is {found.writer}, which workers that still run cannot read; keep "
                    f"its type, or {otherwise}"
                )
            case "other":
                yield f"{where} cannot be read by workers that still run ({found.writer}); {otherwise}"


def _collisions(schema: dict[str, Any], same: Sequence[Earlier]) -> Iterator[str]:
    # Fingerprints leave logical types out, so a value could not tell which of the two it was written by.
    for e in same:
        if fingerprint_of(e.schema) == fingerprint_of(schema) and (_meaning(e.schema) != _meaning(schema)):
            yield (
                f"{schema['name']}: the meaning of its bytes changed, but not their layout, so old and new could not be "
                f"told apart; {_raise(schema)}"
            )


_MEANS_NOTHING: Final = frozenset({"doc", "default", "precision"})
"""Attributes that say nothing of what a value's bytes mean; nor do our own, those of later releases among them."""
_OURS: Final = "farandole."


def _meaning(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_meaning(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key for key in schema if key not in _MEANS_NOTHING and not key.startswith(_OURS)}
    kept: dict[str, Any] = {key: _meaning(value) for key, value in schema.items() if key in told}
    return kept["type"] if set(kept) == {"type"} else kept
