"""One process that keeps the tables, and serves the API, the stream, the pages and its health.

Trouble with the projector does not end it: what the tables have can still be asked for, and ``/readyz`` says what is
wrong.
"""

import asyncio
import contextlib
import gc
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

import uvicorn

from farandole.eventstore import connect
from farandole.projections import Runs
from farandole.projections.runs import Database, Pace, Projector, schema_of
from farandole.projections.runs.metrics import ServerMetrics
from farandole.projections.sql import DatabaseUnavailable
from farandole.reactors import Choreography
from farandole.reactors.attach import attach
from farandole.reactors.tasks import is_being_cancelled
from farandole.schemas import FarandoleError

from .app import create_app
from .desk import Desk
from .errors import DashboardError, DashboardMisconfigured
from .live import Hub
from .settings import Settings

log = logging.getLogger("farandole.dashboard")

_AGAIN: Final = 10.0
_GRACE: Final = 5
_UNREAD: Final = 600_000
"""Milliseconds for which what was sent may stay unread: somebody may look at a page of an export for a while."""
_FRESH: Final = Pace(wait=0.25)


class _Server(uvicorn.Server):
    """Whoever runs it hears the signals.

    Args:
        up: called once it listens.
    """

    def __init__(self, config: uvicorn.Config, up: Callable[[], None]) -> None:
        super().__init__(config)
        self._up = up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._up()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    choreography: Choreography,
    store: str,
    db: str,
    settings: Settings,
    *,
    keep: int | None = None,
    ready: Callable[[str], None] = lambda url: None,
    trouble: Callable[[], str | None] = lambda: None,
) -> None:
    """Serve until cancelled.

    Args:
        choreography: with its code, or of that name only: then nothing can be started, sent or answered.
        keep: milliseconds of log time for which closed runs stay in the tables; None: for ever.
        ready: told where it is served, once it is.
        trouble: says what is wrong with what else is at work in this process; then the server is not ready.

    Raises:
        DashboardMisconfigured: the port is taken.
        DashboardError: the server has ended by itself.
        StoreMisconfigured: the log is not there.
        StoreUnavailable: it cannot be reached.
        DatabaseMisconfigured: the tables are not of this log.
    """
    with listening(settings) as sock:
        async with a_desk(choreography, store, db, keep=keep, streams=settings.streams, trouble=trouble) as desk:
            app = create_app(desk, settings)
            config = uvicorn.Config(
                app, log_config=None, access_log=False, proxy_headers=False, server_header=False, ws="none",
                lifespan="on", timeout_graceful_shutdown=_GRACE, ssl_certfile=settings.tls_cert, ssl_keyfile=settings.tls_key,
            )  # fmt: skip
            server = _Server(config, lambda: ready(_url(sock, settings)))
            serving = asyncio.create_task(server.serve(sockets=[sock]), name="http server")
            try:
                await asyncio.shield(serving)
                raise DashboardError("the HTTP server has ended by itself; its log says why")
            finally:
                server.should_exit = True
                if desk.hub is not None:
                    desk.hub.end()
                await serving


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """The port.

    Raises:
        DashboardMisconfigured: it is taken, or the host is not this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        sock = socket.create_server((settings.host, settings.port), family=family)
    except OSError as e:
        raise DashboardMisconfigured(
            f"{settings.host}:{settings.port} cannot be listened on: {e.strerror or e}; choose another one with --host and --port"
        ) from e
    with contextlib.closing(sock):
        if (patience := getattr(socket, "TCP_USER_TIMEOUT", None)) is not None:
            # Whoever reads nothing is let go of by the kernel, too, which has what was sent last.
            sock.setsockopt(socket.IPPROTO_TCP, patience, _UNREAD)
        yield sock


@asynccontextmanager
async def a_desk(
    choreography: Choreography,
    store: str,
    db: str,
    *,
    keep: int | None = None,
    streams: int = 200,
    trouble: Callable[[], str | None] = lambda: None,
) -> AsyncIterator[Desk]:
    """A desk with a projector of its own.

    Raises:
        StoreMisconfigured: the log is not there.
        StoreUnavailable: it cannot be reached.
        DatabaseMisconfigured: the tables are not of this log.
    """
    choreography.load()
    name = choreography.name
    database = Database(db, schema_of(name))
    try:
        async with await attach(choreography, store) as client, await connect(store, name, create=False) as log_:
            projector = Projector(log_, database, name, codec=choreography.codec, keep=keep, pace=_FRESH)
            keeping = _Keeping(projector)
            runs = Runs(database, name)
            desk = Desk(
                runs=runs, client=client, events=choreography.events, projector=projector, hub=Hub(runs, most=streams, trouble=keeping.trouble),
                trouble=keeping.trouble, beside=trouble,
                metrics=ServerMetrics(runs, store=log_, stopped=lambda: tuple(projector.stopped)),
            )  # fmt: skip
            async with keeping:
                yield desk
    finally:
        database.close()


class _Keeping:
    """The projector at work, whatever it meets."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector
        self._task: asyncio.Task[None] | None = None

    def trouble(self) -> str | None:
        """What is wrong with it."""
        if self._task is not None and self._task.done():
            return "the projector has ended"
        return self._projector.trouble

    async def __aenter__(self) -> None:
        with suppress(DatabaseUnavailable):
            await self._projector.make()
        self._task = asyncio.create_task(self._keep(), name="projector")

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._projector.close()

    async def _keep(self) -> None:
        while True:
            try:
                await self._projector.run()
                why = "the projector has ended"
                log.error("%s; beginning anew in %g s", why, _AGAIN)
            except FarandoleError as e:
                why = f"the projector has stopped: {e}"
                log.error("%s; beginning anew in %g s", why, _AGAIN)
            except Exception as e:
                why = f"the projector has broken down ({type(e).__name__})"
                log.exception("%s; beginning anew in %g s", why, _AGAIN)
            except asyncio.CancelledError:
                if is_being_cancelled():
                    raise
                why = "the projector was cancelled from within"
                log.exception("%s; beginning anew in %g s", why, _AGAIN)
            # Until it is at work again, and not only until it tries.
            self._projector.tell_trouble(why)
            await asyncio.sleep(_AGAIN)


def _url(sock: socket.socket, settings: Settings) -> str:
    host, port = sock.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.tls_cert else 'http'}://{shown}:{port}"


def settle() -> None:
    """What is made is written and let go of, and never waits in a cycle: only where the process is the server's own."""
    gc.set_threshold(50_000, 20, 50)
