"""Events: their classes, their schemas, and their bytes."""

from .catalogue import Table, acquaint, refresh, register
from .compress import Compress
from .durations import Duration, parse_duration
from .edited import with_fields
from .encrypt import Encrypt
from .errors import (
    DeclarationError,
    EncodingError,
    FarandoleError,
    IncompatibleSchema,
    RegistryError,
    RegistryMisconfigured,
    RegistryRefused,
    RegistryUnavailable,
    UndecodableValue,
    UnreadableHeaders,
)
from .event import Answer, End, Event, Signal, Start
from .event_types import Encoded, EventTypes
from .evolution import Mode
from .failure import error_text, failure_fields
from .freeform import Json
from .info import EventInfo, event_info
from .marks import Mark, Marked, Personal, Search, Secret, Used
from .payload import Chain, PayloadCodec, PayloadContext
from .plain_values import PlainValues
from .schema_text import SchemaText
from .system import SystemSchema
from .upcast import upcast
from .usage import Usage

__all__ = [
    "Answer",
    "Chain",
    "Compress",
    "DeclarationError",
    "Duration",
    "Encoded",
    "EncodingError",
    "Encrypt",
    "End",
    "Event",
    "EventInfo",
    "EventTypes",
    "FarandoleError",
    "IncompatibleSchema",
    "Json",
    "Mark",
    "Marked",
    "Mode",
    "PayloadCodec",
    "PayloadContext",
    "Personal",
    "PlainValues",
    "RegistryError",
    "RegistryMisconfigured",
    "RegistryRefused",
    "RegistryUnavailable",
    "SchemaText",
    "Search",
    "Secret",
    "Signal",
    "Start",
    "SystemSchema",
    "Table",
    "UndecodableValue",
    "UnreadableHeaders",
    "Usage",
    "Used",
    "acquaint",
    "error_text",
    "event_info",
    "failure_fields",
    "parse_duration",
    "refresh",
    "register",
    "upcast",
    "with_fields",
]
