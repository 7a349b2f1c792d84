"""Encryption of values by AES-256-GCM. Needs the extra ``farandole[encryption]``."""

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from .errors import DeclarationError, EncodingError, UndecodableValue
from .payload import PayloadContext

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_LAYOUT: Final = 1
_NONCE: Final = 12
_TAG: Final = 16
_KEY: Final = 32


class Encrypt:
    """Encrypts each value by the active key; decrypts by whichever key it names.

    What is stored is: layout (1), the length of the key's id (1 byte), the key's id, a random nonce (12 bytes), and
    AES-256-GCM's ciphertext and tag. The choreography, run, event, type and schema are authenticated with it, so that
    a value moved to another record cannot be read there.

    To rotate, add a key under a new id, deploy it everywhere, then make it active; keep the old one as long as there
    are values by it. Rotate before 2³² values are written by one key, for its nonces are random.
    """

    def __init__(self, keys: Mapping[str, bytes], *, active: str) -> None:
        """
        Args:
            keys: 32 random bytes each, by an id of 1 to 255 bytes that is stored with every value and is no secret.
            active: the id of the key to encrypt by.

        Raises:
            DeclarationError: a key or an id is not such, or the package ``cryptography`` is missing.
        """
        if active not in keys:
            raise DeclarationError(
                f"Encrypt(active={active!r}) is none of its keys {sorted(keys)}; add it, or name another"
            )
        for kid, key in keys.items():
            if not 1 <= len(kid.encode()) <= 255:
                raise DeclarationError(f"Encrypt: a key's id is 1 to 255 bytes, not {len(kid.encode())}")
            if not isinstance(key, bytes | bytearray) or len(key) != _KEY:
                raise DeclarationError(
                    f"Encrypt: key {kid!r} is not of {_KEY} bytes; make one by secrets.token_bytes({_KEY})"
                )
        cipher = _cipher()
        self._ciphers = {kid: cipher(bytes(key)) for kid, key in keys.items()}
        self._active = active

    def __repr__(self) -> str:
        return f"Encrypt(active={self._active!r}, keys={sorted(self._ciphers)})"

    def encode(self, value: bytes, context: PayloadContext, /) -> bytes:
        kid = self._active.encode()
        head = bytes((_LAYOUT, len(kid))) + kid
        nonce = secrets.token_bytes(_NONCE)
        try:
            return head + nonce + self._ciphers[self._active].encrypt(nonce, value, head + context.bytes())
        except OverflowError as e:
            raise EncodingError(f"{context.type}: the value is too large to encrypt") from e

    def decode(self, value: bytes, context: PayloadContext, /) -> bytes:
        from cryptography.exceptions import InvalidTag

        size = 2 + (value[1] if len(value) > 1 else 0)
        if len(value) < size + _NONCE + _TAG or value[0] != _LAYOUT:
            raise UndecodableValue(f"{context.type}: the value is not one that Encrypt stored; was the codec changed?")
        head, nonce, rest = value[:size], value[size : size + _NONCE], value[size + _NONCE :]
        kid = head[2:].decode("utf-8", "replace")
        cipher = self._ciphers.get(kid)
        if cipher is None:
            raise UndecodableValue(
                f"{context.type}: the value is encrypted by key {kid!r}, which is not given here; add it"
            )
        try:
            return cipher.decrypt(nonce, rest, head + context.bytes())
        except InvalidTag as e:
            raise UndecodableValue(
                f"{context.type}: the value was changed, was moved from another record, or key {kid!r} is another one"
            ) from e


def _cipher() -> "type[AESGCM]":
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as e:
        raise DeclarationError("Encrypt needs the package cryptography; install farandole[encryption]") from e
    return AESGCM
