"""What handlers are given besides events: made once a worker by `@provide`, closed when it has stopped."""

import asyncio
import inspect
import types
import typing
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, NewType, TypeVar

from farandole.eventstore import EventStore
from farandole.projections.annotations import expand, members, resolve, shown
from farandole.projections.state import State
from farandole.schemas import DeclarationError

from .annotations.kinds import is_event, is_providable
from .annotations.read import check_callable, is_coroutine_function
from .annotations.returns import awaited
from .inputs import ChildDone, ChildFailed, Failed
from .outputs import After, Ask, Child
from .run import Run
from .step import Step

T = TypeVar("T")

_LIVES = (AsyncIterator, AsyncGenerator, Iterator, Generator)
AT_HAND: Final = frozenset({EventStore})
"""What a worker has anyhow, and providers may take: its log."""
_MEANINGS = (Step, Run, State, Failed, ChildDone, ChildFailed, After, Ask, Child)


@dataclass(frozen=True, slots=True, eq=False)
class Provider(Generic[T]):
    """A function that makes what handlers ask for by type.

    Attributes:
        where: how messages name it, ``orders.bank``.
        fn: the function.
        provides: the type or NewType that it is found by.
        needs: what it takes itself: parameter to type.
        lives: it yields, and what follows the yield closes what it made.
    """

    where: str
    fn: Callable[..., Any]
    provides: Any
    needs: Mapping[str, Any]
    lives: bool


def read_provider(fn: Callable[..., Any], choreography: str) -> Provider[Any]:
    """Read a function as a provider.

    Raises:
        DeclarationError: it is not annotated, or provides or takes what cannot be provided.
    """
    where = f"{choreography}.{getattr(fn, '__name__', type(fn).__name__)}"
    check_callable(fn, where, "provider")
    resolved = resolve(fn, where)
    if resolved.returns is inspect.Parameter.empty:
        raise DeclarationError(f"{where}: says not what it provides; annotate what it returns or yields")
    provides, lives = _provided(resolved.returns, where)
    inner = inspect.unwrap(fn)
    if not lives and (inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner)):
        raise DeclarationError(f"{where}: it yields, so annotate it -> AsyncIterator[{shown(provides)}]")
    needs: dict[str, Any] = {}
    for name, parameter in resolved.parameters.items():
        wanted = expand(parameter.annotation, where)
        if not _can_be_asked_for(wanted, where):
            raise DeclarationError(
                f"{where}: '{name}' is {shown(wanted)}; a provider takes only what other providers make"
            )
        needs[name] = wanted
    return Provider(where, fn, provides, types.MappingProxyType(needs), lives)


def _provided(annotation: Any, where: str) -> tuple[Any, bool]:
    annotation, _ = awaited(annotation, where)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    lives = origin in _LIVES and bool(args)
    provides = expand(args[0], where) if lives else expand(annotation, where)
    if not _can_be_asked_for(provides, where):
        raise DeclarationError(
            f"{where}: provides {shown(provides)}, which no handler could ask for; return a class of your own, "
            f"or name it: Url = NewType('Url', str)"
        )
    return provides, lives


def _can_be_asked_for(annotation: Any, where: str) -> bool:
    found = members(annotation, where)
    return any(is_providable(m) for m in found) and all(
        (is_providable(m) and not _has_a_meaning(m)) or m is types.NoneType for m in found
    )


def _has_a_meaning(annotation: Any) -> bool:
    """Whether the type says something else in a signature: an event, context, news, or an outcome."""
    origin = typing.get_origin(annotation) or annotation
    return is_event(origin) or (isinstance(origin, type) and issubclass(origin, _MEANINGS))


def check_providers(providers: Mapping[Any, Provider[Any]]) -> None:
    """Check that what providers take is provided, and that none needs itself.

    Raises:
        DeclarationError: something is missing, or there is a cycle.
    """
    for provider in providers.values():
        for name, wanted in provider.needs.items():
            if wanted not in providers and wanted not in AT_HAND:
                raise missing(provider.where, name, wanted)
    done: set[Any] = set()
    for wanted in providers:
        _check_cycle(wanted, providers, [], done)


def _check_cycle(wanted: Any, providers: Mapping[Any, Provider[Any]], path: list[Any], done: set[Any]) -> None:
    if wanted in path:
        around = " needs ".join(shown(t) for t in [*path[path.index(wanted) :], wanted])
        raise DeclarationError(f"{providers[wanted].where}: {around}; one of them must do without the other")
    if wanted in done:
        return
    for needed in providers[wanted].needs.values():
        if needed in AT_HAND:
            continue
        _check_cycle(needed, providers, [*path, wanted], done)
    done.add(wanted)


