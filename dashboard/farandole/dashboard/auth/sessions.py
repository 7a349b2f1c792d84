"""Sessions: which cookie of which dashboard, signed by what, and how much a browser keeps in it.

Browsers tell cookies apart by host alone, and not by port. So each dashboard has a cookie of a name of its own, signed with
a key of its own: what logs somebody in at one is nothing to another, whatever secret both were given.
"""

import hashlib
import hmac
import json
import secrets
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from farandole.dashboard.settings import Settings

if TYPE_CHECKING:
    from farandole.dashboard.desk import Desk

_NAME: Final = "farandole"
_ONLY_BY_TLS: Final = "__Host-"
_MOST: Final = 4096
"""Bytes of a cookie, name and value, that every browser keeps (RFC 6265, 6.1); what is larger is dropped without a word."""
_BESIDE: Final = 256
"""Of them, for the name, the signature, and the token of the pages."""


class Cookie(NamedTuple):
    """A dashboard's own."""

    name: str
    key: str


def cookie_of(desk: "Desk", settings: Settings) -> Cookie:
    """The cookie of one dashboard: the same after a restart and in each of several processes, if they have one secret.

    Without a secret the key is random, and the port belongs to the name: processes beside each other do not share sessions.
    """
    database = desk.runs.database
    where = str(Path(database.path).resolve()) if database.dialect == "sqlite" else database.url
    whose = [desk.choreography, desk.store_url, where, database.schema]
    if (oidc := settings.oidc) is not None:
        roles = sorted((group, int(role)) for group, role in oidc.roles.items())
        # Who was let in by other rules comes in anew.
        whose += [oidc.issuer, oidc.client_id, oidc.name_claim, oidc.roles_claim, str(roles), str(oidc.everybody)]
    if settings.secret is None:
        whose += [settings.host, str(settings.port)]
    about = json.dumps(whose).encode()
    secret = settings.secret or secrets.token_urlsafe(32)
    key = hmac.new(secret.encode(), b"farandole session " + about, hashlib.sha256).hexdigest()
    begins = _ONLY_BY_TLS if settings.https else ""
    return Cookie(f"{begins}{_NAME}-{hashlib.sha256(about).hexdigest()[:12]}", key)


def fits_a_cookie(session: Mapping[str, Any]) -> bool:
    """Whether browsers will keep this session."""
    return len(b64encode(json.dumps(session).encode())) <= _MOST - _BESIDE
