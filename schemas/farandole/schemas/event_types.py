"""`EventTypes`: the events of one choreography, to bytes and back."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from .avro import Derived, Misfit, derive
from .errors import DeclarationError, EncodingError, FarandoleError, UndecodableValue
from .event import Event
from .info import event_info
from .names import MAX_WIRE_NAME, check_choreography
from .payload import PayloadCodec, PayloadContext
from .recorded import OldSchema, read_old_schema
from .schema_numbers import MAGIC, Strangers
from .single_object import HEAD, MARK, MAX_VALUE_BYTES, fingerprint_in

_new: Final = tuple.__new__


class Encoded(NamedTuple):
    """An event as bytes."""

    value: bytes
    """Single-object encoding, through the payload codec if there is one."""
    schema: bytes
    """The fingerprint of its schema, for the header."""
    coded: bool
    """Whether a payload codec was used, for the header."""


class _Known(NamedTuple):
    cls: type[Event]
    derived: Derived
    head: bytes


class EventTypes:
    """The event classes of one choreography by their names on the wire, and the codec of their values."""

    def __init__(
        self,
        prefix: str,
        events: Iterable[type[Event]],
        codec: PayloadCodec | None = None,
        *,
        max_bytes: int = MAX_VALUE_BYTES,
        reads: Collection[type[Event]] = (),
        service: str = "",
        binds: bool = False,
    ) -> None:
        """
        Args:
            prefix: the choreography's name.
            events: concrete event classes.
            codec: what values pass through on their way to and from the log.
            max_bytes: the largest value, without the codec, that is read or written.
            reads: those of them that are only read with. They need no more fields than are looked at.
            service: who reads.
            binds: whether those who write have to heed what it needs, as they must if it has reactors at work.

        Raises:
            DeclarationError: two events have one name, one is abstract, or Avro cannot say a field.
        """
        check_choreography(prefix)
        self.prefix = prefix
        self.codec = codec
        self.max_bytes = max_bytes
        self.service = service
        self.binds = binds
        self.strangers = Strangers()
        self._names: dict[type[Event], str] = {}
        self._known: dict[str, _Known] = {}
        self._old: dict[bytes, OldSchema] = {}
        self._by_class: dict[type[Event], _Known] = {}
        self._own: dict[bytes, str] = {}
        self._reads: set[type[Event]] = set()
        for cls in events:
            self.add(cls, reads=cls in reads)

    def only_reads(self, cls: type[Event] | None) -> bool:
        """Whether no event of this class is written here."""
        return cls in self._reads

    def add(self, cls: type[Event], *, reads: bool = False) -> None:
        """Take in one more event class. One that is there already stays as it is, unless it was only read and is no more.

        Its schema has to be in the catalogue before an event of it is written: `catalogue.acquaint` does both.

        Raises:
            DeclarationError: another event has its name, it is abstract, or Avro cannot say a field.
        """
        if cls in self._by_class:
            if not reads:
                self._reads.discard(cls)
            return
        info = event_info(cls)
        if info.abstract:
            raise DeclarationError(f"{self.prefix}: {cls.__name__} is not an event of its own; name the events")
        name = f"{self.prefix}.{info.name}"
        if len(name.encode()) > MAX_WIRE_NAME:
            raise DeclarationError(
                f"{self.prefix}: the name of {cls.__name__} is longer than {MAX_WIRE_NAME} bytes on the wire; give it name="
            )
        other = self._known.get(name)
        if other is not None and other.cls is not cls:
            raise DeclarationError(
                f"{self.prefix}: two events are named '{info.name}': {_place(other.cls)} and {_place(cls)}; "
                "give one of them name="
            )
        derived = derive(cls, name, info.version, info.kind, info.deadline)
        self._names[cls] = name
        known = self._known[name] = self._by_class[cls] = _Known(cls, derived, MARK + derived.fingerprint)
        self._own[derived.fingerprint] = known.derived.text
        if reads:
            self._reads.add(cls)

    def __iter__(self) -> Iterator[type[Event]]:
        return iter(self._by_class)

    def __contains__(self, cls: object) -> bool:
        return cls in self._by_class

    def __len__(self) -> int:
        return len(self._by_class)

    def wire_name(self, cls: type[Event]) -> str:
        """An event's name in the log, such as ``orders.PaymentTaken``.

        Raises:
            DeclarationError: it is none of this choreography's events.
        """
        try:
            return self._names[cls]
        except KeyError:
            raise DeclarationError(
                f"{self.prefix}: {cls.__name__} is none of its events; take or return it in one of its reactors, or "
                f"make it known: {self.prefix}.know({cls.__name__})"
            ) from None

    def type_of(self, wire_name: str) -> type[Event] | None:
        """The class of a name in the log; None for a name of others."""
        known = self._known.get(wire_name)
        return None if known is None else known.cls

    def schema_of(self, cls: type[Event]) -> bytes:
        """The fingerprint of the schema that an event is written with.

        Raises:
            DeclarationError: it is none of this choreography's events.
        """
        return self._known[self.wire_name(cls)].derived.fingerprint

    def encode(self, event: Event, context: PayloadContext | None = None) -> Encoded:
        """An event as bytes. ``context`` is needed if there is a payload codec; its schema is filled in here.

        Raises:
            EncodingError: a field cannot be written as its type says.
            DeclarationError: it is none of this choreography's events.
        """
        known = self._by_class.get(type(event))
        if known is None:
            self.wire_name(type(event))
            raise DeclarationError(f"{self.prefix}: {type(event).__name__} is none of its events")
        derived = known.derived
        try:
            encode = derived.node.encode
            value = derived.binary.write(known.head, encode(event) if encode else event)
        except Misfit as e:
            raise EncodingError(f"{derived.name}: {e}") from e
        except Exception as e:
            raise EncodingError(f"{derived.name}: it cannot be written as its types say ({type(e).__name__})") from e
        if len(value) > self.max_bytes:
            raise EncodingError(
                f"{derived.name}: it takes {len(value)} bytes, more than {self.max_bytes}; keep large data elsewhere "
                "and put its address in the event"
            )
        if self.codec is None:
            return _new(Encoded, (value, derived.fingerprint, False))
        return Encoded(
            self.seal(value, _needed(context)._replace(schema=derived.fingerprint)), derived.fingerprint, True
        )

    def decode(
        self, wire_name: str, value: bytes, *, coded: bool = False, context: PayloadContext | None = None
    ) -> Event:
        """The event of recorded bytes. Those of older schemas and versions become events of today's class.

        Args:
            wire_name: the record's type.
            coded: the record's flag: whether it went through a payload codec.
            context: needed if it did; with the schema of the record's header.

        Raises:
            UndecodableValue: it cannot be read; the message says why and what to do, and holds no field's value.
        """
        known = self._known.get(wire_name)
        if known is None:
            raise UndecodableValue(
                f"{wire_name} is no event that {self.prefix} declares here; deploy the code that does"
            )
        if coded:
            value = self.unseal(value, context)
        derived = known.derived
        try:
            if value[:HEAD] == known.head and len(value) <= self.max_bytes:
                decode = derived.node.decode
                datum = derived.binary.read(value, HEAD)
                event = decode(datum) if decode else datum
            elif value[:1] == MAGIC:
                return self.decode(wire_name, self._plain(wire_name, value))
            else:
                fingerprint = fingerprint_in(value, self.max_bytes)
                event = self._old_schema(known, fingerprint).event(derived, event_info(known.cls).upcasters, value)
        except Misfit as e:
            raise UndecodableValue(f"{wire_name}: {e}") from e
        except FarandoleError:
            raise
        except Exception as e:
            raise UndecodableValue(
                f"{wire_name}: its bytes cannot be read as its schema says ({type(e).__name__})"
            ) from e
        if not isinstance(event, known.cls):
            raise UndecodableValue(
                f"{wire_name}: it was read as a {type(event).__name__}; a validator changes its type"
            )
        return event

    def _plain(self, wire_name: str, value: bytes) -> bytes:
        """A value that another program wrote for a schema registry, as ours are."""
        try:
            return self.strangers.plain(value)
        except UndecodableValue as e:
            raise UndecodableValue(f"{wire_name}: {e}") from None

    def _old_schema(self, known: _Known, fingerprint: bytes) -> OldSchema:
        old = self._old.get(fingerprint)
        name, version = known.derived.name, known.derived.version
        if old is None:
            raise UndecodableValue(
                f"{name}: it was written with schema {fingerprint.hex()}, which the catalogue did not name when it was "
                "last read; read it again, and check that the writer registered its events"
            )
        if old.name != name:
            raise UndecodableValue(f"{name}: it was written as a {old.name}")
        if old.version > version:
            raise UndecodableValue(
                f"{name}: it is of version {old.version}, and this process knows versions up to {version}; deploy the "
                "newer code here, then retry"
            )
        return old

    def seal(self, value: bytes, context: PayloadContext) -> bytes:
        """Bytes through the payload codec; as they are if there is none.

        Raises:
            EncodingError: the codec failed.
        """
        if self.codec is None:
            return value
        try:
            return self.codec.encode(value, context)
        except FarandoleError:
            raise
        except Exception as e:
            raise EncodingError(f"{context.type}: payload codec {type(self.codec).__name__} failed to encode") from e

    def unseal(self, value: bytes, context: PayloadContext | None) -> bytes:
        """Bytes back through the payload codec, of a record that says it went through one.

        Raises:
            UndecodableValue: there is no codec, or it failed.
        """
        if self.codec is None:
            raise UndecodableValue(
                f"the value went through a payload codec, and {self.prefix} has none here; give it the one that the "
                "writer has"
            )
        context = _needed(context)
        try:
            return self.codec.decode(value, context)
        except FarandoleError:
            raise
        except Exception as e:
            raise UndecodableValue(f"{context.type}: payload codec {type(self.codec).__name__} failed to decode") from e

    def own_schemas(self) -> Mapping[bytes, str]:
        """The schemas that these classes write, as JSON, by fingerprint."""
        return MappingProxyType(self._own)

    def learn(self, fingerprint: bytes, schema: str) -> None:
        """Take note of a schema from the catalogue, so that what was written with it can be read.

        Raises:
            UndecodableValue: it is no schema of an event, has another fingerprint, or could be used to exhaust readers.
        """
        if not self.knows(fingerprint):
            self._old[bytes(fingerprint)] = read_old_schema(bytes(fingerprint), schema)

    def knows(self, fingerprint: bytes) -> bool:
        """Whether values of this schema can be read."""
        return fingerprint in self._own or fingerprint in self._old

    def schemas(self) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
        """Name on the wire, fingerprint and Avro schema of each event."""
        for name, known in self._known.items():
            yield name, known.derived.fingerprint, known.derived.schema


def _needed(context: PayloadContext | None) -> PayloadContext:
    if context is None:
        raise EncodingError("a payload codec needs the context of the value; pass context=")
    return context


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
