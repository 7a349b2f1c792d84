"""Tools: functions, and runs, that a model may call.

A tool is a plain function. What the model gives it are the parameters that can be read from JSON; ``step: Step``,
``run: Run[...]`` and states are what they are to reactors, and what cannot be read from JSON is provided. A model of
settings, say, could be read from JSON: mark it, as ``Annotated[Settings, Provided]``.
"""

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from pydantic import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter
from pydantic_ai.tools import Tool as ToolSchema
from pydantic_ai.tools import ToolDefinition
from pydantic_core import to_json

from farandole.projections import State
from farandole.reactors import Retry, Run, Step
from farandole.schemas import DeclarationError, Duration, End, Start

from .approval import Needs

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


class Approvable:
    """A tool whose calls may need a person's approval."""

    needs_approval: Needs

    def needs(self, called: str) -> Needs:
        """Whether a call needs approval."""
        return self.needs_approval

    @property
    def asks(self) -> bool:
        """Whether a call may need approval."""
        return bool(self.needs_approval)


class Opening(Approvable):
    """A tool that is a run."""

    usd: Decimal | str | None

    @property
    def most(self) -> Decimal:
        """What is set aside for a run."""
        return Decimal(self.usd or 0)


class Provided:
    """Marks a parameter of a tool that is provided, though it could be read from JSON."""


@dataclass(frozen=True, eq=False)
class Tool(Approvable):
    """A function that a model may call, and how its calls are done.

    Attributes:
        fn: the function. Its name and docstring are what the model is told.
        needs_approval: whether a person must allow a call, always or by its arguments.
        retry: how often a call that raised is tried before the model is told. Not tried again: what raises
            Pydantic AI's `ModelRetry` (the model is to call it otherwise) or `ToolFailed`, or `GiveUp`.
        timeout: of one attempt.
        repeat: False: where a worker was lost in the midst of a call, it is not made again, and the model is told that
            nobody knows whether it took effect. For what cannot be told by ``step.key`` that it is the same call.
        concurrency: calls at once in one worker.
        name: instead of the function's.
    """

    fn: Callable[..., Any]
    needs_approval: Needs = False
    retry: Retry = field(default=Retry(attempts=3), kw_only=True)
    timeout: Duration | None = field(default=None, kw_only=True)
    repeat: bool = field(default=True, kw_only=True)
    concurrency: int = field(default=100, kw_only=True)
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.fn.__name__)
        check_name(self.name)
        if not self.repeat and not self.is_async:
            raise DeclarationError(
                f"tool {self.name}: repeat=False is for an async def, which can record that it began"
            )
        object.__setattr__(self, "_read", _read(self.fn, self.name))

    @property
    def is_async(self) -> bool:
        """Whether it is awaited; else it runs in a thread."""
        return inspect.iscoroutinefunction(inspect.unwrap(self.fn))

    @property
    def definition(self) -> ToolDefinition:
        """What the model is told of it."""
        return self._schema.tool_def

    @property
    def given(self) -> Mapping[str, Any]:
        """What the function is given besides its arguments: parameter to type."""
        given: Mapping[str, Any] = self._parts[1]
        return given

    def arguments(self, args: object) -> dict[str, Any]:
        """What the model gave it, as the function takes it.

        Raises:
            pydantic.ValidationError: it does not fit.
        """
        validator = self._schema.function_schema.validator
        read: dict[str, Any] = validator.validate_json(as_json(args))
        return read

    @property
    def _parts(self) -> "tuple[ToolSchema[None], Mapping[str, Any]]":
        parts: tuple[ToolSchema[None], Mapping[str, Any]] = self.__dict__["_read"]
        return parts

    @property
    def _schema(self) -> "ToolSchema[None]":
        return self._parts[0]


