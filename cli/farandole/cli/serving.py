"""`serve` and `token`: the dashboard, and who may come in."""

import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farandole.eventstore import without_secrets
from farandole.schemas.access import told_secret

from .errors import CliError
from .logs import set_up
from .options import Format, Level
from .output import Output
from .running import Target, answering, existing_log

if TYPE_CHECKING:
    from farandole.dashboard import Role, Settings

log = logging.getLogger("farandole.dashboard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How the command line wants the dashboard to be reached."""

    host: str
    port: int
    tokens: str | None
    oidc_issuer: str | None
    oidc_client: str
    oidc_name: str
    oidc_roles: str
    trust_proxy: Sequence[str]
    roles: Sequence[str]
    everybody: str | None
    https: bool
    tls_cert: str | None
    tls_key: str | None
    host_names: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Which projections of the app are kept in the same process.

    Attributes:
        every: all that it declares.
        only: else those of these names.
        archive: where records are that have left the log.
    """

    every: bool = False
    only: Sequence[str] = ()
    archive: Path | None = None


async def serve(
    target: Target, db: str, asked: Asked, own: Own, *, keep: int | None, log_level: Level, log_format: Format | None
) -> int:
    """Serve until SIGTERM or SIGINT."""
    set_up(log_level, log_format)
    _needed()
    from farandole.dashboard.serving import serve as serve_dashboard
    from farandole.dashboard.serving import settle
    from farandole.reactors.attach import attach

    settings = settings_of(asked)
    settle()
    with existing_log():
        async with answering(target.store):
            await (await attach(target.choreography, target.store)).close()
    if not target.choreography.events:
        log.info("served without the app's code: nothing can be started, sent or answered here")

    def ready(url: str) -> None:
        log.info("serving %s at %s on %s", target.choreography.name, without_secrets(target.store), url)

    async with _kept(target, db, own) as trouble:
        await serve_dashboard(target.choreography, target.store, db, settings, keep=keep, ready=ready, trouble=trouble)
    return 0


@asynccontextmanager
async def _kept(target: Target, db: str, own: Own) -> AsyncIterator[Callable[[], str | None]]:
    """Keep the app's own projections, if they are wanted; gives what says why some are not at work.

    Raises:
        CliError: the app declares none, or none of that name.
    """
    if not own.every and not own.only:
        yield lambda: None
        return
    from .declared import at_work, declared
    from .projecting import opened

    if own.every and not target.choreography.projections:
        raise CliError(
            f"'{target.choreography.name}' declares no projection; leave --projections out, or name the app that does"
        )
    async with (
        opened(target, db) as (store, database),
        declared(target, store, database, only=() if own.every else own.only, archive=own.archive) as projectors,
        at_work(projectors) as trouble,
    ):
        log.info("keeping projections: %s", ", ".join(each.tables.name for each in projectors))
        yield trouble


def settings_of(asked: Asked) -> "Settings":
    """How the dashboard is reached.

    Raises:
        CliError: it is not said as it must be, or would be open to others.
    """
    from farandole.dashboard import DashboardMisconfigured, Oidc, Proxy, Role, Settings, Tokens

    everybody = None if asked.everybody is None else Role[asked.everybody.upper()]
    roles = _roles(asked.roles)
    more: dict[str, Any] = {} if (secret := _secret("FARANDOLE_SECRET")) is None else {"secret": secret}
    try:
        if asked.oidc_issuer:
            more["oidc"] = Oidc(
                issuer=asked.oidc_issuer, client_id=asked.oidc_client, client_secret=_secret("FARANDOLE_OIDC_SECRET") or "",
                name_claim=asked.oidc_name, roles_claim=asked.oidc_roles, roles=roles, everybody=everybody,
            )  # fmt: skip
        if asked.trust_proxy:
            more["proxy"] = Proxy(networks=tuple(asked.trust_proxy), roles=roles, everybody=everybody)
        return Settings(
            host=asked.host, port=asked.port, tokens=Tokens.named(asked.tokens) if asked.tokens else Tokens(),
            https=asked.https, hosts=tuple(asked.host_names), tls_cert=asked.tls_cert, tls_key=asked.tls_key, **more,
        )  # fmt: skip
    except DashboardMisconfigured as e:
        raise CliError(str(e)) from e


def make_token(name: str, role: str, also: Sequence[str], until: str | None, file: str | None, out: Output) -> int:
    """Make a token, and show it once."""
    _needed()
    from farandole.dashboard import DashboardMisconfigured, Role
    from farandole.dashboard.auth.tokens import make

    try:
        shown, kept = make(name, Role[role.upper()], also, None if until is None else date.fromisoformat(until))
    except DashboardMisconfigured as e:
        raise CliError(str(e)) from e
    except ValueError:
        raise CliError(f"--until takes a day, as 2027-01-31, not {until!r}") from None
    if file is not None:
        _append(Path(file), kept.line())
    if out.as_json:
        out.document({"token": shown, "line": kept.line(), "file": file})
        return 0
    out.print(shown, soft_wrap=True)
    if file is None:
        out.print(f"It is not shown again. For the file of --tokens:\n{kept.line()}", soft_wrap=True)
    else:
        out.print(f"It is not shown again. Its hash is in {file}, which a server reads again when it changes.")
    return 0


def _append(path: Path, line: str) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(("\n" if _is_open_ended(path) else "") + line + "\n")
    except OSError as e:
        raise CliError(f"{path}: {e.strerror}") from e


def _is_open_ended(path: Path) -> bool:
    """Whether the last line of a file is not ended, as some editors leave it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        return file.read() not in (b"", b"\n")


def _needed() -> None:
    try:
        import farandole.dashboard  # noqa: F401
    except ImportError as e:
        raise CliError(str(e)) from e


def _roles(said: Sequence[str]) -> "dict[str, Role]":
    from farandole.dashboard.callers import ROLES

    found = {}
    for each in said:
        group, equals, role = each.rpartition("=")
        if not equals or not group or role not in ROLES:
            raise CliError(f"--role takes GROUP=ROLE with one of {', '.join(ROLES)}, not {each!r}")
        found[group] = ROLES[role]
    return found


def _secret(name: str) -> str | None:
    try:
        return told_secret(os.environ, name) or None
    except ValueError as e:
        raise CliError(str(e)) from None
