"""Payload codecs: what happens to a value between Avro and the log, such as compression and encryption.

Only values pass through them. Keys, ids, types and schemas stay readable, for the fold and all routing need them.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from .errors import DeclarationError


class PayloadContext(NamedTuple):
    """Where a value belongs. A codec can bind the value to it, so that it is of no use anywhere else."""

    choreography: str
    run_id: str
    event_id: str
    type: str
    """The name on the wire, such as ``orders.PaymentTaken``."""
    schema: bytes = bytes(8)
    """The fingerprint of the value's schema, as in the record's header."""

    def bytes(self) -> bytes:
        """All fields, each with its length before it, so that no two contexts are the same bytes."""
        parts = (
            self.choreography.encode(), self.run_id.encode(), self.event_id.encode(), self.type.encode(), self.schema,
        )  # fmt: skip
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@runtime_checkable
class PayloadCodec(Protocol):
    """Turns the bytes of a value into those that are stored, and back. It must not keep state between calls."""

    def encode(self, value: bytes, context: PayloadContext, /) -> bytes:
        """The bytes to store.

        Raises:
            EncodingError: they cannot be made.
        """
        ...

    def decode(self, value: bytes, context: PayloadContext, /) -> bytes:
        """The bytes that `encode` was given.

        Raises:
            UndecodableValue: they cannot be told, or are not those of this context.
        """
        ...


class Chain:
    """Several codecs as one: encodes by the first, then the second; decodes in the other order.

    Compress before you encrypt, for what is encrypted does not compress: ``Chain(Compress(), Encrypt(...))``.
    """

    def __init__(self, *codecs: PayloadCodec) -> None:
        if not codecs:
            raise DeclarationError("Chain() of no codecs; leave the codec out instead")
        self._codecs: Sequence[PayloadCodec] = codecs

    def __repr__(self) -> str:
        return f"Chain({', '.join(map(repr, self._codecs))})"

    def encode(self, value: bytes, context: PayloadContext, /) -> bytes:
        for codec in self._codecs:
            value = codec.encode(value, context)
        return value

    def decode(self, value: bytes, context: PayloadContext, /) -> bytes:
        for codec in reversed(self._codecs):
            value = codec.decode(value, context)
        return value
