"""A schema as others are told of it."""

from typing import NamedTuple


class SchemaText(NamedTuple):
    """A schema as it stands in the catalogue, and in a schema registry."""

    name: str
    """The record's full name: its type in the log, and its subject in a registry."""
    fingerprint: bytes
    """As it stands in the headers of records."""
    text: str
    """Avro, as JSON."""
