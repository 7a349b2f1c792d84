"""How a dashboard is to be reached, and by whom."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from farandole.schemas.access import is_this_machine

from .auth.tokens import Tokens
from .callers import Role
from .errors import DashboardMisconfigured

PORT: Final = 8600
_LEAST_SECRET: Final = 32
_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """An OpenID Connect provider: authorization code flow with PKCE.

    Attributes:
        issuer: its URL, below which ``.well-known/openid-configuration`` is.
        client_id, client_secret: what it knows this dashboard by; a public client has no secret.
        name_claim: the claim that people are called by in the log.
        roles_claim: the claim that lists their roles or groups; of a nested one, the path with dots.
        roles: which role those of a group have, by group. A group that is not named here is a further role, for
            decisions that are asked of ``role:<group>``.
        everybody: the role of those who are in none of these groups; None: they may not come in.
        scope: what is asked for.

    Raises:
        DashboardMisconfigured: the issuer is not reached by TLS, and is not on this machine.
    """

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    name_claim: str = "preferred_username"
    roles_claim: str = "roles"
    roles: Mapping[str, Role] = field(default_factory=dict)
    everybody: Role | None = None
    scope: str = "openid profile email"

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.issuer)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme == "https" and parts.hostname:
            return
        if parts.scheme != "http" or not parts.hostname:
            raise DashboardMisconfigured(
                "the OpenID Connect issuer is not a URL: give the one that the provider says it has, as "
                "https://login.example.com/realms/main"
            )
        if not is_this_machine(parts.hostname):
            raise DashboardMisconfigured(
                f"the OpenID Connect issuer http://{parts.hostname} is reached without TLS, so that whoever is on the way "
                "could log in as anybody: have the provider serve https, and give --oidc-issuer https://…; http is only for "
                "one on this machine"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy in front that says in headers who asks.

    Attributes:
        networks: from where such headers are believed, as CIDR.
        user_header: names the caller.
        roles_header: lists their groups, with commas between them; read as those of `Oidc.roles_claim` are.
        roles, everybody: as of `Oidc`.
    """

    networks: Sequence[str]
    user_header: str = "X-Forwarded-User"
    roles_header: str = "X-Forwarded-Groups"
    roles: Mapping[str, Role] = field(default_factory=dict)
    everybody: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a dashboard is to be reached, and by whom.

    Attributes:
        host, port: where it listens.
        tokens: bearers of which may come in.
        oidc: where people log in.
        proxy: who is believed when it says who asks.
        secret: keys that sign sessions are made from it; by default it is random, so that sessions end with the process.
        https: people reach it by TLS, so that cookies are for that only.
        hosts: names by which it is reached; without any way to log in, those of this machine only.
        streams: how many may look on at once.
        local: what whoever acts is called in the log where nobody is asked.
        tls_cert, tls_key: files of a certificate and its key, to serve TLS itself.

    Raises:
        DashboardMisconfigured: it would be open to everybody who reaches this machine.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    tokens: Tokens = field(default_factory=Tokens)
    oidc: Oidc | None = None
    proxy: Proxy | None = None
    secret: str | None = field(default=None, repr=False)
    https: bool = False
    hosts: Sequence[str] = ()
    streams: int = 200
    local: str = field(default_factory=lambda: os.environ.get("USER") or "local")
    tls_cert: str | None = None
    tls_key: str | None = None

    def __post_init__(self) -> None:
        if self.tls_cert and not self.https:
            object.__setattr__(self, "https", True)
        if self.secret is not None and len(self.secret.encode()) < _LEAST_SECRET:
            raise DashboardMisconfigured(
                f"the secret that signs sessions is shorter than {_LEAST_SECRET} bytes, so that others could sign theirs: "
                "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        for network in () if self.proxy is None else self.proxy.networks:
            try:
                ip_network(network)
            except ValueError as e:
                raise DashboardMisconfigured(f"{network!r} is no network: write it as 10.0.0.0/8") from e
        if not self.asks and not is_loopback(self.host):
            raise DashboardMisconfigured(
                f"{self.host} can be reached from other machines, and nobody would be asked who they are: give tokens "
                "(farandole token NAME --file tokens; farandole serve --tokens tokens), an OpenID Connect provider "
                "(--oidc-issuer), or stay on 127.0.0.1"
            )

    @property
    def asks(self) -> bool:
        """Whether callers are asked who they are."""
        return bool(self.tokens) or self.oidc is not None or self.proxy is not None

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Names in Host headers that are answered; none: all are. A page elsewhere may give its own name our address."""
        return frozenset(name.lower() for name in self.hosts) or (frozenset() if self.asks else _LOCAL_NAMES)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
