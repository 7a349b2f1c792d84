"""How a schema registry is reached, read into frozen settings.

    http[s]://host[:port][/path][?option=value&…]

Credentials come from ``FARANDOLE_REGISTRY_USERNAME`` and ``FARANDOLE_REGISTRY_PASSWORD``, or as a bearer token from
``FARANDOLE_REGISTRY_TOKEN``, or from the files that the same names with ``_FILE`` point to, or from the URL itself
(``https://user:password@host``). They are never shown. No record of a log ever says where a registry is.
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from farandole.schemas.access import as_secret, is_this_machine, tls_context, told_secret
from farandole.schemas.errors import RegistryMisconfigured

VARIABLE: Final = "FARANDOLE_REGISTRY"
OPTIONS: Final = ("ca", "cert", "key", "insecure", "timeout")
_FORM: Final = "write http(s)://host:8081, as in FARANDOLE_REGISTRY=https://registry.example:8081"


@dataclass(frozen=True)
class RegistrySettings:
    """How to reach a schema registry.

    Attributes:
        url: without secrets and options.
        ca: file with the certificates to trust instead of the system's.
        cert: file with this client's own certificate, for mutual TLS.
        key: file with the private key of `cert`.
        insecure: allow connections without TLS to other machines.
        timeout: seconds that one request may take.
    """

    url: str
    username: SecretStr | None = field(default=None, repr=False)
    password: SecretStr | None = field(default=None, repr=False)
    token: SecretStr | None = field(default=None, repr=False)
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    key_password: SecretStr | None = field(default=None, repr=False)
    insecure: bool = False
    timeout: float = 5.0

    def tls(self) -> ssl.SSLContext | None:
        """What connections are secured by; None for plain HTTP. Files are read anew at each call.

        Raises:
            RegistryMisconfigured: a certificate or key cannot be read.
        """
        if not self.url.startswith("https:"):
            return None
        try:
            return tls_context(self.ca, self.cert, self.key, self.key_password)
        except (OSError, ssl.SSLError) as e:
            raise RegistryMisconfigured(
                f"the TLS files of the schema registry {self.url} cannot be read ({type(e).__name__}: {e}): ca=, cert= "
                "and key= in its URL name PEM files; a protected key takes its password from "
                "FARANDOLE_REGISTRY_KEY_PASSWORD"
            ) from e


def read_registry(url: str, environ: Mapping[str, str] | None = None) -> RegistrySettings:
    """Read the URL of a registry and the environment.

    Raises:
        RegistryMisconfigured: it is no such URL, an option is unknown, or it would send data unprotected.
    """
    env = os.environ if environ is None else environ
    parts = _split(url)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(given.keys() - set(OPTIONS)):
        raise RegistryMisconfigured(
            f"the schema registry's URL has no option {', '.join(unknown)}: it knows {', '.join(OPTIONS)}"
        )
    host = parts.netloc.rpartition("@")[2]
    made = RegistrySettings(
        f"{parts.scheme}://{host}{parts.path.rstrip('/')}",
        username=as_secret(unquote(parts.username or "") or _env(env, f"{VARIABLE}_USERNAME")),
        password=as_secret(unquote(parts.password or "") or _env(env, f"{VARIABLE}_PASSWORD")),
        token=as_secret(_env(env, f"{VARIABLE}_TOKEN")),
        ca=given.get("ca") or None,
        cert=given.get("cert") or None,
        key=given.get("key") or None,
        key_password=as_secret(_env(env, f"{VARIABLE}_KEY_PASSWORD")),
        insecure=_flag(given.get("insecure", "false")),
        timeout=_seconds(given.get("timeout", "5")),
    )
    _check(made, parts.hostname or "")
    return made


def _split(url: str) -> SplitResult:
    # Not a word of the URL in a message before it is read: it may hold a password.
    try:
        parts = urlsplit(url.strip())
        readable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        readable = False
    if not readable or parts.fragment:
        raise RegistryMisconfigured(
            f"the schema registry's URL cannot be read: {_FORM}; reserved characters in a user name or password are "
            "written as %XX"
        ) from None
    return parts


def _check(settings: RegistrySettings, host: str) -> None:
    if bool(settings.username) != bool(settings.password):
        raise RegistryMisconfigured(
            f"the schema registry {settings.url} is given half a login: set both FARANDOLE_REGISTRY_USERNAME and "
            "FARANDOLE_REGISTRY_PASSWORD, or FARANDOLE_REGISTRY_PASSWORD_FILE"
        )
    if settings.username and settings.token:
        raise RegistryMisconfigured(
            f"the schema registry {settings.url} is given a login and a token: unset one of FARANDOLE_REGISTRY_USERNAME "
            "and FARANDOLE_REGISTRY_TOKEN"
        )
    if settings.key and not settings.cert:
        raise RegistryMisconfigured("key= in the schema registry's URL needs cert=, the certificate that belongs to it")
    if settings.url.startswith("http:") and not settings.insecure and not is_this_machine(host):
        raise RegistryMisconfigured(
            f"{settings.url} would be asked unprotected over the network: use https://, or say ?insecure=true after the "
            "URL if you trust that network (as between the containers of one docker-compose file)"
        )


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise RegistryMisconfigured(f"insecure={text} in the schema registry's URL is neither true nor false")
    return text.lower() == "true"


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 600:
        raise RegistryMisconfigured(f"timeout={text} in the schema registry's URL is not a number of seconds above 0")
    return value


def _env(env: Mapping[str, str], name: str) -> str:
    try:
        return told_secret(env, name)
    except ValueError as e:
        raise RegistryMisconfigured(str(e)) from None
