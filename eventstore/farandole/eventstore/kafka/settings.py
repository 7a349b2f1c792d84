"""A store URL, read into frozen settings.

    kafka://host[:port][,host[:port]…][?option=value&…]

Credentials come from ``FARANDOLE_KAFKA_USERNAME`` and ``FARANDOLE_KAFKA_PASSWORD``, or from the files that the same
names with ``_FILE`` point to, or from the URL itself (``kafka://user:password@host``). They are never shown.

The schema registry, if there is one, is that of ``FARANDOLE_REGISTRY``, or of the option ``registry``.

Nothing falls back to less security in silence: with credentials the default is SASL over TLS, and a connection
without TLS to another machine needs ``insecure=true``.
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from pydantic import SecretStr

from farandole.eventstore.errors import StoreMisconfigured
from farandole.schemas.access import as_secret, is_this_machine, tls_context, told_secret
from farandole.schemas.errors import RegistryMisconfigured
from farandole.schemas.registry import RegistrySettings, read_registry

SECURITY: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS: Final = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
DEFAULT_PORT: Final = 9092

_TEXT = ("security", "sasl", "ca", "cert", "key")
_NUMBERS = ("session", "append_timeout", "request_timeout", "patience", "fetch_bytes")
_SHOWN: Final = (*_TEXT, "insecure", *_NUMBERS)
OPTIONS: Final = (*_SHOWN, "registry")


@dataclass(frozen=True)
class KafkaSettings:
    """How to reach a Kafka cluster. Times are in seconds, sizes in bytes.

    Attributes:
        servers: ``host:port`` of one or more brokers.
        security: one of `SECURITY`.
        sasl: one of `MECHANISMS`; used where `security` begins with SASL.
        ca: file with the certificates to trust instead of the system's.
        cert: file with this client's own certificate, for mutual TLS.
        key: file with the private key of `cert`.
        insecure: allow connections without TLS to other machines.
        session: how long a consumer group waits for a member that has fallen silent.
        append_timeout: after that an append is given up, its fate unknown.
        request_timeout: how long one request may take.
        patience: how long the log may be out of reach before reading says so.
        fetch_bytes: the most that one fetch takes from one partition.
        registry: how the schema registry is reached whose numbers values bear; None: they bear none.
    """

    servers: tuple[str, ...]
    security: str = "PLAINTEXT"
    sasl: str = "SCRAM-SHA-512"
    username: SecretStr | None = field(default=None, repr=False)
    password: SecretStr | None = field(default=None, repr=False)
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    key_password: SecretStr | None = field(default=None, repr=False)
    insecure: bool = False
    session: float = 30.0
    append_timeout: float = 20.0
    request_timeout: float = 10.0
    patience: float = 30.0
    fetch_bytes: int = 1024 * 1024
    registry: RegistrySettings | None = None

    @property
    def url(self) -> str:
        """The store URL, without any secret, and without the registry, which no reader needs."""
        said = {name: getattr(self, name) for name in _SHOWN}
        usual = KafkaSettings(self.servers)
        options = {
            name: str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value
            for name, value in said.items()
            if value != getattr(usual, name)
        }
        return f"kafka://{','.join(self.servers)}" + (f"?{urlencode(options)}" if options else "")

    def client_options(self, name: str) -> dict[str, Any]:
        """Arguments for any client of aiokafka that calls itself ``name``. Files are read anew at each call.

        Raises:
            StoreMisconfigured: a certificate or key cannot be read.
        """
        options: dict[str, Any] = {
            "bootstrap_servers": list(self.servers),
            "client_id": name,
            "request_timeout_ms": int(self.request_timeout * 1000),
            "retry_backoff_ms": 50,
            "security_protocol": self.security,
        }
        if self.security.endswith("SSL"):
            options["ssl_context"] = self._tls()
        if self.security.startswith("SASL") and self.username and self.password:
            options["sasl_mechanism"] = self.sasl
            options["sasl_plain_username"] = self.username.get_secret_value()
            options["sasl_plain_password"] = self.password.get_secret_value()
        return options

    def _tls(self) -> ssl.SSLContext:
        try:
            return tls_context(self.ca, self.cert, self.key, self.key_password)
        except (OSError, ssl.SSLError) as e:
            raise StoreMisconfigured(
                f"the TLS files of {','.join(self.servers)} cannot be read ({e.__class__.__name__}: {e}): "
                "ca=, cert= and key= in the store URL name PEM files; "
                "a protected key takes its password from FARANDOLE_KAFKA_KEY_PASSWORD"
            ) from e


def read_settings(url: str, environ: Mapping[str, str] | None = None) -> KafkaSettings:
    """Read a ``kafka://`` URL and the environment.

    Raises:
        StoreMisconfigured: an option is unknown, contradicts another, or would send data unprotected.
    """
    env = os.environ if environ is None else environ
    try:
        parts = urlsplit(url)
    except ValueError:
        raise StoreMisconfigured("the Kafka URL cannot be read: write kafka://host:port[,host:port]") from None
    userinfo, _, hosts = parts.netloc.rpartition("@")
    servers = tuple(_server(each) for each in hosts.split(",") if each)
    if parts.scheme != "kafka" or not servers or parts.path.strip("/") or parts.fragment:
        raise StoreMisconfigured(
            "the Kafka URL cannot be read: write kafka://host:port[,host:port][?option=value]; "
            "reserved characters in a user name or password are written as %XX"
        )
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(given) - set(OPTIONS)):
        raise StoreMisconfigured(f"the Kafka URL has no option {', '.join(unknown)}: it knows {', '.join(OPTIONS)}")
    user, _, password = userinfo.partition(":")
    settings: dict[str, Any] = {name: given[name] for name in _TEXT if given.get(name)}
    settings |= {name: _number(name, given[name]) for name in _NUMBERS if name in given}
    settings["insecure"] = _flag("insecure", given.get("insecure", "false"))
    settings["username"] = as_secret(unquote(user) or _env(env, "FARANDOLE_KAFKA_USERNAME"))
    settings["password"] = as_secret(unquote(password) or _env(env, "FARANDOLE_KAFKA_PASSWORD"))
    settings["key_password"] = as_secret(_env(env, "FARANDOLE_KAFKA_KEY_PASSWORD"))
    settings["security"] = _security(settings)
    settings["registry"] = _registry(given.get("registry") or env.get("FARANDOLE_REGISTRY", ""), env)
    if "sasl" in settings:
        settings["sasl"] = settings["sasl"].upper()
    made = KafkaSettings(servers, **settings)
    _check(made)
    return made


def _registry(url: str, env: Mapping[str, str]) -> RegistrySettings | None:
    try:
        return read_registry(url, env) if url else None
    except RegistryMisconfigured as e:
        raise StoreMisconfigured(str(e)) from e


def _security(settings: Mapping[str, Any]) -> str:
    if said := settings.get("security"):
        return str(said).upper()
    if settings["username"] or settings["password"] or settings.get("sasl"):
        return "SASL_SSL"
    return "SSL" if any(settings.get(name) for name in ("ca", "cert", "key")) else "PLAINTEXT"


def _check(settings: KafkaSettings) -> None:
    if settings.security not in SECURITY:
        raise StoreMisconfigured(f"security={settings.security} is not known: use one of {', '.join(SECURITY)}")
    if settings.sasl not in MECHANISMS:
        raise StoreMisconfigured(f"sasl={settings.sasl} is not known: use one of {', '.join(MECHANISMS)}")
    if settings.security.startswith("SASL") and not (settings.username and settings.password):
        raise StoreMisconfigured(
            f"security={settings.security} needs credentials: set FARANDOLE_KAFKA_USERNAME and "
            "FARANDOLE_KAFKA_PASSWORD, or FARANDOLE_KAFKA_PASSWORD_FILE"
        )
    if settings.username and settings.password and not settings.security.startswith("SASL"):
        raise StoreMisconfigured(
            f"credentials are given, but security={settings.security} does not use them: leave security= out for "
            "SASL over TLS, or unset FARANDOLE_KAFKA_USERNAME and FARANDOLE_KAFKA_PASSWORD"
        )
    if bool(settings.key) and not settings.cert:
        raise StoreMisconfigured("key= needs cert=, the certificate that belongs to it")
    if settings.security.endswith("SSL") or settings.insecure:
        return
    if away := [each for each in settings.servers if not is_loopback(each)]:
        raise StoreMisconfigured(
            f"security={settings.security} would send everything unprotected to {', '.join(away)}: "
            "use security=SSL or SASL_SSL, or say insecure=true if you trust that network "
            "(as between the containers of one docker-compose file)"
        )


def is_loopback(server: str) -> bool:
    """Whether ``host:port`` is surely on this machine, going by its name alone."""
    return is_this_machine(server.rpartition(":")[0].strip("[]"))


def _server(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return f"{text}:{DEFAULT_PORT}"
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise StoreMisconfigured("the Kafka URL has a server that is not host:port: ports are 1 to 65535")
    return text


def _number(name: str, text: str) -> float | int:
    try:
        value = int(text) if name == "fetch_bytes" else float(text)
    except ValueError:
        value = 0
    if not 0 < value < 2**31:
        raise StoreMisconfigured(f"{name}={text} in the Kafka URL is not a number above 0: give seconds, or bytes")
    return value


def _flag(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise StoreMisconfigured(f"{name}={text} in the Kafka URL is neither true nor false")
    return text.lower() == "true"


def _env(env: Mapping[str, str], name: str) -> str:
    try:
        return told_secret(env, name)
    except ValueError as e:
        raise StoreMisconfigured(str(e)) from None
