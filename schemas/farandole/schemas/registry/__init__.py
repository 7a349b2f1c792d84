"""Schema registries: numbers for schemas, so that tools which know nothing of Farandole can read its values."""

from .confluent import ConfluentRegistry
from .framing import framed, named_schema, unframed
from .numbers import Numbers
from .port import Registry
from .settings import RegistrySettings, read_registry

__all__ = [
    "ConfluentRegistry",
    "Numbers",
    "Registry",
    "RegistrySettings",
    "framed",
    "named_schema",
    "read_registry",
    "unframed",
]
