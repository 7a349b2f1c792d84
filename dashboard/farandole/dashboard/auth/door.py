"""The door: nothing behind it is answered to somebody whom nobody knows.

Whoever comes is known by a token, by a session that began with a token or with a provider, by what a trusted proxy
says, or, where nobody is asked, by being on this machine. What browsers send by themselves (cookies, addresses) is no
proof that a person meant it: what changes anything must then come from a page of ours.
"""

import hmac
import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from farandole.dashboard.callers import Caller, Role
from farandole.dashboard.errors import Problem
from farandole.dashboard.settings import Settings
from farandole.dashboard.web.problems import answer

from .attempts import Attempts
from .groups import read_groups
from .tokens import caller_of

log = logging.getLogger("farandole.dashboard")

CSRF_HEADER: Final = "X-CSRF-Token"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN: Final = frozenset({"/healthz", "/readyz", "/login"})
_OPEN_BELOW: Final = ("/auth/", "/static/")
_OURS: Final = frozenset({"same-origin", "none"})


class Door:
    """Says who asks (``request.state.caller``), or turns them away.

    Args:
        attempts: who failed to show who they are.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings, attempts: Attempts) -> None:
        self._app = app
        self._settings = settings
        self._attempts = attempts
        self._proxies = [ip_network(each) for each in settings.proxy.networks] if settings.proxy else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            request.state.ip = self._address(request)
            caller = self._caller(request)
            if caller is not None:
                caller = replace(caller, request=request.state.request_id)
            request.state.caller = caller
            if caller is None and not _is_open(request.url.path):
                raise Problem(
                    401,
                    "Who are you?",
                    "This needs a login.",
                    "Send Authorization: Bearer <token>, or log in at /login.",
                )
            if caller is not None and request.method not in _SAFE and not _is_open(request.url.path):
                self._meant(request, caller)
        except Problem as problem:
            await answer(request, problem)(scope, receive, send)
            return
        request.state.csrf = _token_of(request)
        await self._app(scope, receive, send)

    # ── who it is ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _caller(self, request: Request) -> Caller | None:
        ip, settings = request.state.ip, self._settings
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and settings.tokens:
            return self._by_token(shown.strip(), ip)
        if not settings.asks:
            return Caller(name=settings.local, method="loopback", role=Role.ADMINISTER, ip=ip)
        if (found := self._by_session(request.session, ip)) is not None:
            return found
        return self._by_proxy(request, ip)

    def _by_token(self, shown: str, ip: str) -> Caller:
        # A good one is let in whatever others do from the same address: a proxy, or a whole office, has but one.
        token = self._settings.tokens.find(shown)
        if token is None:
            if wait := self._attempts.wait(ip):
                raise Problem(
                    429, "Too many attempts", "Too many tokens from there were not good.", "Wait.", retry_after=wait
                )
            self._attempts.failed(ip)
            log.warning("a token was shown that is not good", extra={"ip": ip})
            raise Problem(
                401, "Who are you?", "The token is not known, or its time is over.", "Get one: farandole token NAME"
            )
        return caller_of(token, ip)

    def _by_session(self, session: Mapping[str, Any], ip: str) -> Caller | None:
        match session.get("by"):
            case "token":
                token = self._settings.tokens.known(str(session.get("hash", "")))
                return None if token is None else caller_of(token, ip)
            case "oidc" if self._settings.oidc is not None:
                further = frozenset(map(str, session.get("further", ())))
                return Caller(
                    name=str(session["name"]), method="oidc", role=Role(session["role"]), further=further, ip=ip
                )
        return None

    def _by_proxy(self, request: Request, ip: str) -> Caller | None:
        proxy = self._settings.proxy
        if proxy is None or not self._is_proxy(_peer(request)):
            return None
        name = _only(request, proxy.user_header)
        if not name:
            return None
        groups = [each.strip() for each in _only(request, proxy.roles_header).split(",") if each.strip()]
        role, further = read_groups(groups, proxy.roles, proxy.everybody)
        return None if role is None else Caller(name=name, method="proxy", role=role, further=further, ip=ip)

    # ── whether they meant it ────────────────────────────────────────────────────────────────────────────────────────

    def _meant(self, request: Request, caller: Caller) -> None:
        if caller.method == "token" and "authorization" in request.headers:
            return
        if not is_ours(request):
            raise Problem(
                403, "From elsewhere", "The request comes from another site.", "Use the dashboard's own pages."
            )
        shown = request.headers.get(CSRF_HEADER, "")
        if shown or request.session.get("by"):
            if not fits(request, shown):
                raise Problem(
                    403, "From elsewhere", f"The {CSRF_HEADER} header is missing or not that of this session.",
                    "Load the page again; programs send Authorization: Bearer <token>.",
                )  # fmt: skip
        elif request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Problem(
                415,
                "Another kind of content",
                "What changes something is sent as JSON.",
                "Send Content-Type: application/json.",
            )

    # ── where from ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _address(self, request: Request) -> str:
        """Of whoever asks; behind proxies that are trusted, what the outermost of them saw."""
        at = _peer(request)
        if self._is_proxy(at):
            for each in reversed(",".join(request.headers.getlist("x-forwarded-for")).split(",")):
                if not (said := each.strip()) or not _is_address(said):
                    break
                at = said
                if not self._is_proxy(at):
                    break
        return at

    def _is_proxy(self, ip: str) -> bool:
        return bool(self._proxies) and _is_address(ip) and any(ip_address(ip) in each for each in self._proxies)


def is_ours(request: Request) -> bool:
    """Whether a browser says that a page of this dashboard sent it; programs say nothing."""
    if (site := request.headers.get("sec-fetch-site")) is not None:
        return site in _OURS
    origin = request.headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        return False


def fits(request: Request, shown: str) -> bool:
    """Whether this is the token that this session's pages have."""
    known = request.session.get("csrf", "")
    return bool(known) and hmac.compare_digest(str(known).encode(), shown.encode(errors="replace"))


def _only(request: Request, header: str) -> str:
    """What a header says. Of two, one is not the proxy's own."""
    said = request.headers.getlist(header)
    if len(said) > 1:
        raise Problem(
            401, "Who are you?", f"{header} came more than once.", "Have the proxy set it, and remove what it was sent."
        )
    return said[0].strip() if said else ""


def _token_of(request: Request) -> str:
    """The session's token; pages get one, so that programs are not sent cookies."""
    known = request.session.get("csrf")
    if (
        known is None
        and request.method in _SAFE
        and not request.url.path.startswith(("/api/", "/healthz", "/readyz", "/metrics", "/static/"))
    ):
        known = request.session["csrf"] = secrets.token_urlsafe(24)
    return str(known or "")


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith(_OPEN_BELOW)


def _peer(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _is_address(said: str) -> bool:
    try:
        ip_address(said)
    except ValueError:
        return False
    return True
