"""What a contract says: sections 6 and 7 of the protocol."""

from hashlib import blake2b
from typing import Any

from farandole.schemas import system_records


def names(contract: dict[str, Any]) -> set[str]:
    """The types whose events a contract subscribes to."""
    return set() if contract["forms"] == ["failed"] else {type for types in contract["takes"] for type in types}


def shape(contract: dict[str, Any]) -> Any:
    takes = [set(types) for types in contract["takes"]]
    return contract["forms"][0], takes, set(contract["of"])


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
    if forms == ["failed"]:
        return True
    sets = [set(types) for types in takes]
    disjoint = all(not a & b for i, a in enumerate(sets) for b in sets[:i])
    return bool(forms) and all(form == "event" for form in forms) and all(sets) and disjoint
