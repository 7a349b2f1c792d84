"""What every reader works out again from the same bytes, worked out once: it takes half of a world's time otherwise.

Only pure functions of the product are remembered, and what they return is never changed by anybody.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from farandole.projections.fold import contracts
from farandole.projections.fold import fold as folding
from farandole.schemas import system_records
from farandole.schemas.envelope import Envelope

Headers = tuple[tuple[str, bytes], ...]


class Fields(dict[str, Any]):
    """The fields of a contract record, and the contract that they are, once somebody read it."""

    contract: contracts.Contract | None = None


_decode = system_records.CONTRACT.decode
_read = contracts.Contract.read
_contract_id = contracts.contract_id
_unpack = folding.unpack

_fields: dict[bytes, Fields] = {}
_ids: dict[str, str] = {}


def _decoded(value: bytes | None) -> dict[str, Any]:
    found = None if value is None else _fields.get(value)
    if found is None:
        found = Fields(_decode(value))
        _fields[value or b""] = found
    return found


def _contract(content: Mapping[str, Any]) -> contracts.Contract:
    if not isinstance(content, Fields):
        return _read(content)
    if content.contract is None:
        content.contract = _read(content)
    return content.contract


def _id(content: Mapping[str, Any]) -> str:
    key = repr(content)
    found = _ids.get(key)
    if found is None:
        found = _ids[key] = _contract_id(content)
    return found


@contextmanager
def remembered() -> Iterator[None]:
    """Contracts for as long as the process lives, for the releases are few; headers for as long as the world."""
    envelopes: dict[Iterable[tuple[str, bytes]], Envelope] = {}

    def unpacked(headers: Headers) -> Envelope:
        found = envelopes.get(headers)
        if found is None:
            found = envelopes[headers] = _unpack(headers)
        return found

    with ExitStack() as stack:
        stack.enter_context(patch.object(folding, "unpack", unpacked))
        stack.enter_context(patch.object(system_records.CONTRACT, "decode", _decoded))
        stack.enter_context(patch.object(contracts.Contract, "read", _contract))
        stack.enter_context(patch.object(contracts, "contract_id", _id))
        yield
