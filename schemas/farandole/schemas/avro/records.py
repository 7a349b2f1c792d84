"""Records: pydantic models, dataclasses, typed dicts and named tuples."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typing_extensions import is_typeddict

from .containers import within
from .enums import NAME
from .node import Misfit, Node, Unsayable

MISSING: Any = object()
"""No default."""


@dataclass(frozen=True, slots=True)
class Member:
    """A field as its class declares it."""

    name: str
    annotation: Any
    metadata: tuple[Any, ...] = ()
    default: Any = MISSING
    factory: Any = None
    """Makes the default, if it is made anew each time."""
    doc: str | None = None


class Shape(NamedTuple):
    """A class that is written as a record."""

    cls: Any
    members: list[Member]
    fields_of: Callable[[Any], Mapping[str, Any]]
    make: Callable[[dict[str, Any]], Any]
    types: tuple[type, ...]


def shape_of(cls: Any) -> Shape | None:
    """The shape of a class that can be a record, or None.

    Raises:
        Unsayable: it could, but would lose something.
    """
    bare = get_origin(cls) or cls
    if not isinstance(bare, type):
        return None
    if issubclass(bare, BaseModel):
        return _model(cls)
    if is_typeddict(bare):
        return _typed_dict(cls)
    if dataclasses.is_dataclass(bare):
        return _dataclass(cls)
    if issubclass(bare, tuple) and hasattr(bare, "_fields"):
        return _named_tuple(cls)
    return None


def _model(cls: type[BaseModel]) -> Shape:
    if cls.model_config.get("extra") == "allow":
        raise Unsayable(f"{cls.__name__} allows extra fields, which no schema names", "give it a field of type Json")
    if not cls.__pydantic_complete__:
        cls.model_rebuild()
    members = []
    for name, info in cls.model_fields.items():
        if info.exclude:
            raise Unsayable("a field with exclude=True would be lost", "leave exclude out", f".{name}")
        members.append(_member(name, info))
    validate = cls.__pydantic_validator__.validate_python
    aliased = any(info.validation_alias is not None for info in cls.model_fields.values())

    def by_name(fields: dict[str, Any]) -> Any:
        return validate(fields, by_name=True, by_alias=False)

    return Shape(cls, members, vars, by_name if aliased else validate, (cls,))


def _member(name: str, info: FieldInfo) -> Member:
    return Member(
        name,
        info.annotation,
        tuple(info.metadata),
        MISSING if info.default is PydanticUndefined else info.default,
        info.default_factory,
        info.description,
    )


def _dataclass(cls: Any) -> Shape:
    hints = get_type_hints(get_origin(cls) or cls, include_extras=True)
    parameters = getattr(get_origin(cls), "__parameters__", ())
    given = dict(zip(parameters, get_args(cls), strict=False))
    members = []
    for f in dataclasses.fields(get_origin(cls) or cls):
        if not f.init:
            raise Unsayable(
                "a dataclass field with init=False cannot be read back", "use a pydantic model", f".{f.name}"
            )
        default = MISSING if f.default is dataclasses.MISSING else f.default
        factory = None if f.default_factory is dataclasses.MISSING else f.default_factory
        hint = given.get(hints[f.name], hints[f.name])
        if isinstance(default, FieldInfo):
            info = default
            member = dataclasses.replace(_member(f.name, info), annotation=hint)
        else:
            member = Member(f.name, hint, (), default, factory)
        members.append(member)
    names = tuple(m.name for m in members)
    adapter = TypeAdapter(cls)
    return Shape(cls, members, _attributes(names), adapter.validate_python, (get_origin(cls) or cls,))


def _typed_dict(cls: Any) -> Shape:
    bare = get_origin(cls) or cls
    if bare.__optional_keys__:
        optional = ", ".join(sorted(bare.__optional_keys__))
        raise Unsayable(
            f"Avro cannot leave out keys of {bare.__name__} ({optional})", "make them required, with | None"
        )
    hints = get_type_hints(bare, include_extras=True)
    members = [Member(name, hint) for name, hint in hints.items()]
    return Shape(cls, members, dict, TypeAdapter(cls).validate_python, (dict,))


def _named_tuple(cls: Any) -> Shape:
    bare = get_origin(cls) or cls
    hints = get_type_hints(bare, include_extras=True)
    defaults = bare._field_defaults
    members = [Member(name, hints[name], (), defaults.get(name, MISSING)) for name in bare._fields]
    adapter = TypeAdapter(cls)

    def make(fields: dict[str, Any]) -> Any:
        return adapter.validate_python(bare(**fields))

    return Shape(cls, members, bare._asdict, make, (bare,))


def _attributes(names: tuple[str, ...]) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {name: getattr(value, name) for name in names}


def fill(node: Node, shape: Shape, fields: dict[str, Node]) -> None:
    """Give a record's node its conversions, now that those of its fields are known."""
    cls = get_origin(shape.cls) or shape.cls
    exact = shape.types[0]
    fields_of, make = shape.fields_of, shape.make
    writes = [(name, f.encode) for name, f in fields.items() if f.encode]
    reads = [(name, f.decode) for name, f in fields.items() if f.decode]
    lifts = {name: f.lift for name, f in fields.items()}

    def encode(value: Any) -> Any:
        if type(value) is not exact:
            raise Misfit(f"holds a {type(value).__name__}, but its type says {cls.__name__}; name both in a union")
        found = fields_of(value)
        if writes:
            found = dict(found)
            for name, convert in writes:
                try:
                    found[name] = convert(found[name])
                except Exception as e:
                    raise within(e, f".{name}") from e.__cause__
        return found

    def decode(datum: dict[str, Any]) -> Any:
        for name, convert in reads:
            try:
                datum[name] = convert(datum[name])
            except Exception as e:
                raise within(e, f".{name}") from e.__cause__
        try:
            return make(datum)
        except ValidationError as e:
            raise _invalid(e) from None

    def lift(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        known = {}
        for name, old in value.items():
            if name in lifts:
                convert = lifts[name]
                try:
                    known[name] = old if convert is None else convert(old)
                except Exception as e:
                    raise within(e, f".{name}") from e.__cause__
        try:
            return make(known)
        except ValidationError as e:
            raise _invalid(e) from None
        except TypeError as e:
            raise Misfit(f"lacks fields of {cls.__name__}") from e

    node.encode, node.decode, node.lift = encode, decode, lift


def _invalid(error: ValidationError) -> Misfit:
    # Neither the input nor pydantic's text, which may quote it, not even in a traceback: only the kind and the place.
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
    more = f", and {error.error_count() - 1} more" if error.error_count() > 1 else ""
    return Misfit(f"does not pass the checks of its type ({first['type']}{more})", path)


def check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Unsayable(
            "Avro cannot say this name", "name fields in ASCII letters, digits and _, not beginning with a digit",
            f".{name}",
        )  # fmt: skip


def record_name(cls: Any) -> str:
    """The name of a nested record: its ``title`` if that can be a name (keep it when the class is renamed), or its
    class's, with ``Page[Item]`` as ``Page_Item``.
    """
    bare = get_origin(cls) or cls
    config = getattr(bare, "model_config", None)
    title = cast(Mapping[str, Any], config).get("title") if isinstance(config, dict) else None
    if isinstance(title, str) and NAME.fullmatch(title):
        return title
    name = str(bare.__name__) + "".join(f"_{getattr(arg, '__name__', arg)}" for arg in get_args(cls))
    return "".join(c if (c.isascii() and c.isalnum()) or c == "_" else "_" for c in name).strip("_") or "Record"
