"""The Avro schema of an event class, and the conversions between its instances and fastavro's data.

What each type becomes is tabled in ``docs/events.md``. A class is walked by its annotations, on which pydantic and Avro
must agree; what Avro cannot say is refused with the field and the cure.
"""

import inspect
import json
import types
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

import pydantic
from pydantic import AnyUrl, BaseModel, JsonValue, RootModel, SecretBytes, SecretStr
from pydantic.errors import PydanticUserError
from pydantic.types import EncodedBytes, EncodedStr

from farandole.schemas.errors import DeclarationError
from farandole.schemas.freeform import JSON_MARKER
from farandole.schemas.marks import USAGE, Search, Secret, marks_among

from . import containers, enums, records, scalars, unions
from .annotations import is_alias, peel, said, show
from .binary import Binary, canonical_form, crc64
from .defaults import Inexpressible, avro_default, made_by
from .inline import inline
from .limits import check_schema
from .locate import misfit
from .node import Misfit, Node, Schema, Unsayable

VERSION: Final = "farandole.version"
"""The attribute of a record schema that holds the version of its event."""

_SAME_AS: Final[dict[Any, Any]] = {
    pydantic.AwareDatetime: datetime,
    pydantic.PastDatetime: datetime,
    pydantic.FutureDatetime: datetime,
    pydantic.PastDate: date,
    pydantic.FutureDate: date,
    pydantic.EmailStr: str,
}
_CURES: Final[dict[Any, str]] = {
    Any: "use Json for free-form data",
    object: "use Json for free-form data",
    pydantic.NaiveDatetime: "use datetime or AwareDatetime, with a time zone",
    pydantic.ByteSize: "use int",
    complex: "use a model of two floats",
}
_PLAIN: Final = frozenset({"null", "boolean", "int", "long", "double", "string", "bytes"})
_MODEL: Final = "use a pydantic model, or one of the types that docs/events.md lists"


KIND: Final = "farandole.kind"
"""The attribute of a record schema that says which kind of event it is, unless that is a plain one."""
DEADLINE: Final = "farandole.deadline"
"""Of a start: milliseconds after which its run fails."""


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """All that is needed to write and read the events of one class."""

    name: str
    version: int
    node: Node
    fields: frozenset[str]
    schema: dict[str, Any]
    text: str
    """The schema as compact JSON."""
    fingerprint: bytes
    binary: Binary


def derive(
    cls: type[BaseModel], name: str, version: int, kind: str = "event", deadline: timedelta | None = None
) -> Derived:
    """Derive the schema of an event class.

    Args:
        name: the full name of the record, such as ``orders.PaymentTaken``; nested types are named ``orders.types.X``.
        kind: of the event.
        deadline: of a start.

    Raises:
        DeclarationError: Avro cannot say a type, or one that is named is not defined.
    """
    prefix = name.rpartition(".")[0]
    walk = _Walk(name, f"{prefix}.types." if prefix else "types.")
    try:
        if not cls.__pydantic_complete__:
            cls.model_rebuild()
        shape = records.shape_of(cls)
        if shape is None:
            raise Unsayable(f"{cls!r} is not a model", _MODEL)
        node = walk.record(shape, name)
        schema = inline(node.schema, walk.definitions)
        schema[VERSION] = version
        if kind != "event":
            schema[KIND] = kind
        if deadline is not None:
            schema[DEADLINE] = round(deadline.total_seconds() * 1000)
        check_schema(schema)
    except Unsayable as e:
        raise DeclarationError(f"{name}: {e}" if not e.path else f"{name}, {e}") from e
    except NameError as e:
        raise DeclarationError(
            f"{name}: annotation {e.name!r} is not defined; define it in the module or above, and import it outside "
            "`if TYPE_CHECKING:`"
        ) from e
    except PydanticUserError as e:
        raise DeclarationError(f"{name}: pydantic cannot use one of its types: {str(e).splitlines()[0]}") from e
    fields = frozenset(member.name for member in shape.members)
    text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return Derived(name, version, node, fields, schema, text, fingerprint_of(schema), Binary(schema))


