"""What records say, as JSON: read by the schema of their writer, without any class, and without what is secret.

Databases take less than logs do: no zero bytes in text, no halves of characters, no numbers that are none. What they
would not take is replaced, so that no event can keep a projector from going on.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic_core import PydanticSerializationError, to_json

from farandole.eventstore import Stored
from farandole.projections.contexts import context_of
from farandole.schemas import (
    EncodingError,
    Marked,
    PayloadCodec,
    Personal,
    PlainValues,
    Search,
    Secret,
    UndecodableValue,
)
from farandole.schemas.catalogue import PREFIX, read_entry
from farandole.schemas.envelope import Envelope, Flag, Kind
from farandole.schemas.single_object import HEAD, MARK
from farandole.schemas.usage import Usage, Usages, usage_in_json

from .calls import told_of

_CODED: Final = int(Flag.CODED)
_SUBSTEP: Final = int(Kind.SUBSTEP)
_MOST_WORDS: Final = 32 * 1024
_MOST_ATTRIBUTE: Final = 256
_GREATEST: Final = 2**63 - 1
_LEAST: Final = -(2**63)
_UNTOLD: Final = frozenset({"traceback", "about", "result"})
"""Fields of system records that nobody searches for."""
_NOTHING_UNTOLD: Final[frozenset[str]] = frozenset()


class Payload(NamedTuple):
    """What one record says."""

    fields: Mapping[str, Any] | None
    """As plain values; None if there are none, or they cannot be read."""
    json: str | None
    """Without what is secret or personal."""
    personal: str | None
    """With what is personal; None if nothing is."""
    problem: str | None
    """Why they cannot."""
    words: str | None
    """All text in it but what is secret or personal."""
    attributes: tuple[tuple[str, str], ...]
    """Fields that a run is found by."""
    usage: tuple[Usage, ...] = ()
    """What it says that was used."""


NOTHING: Final = Payload(None, None, None, None, None, ())


class Payloads:
    """Reads values of one log.

    Args:
        choreography: that of the log.
        codec: what values went through on their way to the log; without it, those that did are not read.
    """

    def __init__(self, choreography: str, codec: PayloadCodec | None = None) -> None:
        self._choreography = choreography
        self._codec = codec
        self._values = PlainValues()
        self._marked = Marked()
        self._usages = Usages()
        self._hidden: frozenset[tuple[str, str]] = frozenset()
        self._private: frozenset[tuple[str, str]] = frozenset()
        self._sought: dict[str, tuple[str, ...]] = {}
        self._known: set[bytes] = set()

    def learn(self, catalogue: Mapping[bytes, bytes]) -> None:
        """Take note of the schemas in the catalogue, and of the marks in them."""
        self._values.learn(catalogue)
        for key, value in catalogue.items():
            if key.startswith(PREFIX):
                try:
                    schema = read_entry(key, value).schema
                except UndecodableValue:
                    continue
                self._marked.learn(schema)
                self._usages.learn(schema)
        self._hidden, self._private = self._marked.fields(Secret), self._marked.fields(Personal)
        sought: dict[str, list[str]] = {}
        for record, field in sorted(self._marked.fields(Search)):
            sought.setdefault(record, []).append(field)
        self._sought = {record: tuple(fields) for record, fields in sought.items()}

    def lacks(self, record: Stored) -> bytes | None:
        """The fingerprint of the schema that a record's value needs, if it is not known."""
        value = record.value
        if value is None or value[:2] != MARK:
            return None
        fingerprint = value[2:HEAD]
        if fingerprint in self._known:
            return None
        if self._values.knows(value):
            self._known.add(fingerprint)
            return None
        return fingerprint

    def read(self, record: Stored, e: Envelope) -> Payload:
        """What a record says, or why that cannot be told."""
        value = record.value
        if value is None:
            return NOTHING
        try:
            if e.flags & _CODED:
                if self._codec is None:
                    return _unread("it went through a payload codec, which this projector does not have")
                value = self._codec.decode(value, context_of(self._choreography, record, e))
            fields = self._values.read(value)
        except (UndecodableValue, EncodingError) as error:
            return _unread(clean(str(error)))
        except Exception as error:
            # A codec is somebody's code, and may raise anything.
            return _unread(f"it cannot be read ({type(error).__name__})")
        if not hasattr(fields, "avro_name"):
            if fields.get("about"):
                return _question(fields, self._words(fields))
            # What a record of this kind holds is asked of nobody before it stands in the log.
            if e.kind == _SUBSTEP and isinstance(fields.get("result"), str):
                return _returned(fields, self._words(fields))
        name = getattr(fields, "avro_name", "")
        sought = self._sought.get(name)
        attributes = () if sought is None else tuple(_attributes(fields, sought))
        words = self._words(fields)
        usage = self._usages.of_event(fields)
        personal = None
        if self._private:
            shown = _without(fields, self._hidden | self._private)
            fields = _without(fields, self._hidden) if self._hidden else fields
            personal, fields = (as_json(fields), shown) if shown != fields else (None, fields)
        elif self._hidden:
            fields = _without(fields, self._hidden)
        return Payload(fields, as_json(fields), personal, None, words, attributes, usage)

    def _words(self, fields: Mapping[str, Any]) -> str | None:
        """All text in a value but what is secret or personal, in order."""
        found: list[str] = []
        self._gather(fields, found, _UNTOLD if not hasattr(fields, "avro_name") else _NOTHING_UNTOLD)
        return plain("\n".join(found)[:_MOST_WORDS]) if found else None

    def _gather(self, value: Mapping[str, Any], found: list[str], untold: frozenset[str]) -> None:
        name = getattr(value, "avro_name", None)
        marked = name is not None and (self._hidden or self._private)
        for key, inner in value.items():
            if inner is None or key in untold:
                continue
            if marked and ((name, key) in self._hidden or (name, key) in self._private):
                continue
            if isinstance(inner, str):
                if inner:
                    found.append(inner)
            elif isinstance(inner, dict):
                self._gather(inner, found, _NOTHING_UNTOLD)
            elif isinstance(inner, list):
                self._gather_all(inner, found)

    def _gather_all(self, values: list[Any], found: list[str]) -> None:
        for inner in values:
            if isinstance(inner, str):
                if inner:
                    found.append(inner)
            elif isinstance(inner, dict):
                self._gather(inner, found, _NOTHING_UNTOLD)
            elif isinstance(inner, list):
                self._gather_all(inner, found)


