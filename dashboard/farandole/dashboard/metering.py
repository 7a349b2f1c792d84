"""What counts requests and tells Prometheus, as the dashboard needs it."""

from typing import Protocol


class Metering(Protocol):
    """The metrics of a server."""

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            route: the template that it matched, never its path; empty: none.
        """
        ...

    async def scrape(self) -> tuple[bytes, str]:
        """The answer to ``/metrics``, and its content type."""
        ...
