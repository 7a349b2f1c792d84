"""Tokens: what programs, and people without a provider, show at the door. Only their hashes are kept.

A file of tokens has a line for each: the SHA-256 of the token, a name, a role, and further roles. A token is random and
long, so that a plain hash of it gives nothing away.

    9f86d081…  ann  operate  editor,personal
    60303ae2…  ci   see      -                2027-01-31
"""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic
from typing import Final

from farandole.dashboard.callers import ROLES, Caller, Role
from farandole.dashboard.errors import DashboardMisconfigured

log = logging.getLogger("farandole.dashboard")

_LOOK: Final = 1.0
VARIABLE: Final = "FARANDOLE_TOKENS"
_BEGINS: Final = "fa_"
_BYTES: Final = 32
_HEX: Final = 64
_MOST_NAME: Final = 200
_NONE: Final = "-"


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is known, by its hash.

    Attributes:
        hash: SHA-256, in hexadecimal.
        name: whose it is.
        ends: the last day on which it is good; None: it is good until it is taken out.
    """

    hash: str
    name: str
    role: Role
    further: frozenset[str] = frozenset()
    ends: date | None = None

    def line(self) -> str:
        """As it stands in a file."""
        further = ",".join(sorted(self.further)) or _NONE
        ends = f"  {self.ends.isoformat()}" if self.ends else ""
        return f"{self.hash}  {self.name}  {self.role.name.lower()}  {further}{ends}"

    def good(self, today: date) -> bool:
        return self.ends is None or today <= self.ends


class Tokens:
    """Those that are known. Without any, nobody comes in by a token.

    Args:
        file: where they were read from. When it changes it is read again, so that a token that is taken out is good no
            longer; if it cannot be read then, those of before stay.
    """

    def __init__(self, tokens: Iterable[Token] = (), file: Path | None = None) -> None:
        self._tokens = {token.hash: token for token in tokens}
        self._file = file
        self._stamp = None if file is None else _stamp(file)
        self._look_at = 0.0

    @classmethod
    def read(cls, text: str, where: str) -> "Tokens":
        """Those of a file.

        Args:
            where: what to call it in errors.

        Raises:
            DashboardMisconfigured: a line is not as it should be. The message does not quote it.
        """
        return cls(_tokens(text, where))

    @classmethod
    def named(cls, said: str) -> "Tokens":
        """Those that `VARIABLE` names: the path of a file, or the lines themselves.

        Raises:
            DashboardMisconfigured: the file cannot be read, or a line is not as it should be.
        """
        if "\n" in said or len(said.split()) > 1:
            return cls.read(said, VARIABLE)
        try:
            file = Path(said)
            return cls(_tokens(file.read_text(encoding="utf-8"), said), file)
        except (OSError, UnicodeDecodeError) as e:
            why = e.strerror if isinstance(e, OSError) else "it is not UTF-8"
            raise DashboardMisconfigured(f"tokens cannot be read from {said}: {why}; make one: farandole token") from e

    def __len__(self) -> int:
        return len(self._tokens)

    def __bool__(self) -> bool:
        """Whether tokens are asked for: also by a file from which all were taken out, which must open nothing."""
        return self._file is not None or bool(self._tokens)

    def find(self, token: str) -> Token | None:
        """The one whose bearer shows this, if it is good today. It takes as long whether there is one or not."""
        hash_, found = hash_of(token), None
        self._read_again()
        for each in self._tokens.values():
            if hmac.compare_digest(each.hash, hash_):
                found = each
        return found if found is not None and found.good(datetime.now(UTC).date()) else None

    def _read_again(self) -> None:
        if self._file is None or monotonic() < self._look_at:
            return
        self._look_at = monotonic() + _LOOK
        if (stamp := _stamp(self._file)) == self._stamp:
            return
        try:
            tokens = {token.hash: token for token in _tokens(self._file.read_text(encoding="utf-8"), str(self._file))}
        except (OSError, UnicodeDecodeError, DashboardMisconfigured) as e:
            log.error("the tokens have changed and cannot be read, so those of before stay: %s", type(e).__name__)
            return
        self._tokens, self._stamp = tokens, stamp
        log.info("the tokens have changed: %d are good now", len(tokens))

    def known(self, hash_: str) -> Token | None:
        """The one of this hash, if it is still good: it may be taken out while a session goes on."""
        self._read_again()
        found = self._tokens.get(hash_)
        return found if found is not None and found.good(datetime.now(UTC).date()) else None


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def caller_of(token: Token, ip: str) -> Caller:
    """Whoever shows a token."""
    return Caller(name=token.name, method="token", role=token.role, further=token.further, ip=ip)


def make(name: str, role: Role, further: Iterable[str] = (), ends: date | None = None) -> tuple[str, Token]:
    """A new token, which is shown once, and what is kept of it.

    Raises:
        DashboardMisconfigured: a name has blanks, or is too long.
    """
    more = frozenset(further)
    for each in (name, *more):
        if not each or each.split() != [each] or len(each.encode()) > _MOST_NAME or {*",#"} & {*each} or each == _NONE:
            raise DashboardMisconfigured(
                f"{each!r} cannot name a person or role: no blanks, commas or #, 1 to 200 bytes"
            )
    token = _BEGINS + secrets.token_urlsafe(_BYTES)
    return token, Token(hash_of(token), name, role, more, ends)


def _tokens(text: str, where: str) -> Iterator[Token]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        wrong = f"{where}, line {number}: a line has SHA-256, name, role ({', '.join(ROLES)}), further roles or -, and perhaps a last day"
        if not 3 <= len(words) <= 5 or len(words[0]) != _HEX or words[2] not in ROLES:
            raise DashboardMisconfigured(wrong)
        further = frozenset() if len(words) < 4 or words[3] == _NONE else frozenset(words[3].split(","))
        try:
            ends = date.fromisoformat(words[4]) if len(words) == 5 else None
        except ValueError:
            raise DashboardMisconfigured(wrong) from None
        yield Token(words[0].lower(), words[1], ROLES[words[2]], further, ends)