@dataclass(frozen=True, eq=False)
class RunTool(Opening):
    """A run that a model may start, as a child of its own: another agent's, or any. What it ends with is the result.

    Attributes:
        start: opens the run. Its fields are the arguments, its docstring what the model is told.
        end: how it ends; a union of them.
        choreography: where it runs; None: in the one that the agent is served in.
        needs_approval: whether a person must allow a call.
        usd: what a run may spend at most, by the budgets of its own agents, in US dollars. So much is set aside of the budget
            of whoever calls; without room for it the call is denied.
        name: of the tool; the choreography's, or the start's in small letters, unless given.
    """

    start: type[Start]
    end: Any
    choreography: str | None = None
    needs_approval: Needs = field(default=False, kw_only=True)
    usd: Decimal | str | None = field(default=None, kw_only=True)
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.choreography or self.start.__name__.lower())
        check_money(self.usd, f"tool {self.name}")
        check_name(self.name)
        for end in typing.get_args(self.end) or (self.end,):
            if not (isinstance(end, type) and issubclass(end, End)):
                raise DeclarationError(f"tool {self.name}: a run ends with an End, which {end!r} is not")

    @property
    def definition(self) -> ToolDefinition:
        """What the model is told of it."""
        schema = self.start.model_json_schema()
        told = schema.pop("description", None)
        return ToolDefinition(name=self.name, description=told, parameters_json_schema=schema)

    def arguments(self, args: object) -> dict[str, Any]:
        """What the model gave, as the start takes it.

        Raises:
            pydantic.ValidationError: it does not fit.
        """
        return {"start": self.opening(args)}

    def opening(self, args: object) -> Start:
        """The event that opens the run."""
        return self.start.model_validate_json(as_json(args))


def tool_of(tool: Any) -> Any:
    """A tool, as it is written in a list of tools: what can be called is one by itself."""
    return Tool(tool) if callable(tool) else tool


def check_money(usd: object, where: str) -> None:
    """Refuse what is no exact amount.

    Raises:
        DeclarationError: it is none.
    """
    if usd is not None and not isinstance(usd, Decimal | str):
        raise DeclarationError(f"{where}: usd={usd!r}: money is a Decimal, or text, as usd='0.50'")


def as_json(args: object) -> str | bytes:
    """Arguments as a model gave them, as JSON."""
    if not args:
        return "{}"
    return args if isinstance(args, str) else to_json(args)


def check_name(name: str) -> None:
    """Refuse a name that no model knows a tool by.

    Raises:
        DeclarationError: it is one.
    """
    if not _NAME.fullmatch(name):
        raise DeclarationError(f"tool {name!r}: a name is of ASCII letters, digits, _ and -, 64 at most; give name=")


def _read(fn: Callable[..., Any], name: str) -> "tuple[ToolSchema[None], Mapping[str, Any]]":
    """What the model is told of a function, and what the function is given besides."""
    inner = inspect.unwrap(fn)
    signature = inspect.signature(inner)
    try:
        hints = typing.get_type_hints(inner, include_extras=True)
    except NameError as e:
        raise DeclarationError(f"tool {name}: annotation '{e.name}' is not defined here yet") from e
    arguments: list[inspect.Parameter] = []
    given: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        if parameter.name not in hints:
            raise DeclarationError(f"tool {name}: parameter '{parameter.name}' has no annotation")
        annotation = hints[parameter.name]
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise DeclarationError(f"tool {name}: tools are called by keyword; no *args, **kwargs or /")
        if _is_given(annotation):
            given[parameter.name] = annotation
        else:
            arguments.append(parameter.replace(annotation=annotation, kind=parameter.KEYWORD_ONLY))

    def told(**_: object) -> None: ...

    described: Any = told
    described.__signature__ = inspect.Signature(arguments)
    described.__annotations__ = {parameter.name: parameter.annotation for parameter in arguments}
    described.__name__, described.__doc__ = name, inner.__doc__
    described.__qualname__, described.__module__ = inner.__qualname__, inner.__module__
    return ToolSchema(described, takes_ctx=False, name=name), given


def _is_given(annotation: Any) -> bool:
    origin = typing.get_origin(annotation) or annotation
    if origin is typing.Annotated:
        return Provided in annotation.__metadata__ or _is_given(annotation.__origin__)
    if isinstance(origin, type) and (origin in (Step, Run) or issubclass(origin, State)):
        return True
    try:
        TypeAdapter(annotation).json_schema()
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError):
        return True
    return False
