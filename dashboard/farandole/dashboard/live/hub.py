"""The hub: tells those who look on what changes in the tables."""

from typing import Self

from farandole.projections import Runs


class Hub:
    """Follows the tables while somebody looks on. Use as an async context manager."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...