def fingerprint_of(schema: dict[str, Any]) -> bytes:
    """The eight bytes by which a value names its schema.

    CRC-64-AVRO of the Parsing Canonical Form, as Avro has it, for version 1. That form leaves out the version, and two
    versions may have the same fields and mean different things by them. So that a value tells its version, for higher
    ones ``#`` and the version are appended to the form before it is hashed.
    """
    version = schema.get(VERSION, 1)
    return crc64(canonical_form(schema) + (f"#{version}" if version != 1 else ""))


class _Walk:
    """One walk over the types of an event; remembers the named ones."""

    def __init__(self, event: str, namespace: str) -> None:
        self.event = event
        self.namespace = namespace
        self.definitions: dict[str, dict[str, Any]] = {}
        self._known: dict[Any, Node] = {}
        self._names: dict[str, Any] = {}
        self._open: set[int] = set()
        self._secret = False
        """Whether the field that is walked now holds something that pydantic keeps secret."""

    def node(self, annotation: Any, metadata: tuple[Any, ...] = (), *, whole: bool = False) -> Node:
        """
        Args:
            whole: it is all of a field, which is what a mark stands on.
        """
        kind, metadata = peel(annotation, metadata)
        if not whole and (marks := marks_among(metadata)):
            mark = next(iter(marks))
            raise Unsayable(f"{mark!r} stands on a part of it", f"mark the whole field: Annotated[…, {mark!r}]")
        aliased = is_alias(annotation) or is_alias(get_origin(annotation))
        if aliased and annotation is not JsonValue:
            return self._guarded(annotation, lambda: self._node(kind, metadata))
        return self._node(kind, metadata)

    def _node(self, kind: Any, metadata: tuple[Any, ...]) -> Node:
        kind = _SAME_AS.get(kind, kind) if _hashable(kind) else kind
        self._secret = self._secret or kind is SecretStr or kind is SecretBytes
        origin, args = get_origin(kind), get_args(kind)
        if kind is JsonValue or any(item is JSON_MARKER for item in metadata):
            return scalars.json_text()
        if any(isinstance(item, EncodedBytes | EncodedStr) for item in metadata):
            raise Unsayable("a type that decodes what it is given cannot be read back", "use bytes or str")
        if any(isinstance(item, pydantic.Json) for item in metadata):
            raise Unsayable("a type that decodes what it is given cannot be read back", "use Json of farandole.schemas")
        if origin is Union or origin is types.UnionType:
            return unions.union([self.node(arg) for arg in _flat(args)])
        if origin is Literal:
            return unions.union(enums.literal(args))
        if kind is Decimal:
            return _decimal(metadata)
        found = scalars.scalar(kind) if isinstance(kind, type) else None
        if found is None:
            found = self._container(kind, origin or kind, args) or self._class(kind)
        return found

    def _container(self, kind: Any, origin: Any, args: tuple[Any, ...]) -> Node | None:
        if origin in containers.MAPPINGS:
            if len(args) != 2:
                raise Unsayable(f"{show(kind)} does not say what is in it", f"write {show(kind)}[str, X], or Json")
            if self._node(*peel(args[0])).schema != "string" or self._node(*peel(args[0])).types != (str,):
                raise Unsayable(
                    f"Avro cannot say {show(kind)}, for keys are text",
                    f"use dict[str, {show(args[1])}], or a list of a model",
                )
            return containers.mapping(origin, self.node(args[1]))
        if origin not in containers.SEQUENCES:
            return None
        if not args:
            raise Unsayable(f"{show(kind)} does not say what is in it", f"write {show(kind)}[X], or Json")
        if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
            return containers.array(tuple, unions.union([self.node(a) for a in _flat(args)]), length=len(args))
        return containers.array(origin, self.node(args[0]))

    def _class(self, kind: Any) -> Node:
        if _hashable(kind) and kind in self._known:
            return _reference(self._known[kind])
        if isinstance(kind, type) and issubclass(kind, Enum):
            node, definition = enums.enum(kind, self._name(kind, records.record_name(kind)))
            self.definitions[definition["name"]] = definition
            self._known[kind] = node
            return node
        if isinstance(kind, type) and issubclass(kind, AnyUrl):
            node = scalars.primitive("string", kind)
            node.encode, node.decode = str, kind
            return node
        if isinstance(kind, type) and issubclass(kind, RootModel):
            return self._guarded(kind, lambda: self._root(kind))
        shape = records.shape_of(kind)
        if shape is None:
            raise _cannot(kind)
        return _reference(self.record(shape, self._name(kind, records.record_name(kind))))

    def _root(self, kind: type[RootModel[Any]]) -> Node:
        info = kind.model_fields["root"]
        inner = self.node(info.annotation, tuple(info.metadata))
        encode, decode, lift = inner.encode, inner.decode, inner.lift
        validate = kind.__pydantic_validator__.validate_python
        return Node(
            inner.schema,
            (kind,),
            inner.branch,
            inner.datum,
            lambda value: value.root if encode is None else encode(value.root),
            lambda datum: validate(datum if decode is None else decode(datum)),
            lambda value: validate(value if lift is None else lift(value)),
            inner.named,
            inner.branches,
        )

    def record(self, shape: records.Shape, name: str) -> Node:
        """The node of a record; a type met again while it is walked is a reference to it."""
        node = Node(name, shape.types, name, dict, named=True)
        self._known[shape.cls] = node
        definition: dict[str, Any] = {"type": "record", "name": name}
        doc = vars(get_origin(shape.cls) or shape.cls).get("__doc__")
        if doc and issubclass(get_origin(shape.cls) or shape.cls, BaseModel):
            definition["doc"] = inspect.cleandoc(doc)
        fields: dict[str, Node] = {}
        entries: list[dict[str, Any]] = []
        around, self._secret = self._secret, False
        for member in shape.members:
            records.check_name(member.name)
            try:
                fields[member.name] = self.node(member.annotation, member.metadata, whole=True)
                entries.append(self._field(member, fields[member.name]) | self._marks(member, name))
            except Unsayable as e:
                raise e.within(f".{member.name}") from e.__cause__
            self._secret = False
        self._secret = around
        records.fill(node, shape, fields)
        definition["fields"] = entries
        self.definitions[name] = definition
        return node

    def _field(self, member: records.Member, node: Node) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": member.name, "type": node.schema}
        if member.doc:
            entry["doc"] = member.doc
        try:
            value = member.default if member.factory is None else made_by(member.factory)
            if value is records.MISSING:
                return entry
            entry["type"], entry["default"] = self._default(node, value)
        except Inexpressible:
            pass
        return entry

    def _marks(self, member: records.Member, record: str) -> dict[str, bool]:
        kind, metadata = peel(member.annotation, member.metadata)
        marks = marks_among(metadata) | ({Secret} if self._secret else set())
        if Search in marks:
            if Secret in marks:
                raise Unsayable("what is secret cannot be searched for", "leave one of the marks out")
            if record != self.event or not self._is_plain(self.node(kind, whole=True).schema):
                raise Unsayable(
                    "a run is found by text, numbers, dates and the like that its events have as fields of their own",
                    "mark such a field with Search",
                )
        used = next((mark for mark in USAGE if mark in marks), None)
        if used is not None and not self._is_plain(self.node(kind, whole=True).schema):
            raise Unsayable(f"what was used is one number or name, and {used!r} stands on more", "mark such a field")
        return {mark.attribute: True for mark in sorted(marks, key=lambda mark: mark.name)}

    def _is_plain(self, schema: Schema) -> bool:
        """Whether it is one value, or none."""
        if isinstance(schema, list):
            return all(map(self._is_plain, schema))
        if isinstance(schema, str):
            return schema in _PLAIN or self.definitions.get(schema, {}).get("type") == "enum"
        return schema["type"] in _PLAIN and schema.get("logicalType") != "json"

    def _default(self, node: Node, value: Any) -> tuple[Schema, Any]:
        schema = node.schema
        if node.branches and isinstance(schema, list):
            first = unions.branch_of(node, value.root if isinstance(value, RootModel) else value)
            if first is not None:
                # Avro's default is one of the first branch.
                schema = [first.schema, *(branch.schema for branch in node.branches if branch is not first)]
        if node.named and node.schema not in self.definitions:
            raise Inexpressible
        try:
            datum = value if node.encode is None else node.encode(value)
        except Misfit as e:
            raise Unsayable(f"its default does not fit: {e.reason}", "give it a default of its type") from e
        except Exception as e:
            raise Unsayable("its default is not of its type", "give it a default of its type") from e
        wrong = misfit(schema, self.definitions, datum)
        if wrong is not None:
            cure = f"write {show(node.types[0])} | None" if value is None else "give it a default of its type"
            raise Unsayable(f"its default {wrong[1]}", cure)
        return schema, avro_default(datum, schema, self.definitions)

    def _name(self, cls: Any, name: str) -> str:
        full = self.namespace + name
        other = self._names.setdefault(full, cls)
        if other is not cls and other != cls:
            raise Unsayable(
                f"two types in it are named {name}: {_place(other)} and {_place(cls)}",
                "rename one of them, or give it a title in its model_config",
            )
        return full

    def _guarded(self, alias: Any, make: Callable[[], Node]) -> Node:
        if id(alias) in self._open:
            raise Unsayable(f"Avro cannot say {show(alias)}, which contains itself", "use a model that does, or Json")
        self._open.add(id(alias))
        try:
            return make()
        finally:
            self._open.discard(id(alias))


