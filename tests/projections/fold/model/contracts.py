"""What a contract says: sections 6 and 7 of the protocol."""

from hashlib import blake2b
from typing import Any

from farandole.schemas import system_records

DIRECT = ("event", "child_done", "child_failed", "either")
"""Forms of which each event is owed to the reactor by itself, where it has one parameter."""


def names(contract: dict[str, Any]) -> set[str]:
    """The types whose events a contract names."""
    if contract["forms"] == ["failed"]:
        return set()
    return {type for types in contract["takes"] for type in types if not type.startswith("failed:")}


def failures(contract: dict[str, Any]) -> set[bytes] | None:
    """The types of what a failed step took whose failure a contract takes; empty: any. None: none."""
    (first, *_) = contract["takes"]
    if contract["forms"] == ["failed"]:
        return {type.encode() for type in first}
    taken = {type.removeprefix("failed:").encode() for type in first if type.startswith("failed:")}
    return (set() if b"" in taken else taken) if taken else None


def shape(contract: dict[str, Any]) -> Any:
    takes = [set(types) for types in contract["takes"]]
    return contract["forms"], takes, set(contract["of"])


def identity(contract: dict[str, Any]) -> str:
    value = system_records.CONTRACT.encode({**contract, "replaces": ""})
    return blake2b(value, digest_size=16).hexdigest()


def sound(contract: dict[str, Any]) -> bool:
    """Section 7."""
    takes, forms = contract["takes"], contract["forms"]
    if not 1 <= len(contract["reactor"].encode()) <= 255 or len(forms) != len(takes):
        return False
    if contract["state"] not in ("active", "retired_drop", "retired_keep"):
        return False
    if contract["renames"] and contract["state"] != "active":
        return False
    if bool(contract["each"]) is not (forms == ["list"]):
        return False
    if contract["enough"] < 0 or contract["within"] < 0 or contract["deadline"] < 0:
        return False
    if forms == ["failed"]:
        return True
    if forms in (["list"], ["child_done"], ["child_failed"], ["either"]):
        return takes != [[]]
    sets = [set(types) for types in takes]
    disjoint = all(not a & b for i, a in enumerate(sets) for b in sets[:i])
    return bool(forms) and all(form == "event" for form in forms) and all(sets) and disjoint