def _unread(problem: str) -> Payload:
    return Payload(None, None, None, problem, None, ())


def _question(fields: Mapping[str, Any], words: str | None) -> Payload:
    """What people are asked is about a text in which no mark is left: all of it may be personal."""
    return Payload(fields, as_json({**fields, "about": None}), as_json(fields), None, words, ())


def _returned(fields: Mapping[str, Any], words: str | None) -> Payload:
    """What a sub-step returned is such a text too. A call says of itself whether it is secret."""
    told, secret = told_of(fields["result"])
    shown = {**fields, "result": told}
    used = usage_in_json(fields["result"])
    return Payload(shown, as_json(shown), None if secret else as_json(fields), None, words, (), used)


def _without(value: Any, hidden: frozenset[tuple[str, str]]) -> Any:
    """The value with nothing in the place of some fields."""
    if isinstance(value, dict):
        name = getattr(value, "avro_name", None)
        return {key: None if (name, key) in hidden else _without(inner, hidden) for key, inner in value.items()}
    return [_without(inner, hidden) for inner in value] if isinstance(value, list) else value


def _attributes(fields: Mapping[str, Any], sought: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name in sought:
        value = fields.get(name)
        if value is not None:
            yield name, clean(said(value))[:_MOST_ATTRIBUTE]


def said(value: Any) -> str:
    """A value of a field that runs are found by, as it is searched for: what JSON would have, without quotes."""
    if isinstance(value, str):
        return str(value)
    found = as_json(value)
    return json.loads(found) if found[:1] == '"' else found


def as_json(value: Any) -> str:
    """A plain value as JSON: instants in ISO 8601, decimals as text, bytes in base64, and what databases take."""
    try:
        text = to_json(value, bytes_mode="base64", inf_nan_mode="strings", fallback=str).decode()
    except (PydanticSerializationError, UnicodeError, ValueError):
        text = to_json(_mended(value), bytes_mode="base64", inf_nan_mode="strings", fallback=str).decode()
    if "\\u0000" in text:
        text = to_json(_mended(value), bytes_mode="base64", inf_nan_mode="strings", fallback=str).decode()
    return text


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): _mended(inner) for key, inner in value.items()}
    return [_mended(inner) for inner in value] if isinstance(value, list | tuple) else value


def clean(text: str) -> str:
    """Text that every database takes."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def text(name: bytes) -> str:
    """An id or a name: UTF-8 by rule, but nobody checks those that come from outside."""
    found = name.decode(errors="replace")
    return found if "\0" not in found else found.replace("\0", "\ufffd")


def plain(said: str) -> str:
    """Text of somebody's, as databases take it."""
    return said if said.isascii() and "\0" not in said else clean(said)


def bounded(number: int) -> int:
    """A time, or the last one that databases can say: senders may ask for any delay."""
    return number if _LEAST <= number <= _GREATEST else _GREATEST if number > 0 else _LEAST
