"""Large content is kept beside the log: an event says where it is, how large it is, of which kind, and how it begins.

A reference is the SHA-256 of what it refers to. So whoever keeps the same again, another worker after one that died,
say, has the same reference, and what is read back is known to be what was kept.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeAlias

from pydantic import BaseModel, ByteSize, TypeAdapter, ValidationError
from pydantic_ai.messages import ModelRequestPart, TextContent, UserContent, UserPromptPart
from pydantic_core import from_json, to_json

from farandole.schemas import DeclarationError

from .errors import ContentLost
from .items import JSON, TEXT, Apart, apart

Size: TypeAlias = int | str
"""Bytes, as a number or as text: ``"64 KB"``, ``"1 MiB"``."""

NOTE: Final = "farandole_kept"
"""In the metadata of a part of a message: where the whole of it is. No provider is sent it."""
REST: Final = "item"
"""In such a note on an item of a prompt: what else there is of the item."""
ALONE: Final = "alone"
"""In such a note: whether the item is the whole prompt, and no list."""
_HEAD: Final = 1000
"""Bytes."""
_REFERENCE: Final = re.compile(r"sha256:[0-9a-f]{64}")


class Store(Protocol):
    """Where large content is kept. Both are called in a thread, by many workers at once."""

    def put(self, reference: str, content: bytes) -> None:
        """Keep something for good, before this returns. The same reference is put again with the same content.

        Args:
            reference: ``sha256:`` and 64 hexadecimal digits.
        """
        ...

    def get(self, reference: str) -> bytes:
        """What was put.

        Raises:
            LookupError, FileNotFoundError: it is not there. Anything else that is raised is tried again.
        """
        ...


class Kept(BaseModel, frozen=True):
    """Content that stands elsewhere.

    Attributes:
        reference: of the store, by its digest.
        bytes: how many.
        media_type: ``text/plain`` (UTF-8), ``application/json``, or that of a picture or file.
    """

    reference: str
    bytes: int
    media_type: str


@dataclass(frozen=True)
class Large:
    """What of an agent's content is kept beside the log.

    Attributes:
        store: where; `Folder`, or anything that has its two methods.
        above: how large content must be, as it would be written into the event.
        whole: whether the model is sent all of it; else its head, its size and its reference.

    Raises:
        DeclarationError: ``above`` is no size, or smaller than the head that stands in the event.
    """

    store: Store
    above: Size = "64 KB"
    whole: bool = True
    _most: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            most = int(TypeAdapter(ByteSize).validate_python(self.above))
        except ValidationError as e:
            raise DeclarationError(f"above={self.above!r} is no size: write bytes, or '64 KB'") from e
        if most < _HEAD:
            raise DeclarationError(f"above={self.above!r}: an event holds {_HEAD} bytes of what is kept elsewhere")
        object.__setattr__(self, "_most", most)

    def keep(self, content: Any) -> tuple[Any, Kept | None]:
        """What an event holds of something, and where the whole of it is now, if it is large. It blocks.

        Args:
            content: as JSON.
        """
        written = to_json(content)
        if len(written) <= self._most:
            return content, None
        written = content.encode() if isinstance(content, str) else written
        return _head(written), self._put(written, TEXT if isinstance(content, str) else JSON)

    def keep_said(self, parts: Sequence[ModelRequestPart]) -> list[ModelRequestPart]:
        """What is said to a model, with a head in place of each long text, picture or file. It blocks."""
        return [
            replace(part, content=self._said(part.content)) if isinstance(part, UserPromptPart) else part
            for part in parts
        ]

    def read(self, kept: Kept) -> Any:
        """What was kept: a text, JSON, or the bytes of a picture or file. It blocks.

        Raises:
            ContentLost: it is gone, or is something else by now.
        """
        content = self.written(kept)
        match kept.media_type:
            case "text/plain":
                return content.decode()
            case "application/json":
                return from_json(content)
            case _:
                return content

    def _said(self, content: str | Sequence[UserContent]) -> str | Sequence[UserContent]:
        if isinstance(content, str):
            return [noted] if (noted := self._noted(content, alone=True)) else content
        return [self._noted(item) or item for item in content]

    def _noted(self, item: UserContent, alone: bool = False) -> TextContent | None:
        """The head of an item, with a note of where the whole of it is; None if it is not large."""
        match apart(item):
            case Apart(content, media_type, size, head, rest) if size > self._most:
                note = {**self._put(content, media_type).model_dump(), REST: dict(rest)}
                return TextContent(_head(head.encode()), metadata={NOTE: {**note, ALONE: True} if alone else note})
            case _:
                return None

    def _put(self, content: bytes, media_type: str) -> Kept:
        reference = _reference(content)
        self.store.put(reference, content)
        return Kept(reference=reference, bytes=len(content), media_type=media_type)

    def written(self, kept: Kept) -> bytes:
        """What was kept, as it was written. It blocks.

        Raises:
            ContentLost: it is gone, or is something else by now.
        """
        reference = kept.reference
        if not _REFERENCE.fullmatch(reference):  # a store may make a path of it
            raise ContentLost(f"{reference[:80]!r} refers to nothing: a reference is sha256: and 64 hexadecimal digits")
        where = f"large content {reference} ({kept.bytes} bytes of {kept.media_type})"
        try:
            content = self.store.get(reference)
        except (LookupError, FileNotFoundError) as e:
            raise ContentLost(
                f"{where} is not in the {type(self.store).__name__} any longer: put it back and retry the step"
            ) from e
        if _reference(content) != reference:
            raise ContentLost(
                f"{where} is another in the {type(self.store).__name__}: what is there has {len(content)} bytes and another digest; put "
                "back what was kept and retry the step"
            )
        return content


def told_in_short(kept: Kept, head: Any) -> str:
    """What a model reads in place of the whole."""
    return f"{head}\n[The beginning of {kept.bytes} bytes of {kept.media_type}, kept as {kept.reference}.]"


def _head(written: bytes) -> str:
    return f"{written[:_HEAD].decode(errors='ignore')}…" if len(written) > _HEAD else written.decode()


def _reference(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
