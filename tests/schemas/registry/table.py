"""A catalogue for tests."""

from collections.abc import Mapping


class Table:
    """The map alone."""

    def __init__(self) -> None:
        self.content: dict[bytes, bytes] = {}

    async def put(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            self.content.pop(key, None)
        else:
            self.content[key] = value

    async def load(self) -> Mapping[bytes, bytes]:
        return dict(self.content)
