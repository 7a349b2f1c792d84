"""Run ids may hold slashes. In paths of the API they are written ``%2F``, and stay so until the handler reads them."""

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Path
from starlette.types import ASGIApp, Receive, Scope, Send


class RawPaths:
    """Has paths of the API routed as they were sent, so that ``a%2Fsteps`` is a run, and ``a/steps`` its steps."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/v1/") and (raw := scope.get("raw_path")):
            scope["path"] = raw.partition(b"?")[0].decode("ascii", "replace")
        await self._app(scope, receive, send)


async def _run_id(run_id: Annotated[str, Path(description="The run's id; a slash in it is written %2F.")]) -> str:
    return unquote(run_id)


async def _name(name: Annotated[str, Path()]) -> str:
    return unquote(name)


RunId = Annotated[str, Depends(_run_id)]
Name = Annotated[str, Depends(_name)]
