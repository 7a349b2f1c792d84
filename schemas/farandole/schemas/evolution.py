"""Whether a changed event may come into use, given the schemas that it had before.

*Backward*: the new class reads what was recorded. *Forward*: code that still runs reads what the new class writes. A
class that a service only reads events with has to read what was recorded, and binds whoever writes; as nothing is written
with it, nobody has to read what it would write. Only schemas of one version are compared. A raised ``version=`` has upcasters for what was recorded; code that still runs
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
    reads: str = ""
    """The service that only reads with it; empty: events are written with it."""


def check_evolution(
    schema: dict[str, Any], earlier: Sequence[Earlier], mode: Mode = "rolling", *, reads: bool = False
) -> None:
    """Refuse a schema that earlier ones and it cannot be read by.

    Args:
        schema: the new schema of an event.
        earlier: its other schemas, of all versions.
        reads: nothing is written with the new schema.

    Raises:
        IncompatibleSchema: with each field and the cure, a line each.
    """
    version = schema.get(VERSION, 1)
    same = sorted((e for e in earlier if e.schema.get(VERSION, 1) == version), key=lambda e: e.order)
    written = [e for e in same if not e.reads]
    readers = [e for e in same if e.reads]
    newest = _newest(written)
    services = {e.reads: e for e in readers}  # of each the last, as they are in order
    lines: list[str] = []
    if reads:
        lines += _differing(schema, written)
    else:
        lines += _collisions(schema, [*written, *services.values()])
    if mode in _BACKWARD:
        for e in written if _BACKWARD[mode] else newest:
            lines += _unread(schema, e.schema) if reads else _backward(schema, e.schema)
    if mode in _FORWARD and not reads:
        for e in written if _FORWARD[mode] else newest:
            lines += _forward(schema, e.schema)
        for e in readers if _FORWARD[mode] else services.values():
            lines += _needed(schema, e)
    if lines:
        raise IncompatibleSchema("\n".join(dict.fromkeys(lines)))


def _newest(same: Sequence[Earlier]) -> list[Earlier]:
    return [e for e in same if e.order == same[-1].order]


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


def _unread(schema: dict[str, Any], written: dict[str, Any]) -> Iterator[str]:
    for found in mismatches(schema, written):
        where = f"{_where(schema, found)}, which is only read here,"
        match found.kind:
            case "missing":
                yield f"{where} is not in what was recorded, and has no default; give it a default, or leave it out"
            case "symbol" | "value":
                yield f"{where} lacks {found.writer}, which recorded events may have; add it"
            case "name":
                yield (
                    f"{where} is recorded as the model {found.writer} and is of {found.reader} here; give that one the name "
                    "as a title in its model_config"
                )
            case _:
                yield f"{where} is recorded as {found.writer} and is {found.reader} here; declare it as its writer does"


def _needed(schema: dict[str, Any], reader: Earlier) -> Iterator[str]:
    service = f"service '{reader.reads}'"
    otherwise = (
        f"change the class of {service} and deploy that one first; or retire what takes it there, if nothing should; or "
        f"{_raise(schema)} ({service} parks these steps until it knows the new version)"
    )
    for found in mismatches(reader.schema, schema):
        where = _where(schema, found)
        match found.kind:
            case "missing":
                yield (
                    f"{where} is not there, and {service} needs it, for its class has no default for it; keep the field; or "
                    f"{otherwise}"
                )
            case "symbol" | "value" | "branch":
                yield f"{where} may be {found.writer}, which {service} cannot read; {otherwise}"
            case "name":
                yield (
                    f"{where} is of the model {found.writer}, which {service} knows as {found.reader}; keep the name (a "
                    f"title in its model_config keeps it for a renamed class); or {otherwise}"
                )
            case _:
                yield (
                    f"{where} is {found.writer}, and {service} reads {found.reader} there; keep its type; or {otherwise}"
                )


def _differing(schema: dict[str, Any], written: Sequence[Earlier]) -> Iterator[str]:
    for e in written:
        if fingerprint_of(e.schema) == fingerprint_of(schema) and _meaning(e.schema) != _meaning(schema):
            yield (
                f"{schema['name']}, which is only read here, takes the bytes that were recorded to mean something else "
                "than they do; declare its fields with the types that its writer has"
            )


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
