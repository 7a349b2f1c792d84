"""Every answer is counted, also what the door refuses."""

from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farandole.dashboard.metering import Metering


class Counting:
    """Tells the metrics of each answer, under the template of its path."""

    def __init__(self, app: ASGIApp, *, metrics: Metering) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        since = monotonic()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "")
                self._metrics.request(scope["method"], route, message["status"], monotonic() - since)
            await send(message)

        await self._app(scope, receive, sending)
