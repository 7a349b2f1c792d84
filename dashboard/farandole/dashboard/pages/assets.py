"""Scripts and styles: served under a path that has their hash, so that a browser may keep them for ever."""

import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import HTTPException
from fastapi.responses import Response

STATIC: Final = Path(__file__).parent.parent / "static"
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@cache
def _files() -> dict[str, bytes]:
    return {
        path.relative_to(STATIC).as_posix(): path.read_bytes()
        for path in sorted(STATIC.rglob("*"))
        if path.is_file() and path.suffix in _TYPES
    }


@cache
def digest() -> str:
    """Of all files together: when one changes, all have another path."""
    found = hashlib.blake2b(digest_size=8)
    for name, content in _files().items():
        found.update(name.encode() + b"\0" + hashlib.blake2b(content).digest())
    return found.hexdigest()


def address(name: str) -> str:
    """Where a file is."""
    if name not in _files():
        raise KeyError(f"no file {name!r} in static/")
    return f"/static/{digest()}/{name}"


def served(said: str, name: str) -> Response:
    """A file.

    Args:
        said: the hash in the path; another than ours is that of another release, whose page is still open somewhere.
    """
    content = _files().get(name)
    if content is None:
        raise HTTPException(404)
    kind = _TYPES[Path(name).suffix] or mimetypes.guess_type(name)[0]
    keep = "public, max-age=31536000, immutable" if said == digest() else "no-store"
    return Response(content, media_type=kind, headers={"Cache-Control": keep, "X-Content-Type-Options": "nosniff"})