def _reference(node: Node) -> Node:
    # Its conversions may not be known yet, for the type may contain itself.
    return Node(
        node.schema,
        node.types,
        node.branch,
        node.datum,
        lambda value: node.encode(value) if node.encode else value,
        lambda datum: node.decode(datum) if node.decode else datum,
        lambda value: node.lift(value) if node.lift else value,
        named=True,
    )


def _decimal(metadata: tuple[Any, ...]) -> Node:
    digits, places = said(metadata, "max_digits"), said(metadata, "decimal_places")
    if digits is None or places is None:
        return scalars.scalar(Decimal) or scalars.null()
    return scalars.exact_decimal(digits, places)


def _flat(args: tuple[Any, ...]) -> list[Any]:
    found: list[Any] = []
    for arg in args:
        inner, metadata = peel(arg)
        nested = get_origin(inner) in (Union, types.UnionType) and inner is not JsonValue
        apart = nested and not metadata_is_json(metadata) and not marks_among(metadata)
        for kind in _flat(get_args(inner)) if apart else [arg]:
            if kind not in found:
                found.append(kind)
    return found


def metadata_is_json(metadata: tuple[Any, ...]) -> bool:
    return any(item is JSON_MARKER for item in metadata)


def _cannot(kind: Any) -> Unsayable:
    if isinstance(kind, TypeVar):
        return Unsayable(f"Avro cannot say {kind}, a type still open", "fix it, as in class GotInt(Got[int])")
    cure = _CURES.get(kind, _MODEL) if _hashable(kind) else _MODEL
    return Unsayable(f"Avro cannot say {show(kind)}", cure)


def _place(cls: Any) -> str:
    return f"{cls.__module__}.{cls.__qualname__}" if isinstance(cls, type) else str(cls)


def _hashable(kind: object) -> bool:
    try:
        hash(kind)
    except TypeError:
        return False
    return True
