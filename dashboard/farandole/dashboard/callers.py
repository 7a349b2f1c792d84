"""Who asks, and what they may do."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Literal

Method = Literal["loopback", "token", "oidc", "proxy"]


class Role(IntEnum):
    """What somebody may do; each may do what those below it may."""

    SEE = 1
    """Look at everything but what is personal."""
    DECIDE = 2
    """Answer what they are asked."""
    OPERATE = 3
    """Start, send to, pause, resume, cancel and retry runs; pause, resume and fire schedules."""
    ADMINISTER = 4
    """Stop reactors in all runs and let them go on."""


ROLES: Final = {role.name.lower(): role for role in Role}
"""By the names that people use."""
_ROLE: Final = "role:"
PERSONAL: Final = "personal"
"""The further role of whoever may see fields that are marked personal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who asks, as the door knows them.

    Attributes:
        name: what they are called in the log.
        method: how the door knows: by a token, by OpenID Connect, by a proxy that is trusted, or because they are on
            this machine and nobody is asked there.
        role: what they may do.
        further: roles that only say something to decisions (``role:editor``), and `PERSONAL`.
        ip: where they ask from.
        request: id of what they ask for.
    """

    name: str
    method: Method
    role: Role
    further: frozenset[str] = field(default_factory=frozenset)
    ip: str = ""
    request: str = ""

    @property
    def trusted(self) -> bool:
        """Whether nobody asks who it is, as at the command line: whoever it is may say in whose name they act."""
        return self.method == "loopback"

    @property
    def names(self) -> frozenset[str]:
        """What a decision that is asked of them may call them."""
        own = () if self.name.startswith(_ROLE) else (self.name,)  # some choose what they are called
        return frozenset({*own, *(f"{_ROLE}{role}" for role in self.further)})

    @property
    def personal(self) -> bool:
        """Whether they may see what is personal."""
        return self.trusted or PERSONAL in self.further

    def may(self, role: str | Role) -> bool:
        """Whether they may do what it takes this role to do."""
        return self.role >= (ROLES[role] if isinstance(role, str) else role)

    def may_see_about(self, to: "list[str] | tuple[str, ...]") -> bool:
        """Whether they may see what a decision is about, which nobody knows to be free of what is personal."""
        return self.personal or (self.may(Role.DECIDE) and self.is_asked(to))

    def is_asked(self, to: "list[str] | tuple[str, ...]") -> bool:
        """Whether a decision asks them."""
        return not to or self.trusted or not self.names.isdisjoint(to)
