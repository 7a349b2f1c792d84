"""Logging in and out by a browser: a token once, or a provider; then a session in a cookie."""

from html import escape
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from farandole.dashboard.errors import Problem
from farandole.dashboard.settings import Settings
from farandole.dashboard.web.hooks import of_pages

from .attempts import Attempts
from .door import fits, is_ours
from .oidc import Provider


def router(settings: Settings, attempts: Attempts) -> APIRouter:
    """Where people log in."""
    routes = APIRouter(include_in_schema=False)
    provider = None if settings.oidc is None else Provider(settings.oidc, https=settings.https)

    @routes.get("/login")
    async def login(request: Request, next: str = "/") -> Response:
        if not settings.asks:
            return RedirectResponse(local(next), status_code=303)
        ways = [*(["token"] if settings.tokens else []), *(["oidc"] if provider is not None else [])]
        return login_page(request, ways, local(next))

    @routes.post("/auth/login")
    async def by_token(
        request: Request,
        token: Annotated[str, Form(max_length=1_000)],
        csrf: Annotated[str, Form(max_length=200)] = "",
        next: Annotated[str, Form(max_length=4_000)] = "/",
    ) -> Response:
        if not is_ours(request) or not fits(request, csrf):
            raise Problem(403, "From elsewhere", "The form is not of this session.", "Load the page again.")
        ip = request.state.ip
        found = settings.tokens.find(token.strip())
        if found is None:
            if wait := attempts.wait(ip):
                raise Problem(
                    429, "Too many attempts", "Too many tokens from there were not good.", "Wait.", retry_after=wait
                )
            attempts.failed(ip)
            return login_page(request, ["token"], local(next), wrong=True)
        begin(request, {"by": "token", "hash": found.hash})
        return RedirectResponse(local(next), status_code=303)

    @routes.post("/auth/logout")
    async def logout(request: Request, csrf: Annotated[str, Form(max_length=200)] = "") -> Response:
        if not is_ours(request) or not fits(request, csrf):
            raise Problem(403, "From elsewhere", "The form is not of this session.", "Load the page again.")
        request.session.clear()
        return RedirectResponse("/login", status_code=303)

    if provider is not None:

        @routes.get("/auth/oidc")
        async def to_provider(request: Request, next: str = "/") -> Response:
            return await provider.ask(request, local(next))

        @routes.get("/auth/oidc/callback")
        async def from_provider(request: Request) -> Response:
            known, next_ = await provider.told(request)
            begin(request, known)
            return RedirectResponse(local(next_), status_code=303)

    return routes


def begin(request: Request, known: dict[str, Any]) -> None:
    """Begin a session, with nothing left of whatever was there before."""
    request.session.clear()
    request.session.update(known)


def local(path: str) -> str:
    """A path of this dashboard, whatever was asked for."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and path.isprintable()
    return path if plain and "\\" not in path else "/"


def login_page(request: Request, ways: list[str], next: str, *, wrong: bool = False) -> Response:
    """The page on which people log in; the pages may have a finer one."""
    if (finer := of_pages("login_page")) is not None:
        found = finer(request, ways, next, wrong=wrong)
        assert isinstance(found, Response)
        return found
    said = '<p role="alert">That token is not known, or its time is over.</p>' if wrong else ""
    by_token = f"""<form method="post" action="/auth/login"><input type="hidden" name="csrf" value="{escape(request.state.csrf)}">
<input type="hidden" name="next" value="{escape(next)}"><label>Token <input type="password" name="token" required autocomplete="off"></label>
<button>Log in</button></form>"""
    by_oidc = '<p><a href="/auth/oidc">Log in with your organisation</a></p>'
    ways_in = (by_token if "token" in ways else "") + (by_oidc if "oidc" in ways else "")
    content = f'<!doctype html><html lang="en"><title>Farandole: log in</title><main><h1>Farandole</h1>{said}{ways_in}</main></html>'
    return HTMLResponse(content, 401 if wrong else 200)