def missing(where: str, name: str, wanted: Any) -> DeclarationError:
    """The error for what nobody provides."""
    made, choreography = _shown(wanted), where.partition(".")[0]
    return DeclarationError(
        f"{where}: nothing provides {made} (for '{name}'); write @{choreography}.provide def {name}() -> {made}: ..."
    )


def _shown(wanted: Any) -> str:
    return wanted.__name__ if isinstance(wanted, NewType) else shown(wanted)


class Providers:
    """What the providers of a choreography have made, for one worker: each once, when it is first asked for.

    A provider that yields is opened and closed in a task of its own, so that it may hold task groups and cancel scopes
    open across its ``yield``. One that fails to open is opened anew when it is next asked for.

    Args:
        providers: by what they provide; checked by `check_providers`.
        store: the worker's log, which they may take.
    """

    def __init__(self, providers: Iterable[Provider[Any]], store: EventStore | None = None) -> None:
        self._providers = {provider.provides: provider for provider in providers}
        self._made: dict[Any, Any] = {} if store is None else {EventStore: store}
        self._making: dict[Any, asyncio.Task[Any]] = {}
        self._lives: list[_Life] = []
        self._closed = False

    def replace(self, provider: Provider[T], value: T) -> None:
        """Give ``value`` instead of what ``provider`` would make; it is not closed here.

        Raises:
            DeclarationError: the provider belongs to another choreography, or has made its value already.
        """
        if self._providers.get(provider.provides) is not provider:
            raise DeclarationError(
                f"{provider.where}: it is not a provider of this choreography, so nothing asks for it"
            )
        if provider.provides in self._made or provider.provides in self._making:
            raise DeclarationError(
                f"{provider.where}: it has made its value already; replace it before the first event"
            )
        self._made[provider.provides] = value

    async def supply(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The values for the parameters of one function, made where they were not.

        Args:
            wanted: parameter to type, as in `Signature.provided`.

        Raises:
            DeclarationError: nothing provides a type, or all is closed already.
            Exception: whatever a provider raised.
        """
        made = self._made
        return {name: made[t] if t in made else await self._make(t, name) for name, t in wanted.items()}

    async def close(self) -> None:
        """Close what was made, the last first. What one raises does not keep the others from being closed.

        Raises:
            ExceptionGroup: what providers raised while they closed.
        """
        self._closed = True
        for task in self._making.values():
            task.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)
        errors: list[Exception] = []
        while self._lives:
            try:
                await self._lives.pop().end()
            except Exception as e:
                errors.append(e)
        self._made.clear()
        if errors:
            raise ExceptionGroup("providers failed to close", errors)

    async def __aenter__(self) -> "Providers":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _make(self, wanted: Any, name: str) -> Any:
        provider = self._providers.get(wanted)
        if provider is None:
            raise missing("provide", name, wanted)
        if self._closed:
            raise DeclarationError(f"{provider.where}: the worker has stopped, and what it provided is closed")
        task = self._making.get(wanted)
        if task is None:
            # A task of its own: an attempt that times out must not cut short what other steps wait for.
            task = self._making[wanted] = asyncio.create_task(self._open(provider), name=provider.where)
            task.add_done_callback(lambda done: self._keep(wanted, done))
        return await asyncio.shield(task)

    def _keep(self, wanted: Any, task: "asyncio.Task[Any]") -> None:
        del self._making[wanted]
        if not task.cancelled() and task.exception() is None:
            self._made[wanted] = task.result()

    async def _open(self, provider: Provider[Any]) -> Any:
        arguments = await self.supply(provider.needs)
        if provider.lives:
            life = _Life(provider, arguments)
            value = await life.begin()
            self._lives.append(life)
            return value
        value = provider.fn(**arguments)
        return await value if is_coroutine_function(provider.fn) or inspect.isawaitable(value) else value


class _Life:
    """What one yielding provider made, from its beginning to its end, in one task."""

    def __init__(self, provider: Provider[Any], arguments: Mapping[str, Any]) -> None:
        self._provider = provider
        self._arguments = arguments
        self._over = asyncio.Event()

    async def begin(self) -> Any:
        """Open it, and give what it yields."""
        ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live(ready), name=self._provider.where)
        try:
            await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            raise
        if not ready.done():
            await self._task
        return ready.result()

    async def end(self) -> None:
        """Let it close what it made."""
        self._over.set()
        await self._task

    async def _live(self, ready: "asyncio.Future[Any]") -> None:
        made = self._provider.fn(**self._arguments)
        if isinstance(made, AsyncGenerator):
            async with asynccontextmanager(lambda: made)() as value:
                ready.set_result(value)
                await self._over.wait()
        else:
            with contextmanager(lambda: made)() as value:
                ready.set_result(value)
                await self._over.wait()
